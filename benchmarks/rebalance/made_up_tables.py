"""The marts of a chunk of made-up clients, as Arrow."""

import datetime as dt
from enum import StrEnum

import numpy as np
import pyarrow as pa

from benchmarks.rebalance.made_up_accounts import (
    Chunk,
    MadeUp,
    Positions,
    Wishes,
    positions_of,
    wishes_of,
)
from benchmarks.rebalance.made_up_ids import mixed_ids, sorted_ids
from models.vocabulary import CASH, MICROS, GoalKind, ShareKind, TaxKind
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.worth import worth_cents

_ACCOUNT, _GOAL, _CLIENT, _LOT, _TRANSACTION, _NOBODY = range(10, 70, 10)
UNKNOWN_SYMBOL = "GONE"
_EPOCH = dt.date(1970, 1, 1)


def tables_of(made_up: MadeUp, chunk: Chunk) -> dict[str, pa.Table]:
    """Return the rows of each mart."""
    wishes = wishes_of(made_up, chunk)
    positions = positions_of(made_up, chunk, wishes)
    holdings = _holdings(made_up, chunk, positions)
    return {
        "account": _accounts(chunk, positions),
        "account_holding": holdings,
        "account_transaction": _transactions(made_up, chunk),
        "client_profile": _profiles(made_up, chunk, wishes, positions),
        "loss_sale": _loss_sales(made_up, chunk),
        "planned_cash_flow": _planned_flows(made_up, chunk, wishes),
        "tax_lot": _lots(made_up, chunk, holdings),
    }


def _account_ids(chunk: Chunk) -> pa.StringArray:
    return mixed_ids(np.arange(len(chunk.goal_of_account)) + chunk.first_account, _ACCOUNT)


def _goal_ids(chunk: Chunk) -> pa.StringArray:
    return mixed_ids(np.arange(len(chunk.client_of_goal)) + chunk.first_goal, _GOAL)


def _client_ids(chunk: Chunk, number: Integers) -> pa.StringArray:
    return sorted_ids(number, chunk.clients, _CLIENT)


def _accounts(chunk: Chunk, positions: Positions) -> pa.Table:
    goal = _goal_ids(chunk).take(pa.array(chunk.goal_of_account))
    nobodys = mixed_ids(np.arange(len(goal)) + chunk.first_account, _NOBODY)
    return pa.table(
        {
            "account_id": _account_ids(chunk),
            "client_id": _client_ids(chunk, chunk.client_of_account),
            "goal_id": pa.compute.if_else(pa.array(positions.goal_is_missing), nobodys, goal),
            "tax_kind": _words(TaxKind, positions.tax_kind),
            "share_kind": _words(ShareKind, np.where(positions.is_whole, 0, 1)),
            "cash_buffer_cents": positions.buffer_cents,
            "cash_micros": positions.cash_micros,
        }
    )


def _holdings(made_up: MadeUp, chunk: Chunk, positions: Positions) -> pa.Table:
    """Return what is held, by account, cash first and the market's symbols in their order."""
    market = made_up.market
    outside = next(
        (
            name
            for name, instrument in sorted(market.instruments.items())
            if name not in market.symbols and instrument.price_is_fresh
        ),
        None,
    )
    names = [CASH, *market.symbols, outside or UNKNOWN_SYMBOL, UNKNOWN_SYMBOL]
    outside_price = market.instruments[outside].price_micros if outside else 0
    price = np.array([1_000_000, *made_up.prices, outside_price or 0, 0])
    frozen = positions.frozen_micros if outside else np.zeros_like(positions.frozen_micros)
    quantity = np.column_stack(
        [positions.cash_micros, positions.quantity_micros, frozen, positions.unpriced_micros]
    )
    is_held = quantity != 0
    is_held[:, 0] = True
    account, symbol = np.nonzero(is_held)
    value = worth_cents(quantity[account, symbol], price[symbol])
    unpriced = symbol == len(names) - 1
    return pa.table(
        {
            "account_id": _account_ids(chunk).take(pa.array(account)),
            "client_id": _client_ids(chunk, chunk.client_of_account).take(pa.array(account)),
            "symbol": pa.array(names).take(pa.array(symbol)),
            "quantity_micros": quantity[account, symbol],
            "price_micros": pa.array(price[symbol], mask=unpriced),
            "value_cents": pa.array(value, mask=unpriced),
        }
    )


def _planned_flows(made_up: MadeUp, chunk: Chunk, wishes: Wishes) -> pa.Table:
    """Return a monthly deposit into every second goal: a tenth of what it wants, each year."""
    saving = np.flatnonzero(np.arange(len(chunk.client_of_goal)) % 2 == 0)
    goal_id = _goal_ids(chunk).take(pa.array(saving))
    following = (made_up.session - _EPOCH).days + 20
    return pa.table(
        {
            "client_id": _client_ids(chunk, chunk.client_of_goal).take(pa.array(saving)),
            "goal_id": goal_id,
            "account_id": goal_id,
            "cash_flow_id": goal_id,
            "signed_cents": np.maximum(wishes.target_cents[saving] // 120, 1),
            "step_months": np.ones(len(saving), dtype=np.int64),
            "next_date": pa.array(np.full(len(saving), following, np.int32)).cast(pa.date32()),
            "last_date": pa.nulls(len(saving), pa.date32()),
        }
    )


def _profiles(made_up: MadeUp, chunk: Chunk, wishes: Wishes, positions: Positions) -> pa.Table:
    market, goals = made_up.market, len(chunk.client_of_goal)
    buffers = np.zeros(goals, dtype=np.int64)
    np.add.at(buffers, chunk.goal_of_account, positions.buffer_cents)
    issue = np.where(~wishes.has_profile, 0, np.where(wishes.horizon_days <= 0, 1, 2))
    words = pa.array(["no_risk_profile", "target_date_passed", None])
    by_class = wishes.excluded_class[:, None] == np.arange(len(market.classes))
    day = wishes.horizon_days + (made_up.session - _EPOCH).days
    risky = np.where(wishes.horizon_days <= 0, 1, wishes.score) / 100
    return pa.table(
        {
            "client_id": _client_ids(chunk, chunk.client_of_goal),
            "goal_id": _goal_ids(chunk),
            "goal_version": np.ones(goals, dtype=np.int64),
            "goal_kind": _words(GoalKind, wishes.kind),
            "target_cents": wishes.target_cents,
            "target_date": pa.array(day.astype(np.int32)).cast(pa.date32()),
            "horizon_days": wishes.horizon_days,
            "risk_score": wishes.score,
            "capacity_score": np.minimum(100, wishes.score + 15),
            "max_loss": risky * 0.5,
            "max_risky_weight": np.minimum(1.0, risky * 1.3),
            "min_cash_cents": buffers,
            "excluded_symbols": _lists(wishes.excluded, market.symbols),
            "excluded_classes": _lists(by_class, market.classes),
            "max_symbol_weight": pa.array(wishes.symbol_cap, from_pandas=True),
            "issue": words.take(pa.array(issue)),
        }
    )


def _lots(made_up: MadeUp, chunk: Chunk, holdings: pa.Table) -> pa.Table:
    """Return one or two lots of what is held: a twentieth of unknown cost, some bought lately.

    After years of rising prices one in twelve has lost a twentieth of its cost or more.
    """
    held = holdings.filter(
        (pa.compute.field("symbol") != CASH)
        & (pa.compute.field("quantity_micros") > 0)
        & pa.compute.field("price_micros").is_valid()
    ).combine_chunks()
    rng = chunk.generator(3)
    is_split = rng.random(len(held)) < 0.4
    row = np.sort(np.concatenate([np.arange(len(held)), np.flatnonzero(is_split)]))
    is_second = np.append(False, row[1:] == row[:-1]) if len(row) else row.astype(bool)
    whole = held["quantity_micros"].to_numpy()[row]
    older = np.where(is_split[row], whole // 3, 0)
    quantity = np.where(is_second, older, whole - older)
    kept = quantity > 0
    row, quantity = row[kept], quantity[kept]
    value = worth_cents(quantity, held["price_micros"].to_numpy()[row])
    basis = (value * np.exp(rng.normal(-0.3, 0.25, len(row)))).astype(np.int64)
    unknown = rng.random(len(row)) < 0.05
    age = np.where(
        rng.random(len(row)) < 0.03,
        rng.integers(1, 30, len(row)),
        rng.integers(31, 2_200, len(row)),
    )
    day = pa.array(((made_up.session - _EPOCH).days - age).astype(np.int32)).cast(pa.date32())
    # Numbered so that no other chunk has them: an account has fewer lots than this.
    number = chunk.first_account * 1_000 + np.arange(len(row))
    return pa.table(
        {
            "client_id": held["client_id"].take(pa.array(row)),
            "account_id": held["account_id"].take(pa.array(row)),
            "symbol": held["symbol"].take(pa.array(row)),
            "lot_id": mixed_ids(number, _LOT),
            "quantity_micros": quantity,
            "basis_cents": pa.array(basis, mask=unknown),
            "acquired_date": day,
            "held_since_date": day,
            "is_replacement": np.zeros(len(row), dtype=np.bool_),
        }
    )


def _transactions(made_up: MadeUp, chunk: Chunk) -> pa.Table:
    """Return deposits of the day before, in a few accounts."""
    rng = chunk.generator(4)
    account = np.flatnonzero(rng.random(len(chunk.goal_of_account)) < 0.03)
    nothing = np.zeros(len(account), dtype=np.int64)
    recorded = dt.datetime.combine(made_up.session, dt.time(12), dt.UTC)
    return pa.table(
        {
            "client_id": _client_ids(chunk, chunk.client_of_account[account]),
            "account_id": _account_ids(chunk).take(pa.array(account)),
            "transaction_id": mixed_ids(account + chunk.first_account, _TRANSACTION),
            "kind": pa.array(["deposit"] * len(account), pa.string()),
            "trade_id": pa.nulls(len(account), pa.string()),
            "symbol": pa.array([CASH] * len(account), pa.string()),
            "quantity_micros": nothing,
            "cash_cents": rng.integers(1_000, 500_000, len(account)),
            "trade_date": pa.array([made_up.session] * len(account), pa.date32()),
            "recorded_at": pa.array([recorded] * len(account), pa.timestamp("us", "UTC")),
            "reversed_at": pa.nulls(len(account), pa.timestamp("us", "UTC")),
        }
    )


def _loss_sales(made_up: MadeUp, chunk: Chunk) -> pa.Table:
    """Return losses of the last weeks, in a few accounts."""
    rng = chunk.generator(5)
    account = np.flatnonzero(rng.random(len(chunk.goal_of_account)) < 0.005)
    symbol = rng.integers(0, len(made_up.market.symbols), len(account))
    return pa.table(
        {
            "client_id": _client_ids(chunk, chunk.client_of_account[account]),
            "account_id": _account_ids(chunk).take(pa.array(account)),
            "symbol": pa.array(made_up.market.symbols).take(pa.array(symbol)),
            "unmatched_micros": rng.integers(1, 20, len(account)) * MICROS,
            "loss_cents": rng.integers(100, 100_000, len(account)),
        }
    )


def _words(vocabulary: type[StrEnum], number: Integers) -> pa.StringArray:
    return pa.array([word.value for word in vocabulary]).take(pa.array(number))


def _lists(wanted: Mask, names: tuple[str, ...]) -> pa.ListArray:
    ends = np.cumsum(wanted.sum(axis=1))
    offsets = np.append(0, ends).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(names).take(pa.array(np.nonzero(wanted)[1])))
