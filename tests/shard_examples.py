"""Made-up shards on the small market: clients with goals, accounts, lots and last targets."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.vocabulary import GoalKind, TaxKind
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.inputs.shard import Accounts, Goals, LossSales, Lots, Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.trades.orders import notional_cents

T = TypeVar("T")
SESSION_DAY = 19_354
"""2022-12-28, the session of the small market, in days since 1970-01-01."""
NEVER = 1_000_000


def made_shard(market: Market, clients: int, seed: int = 7, first_client: int = 0) -> Shard:
    """Clients of one to three goals with one to three accounts each.

    A client's rows depend on the seed and on the client's own number alone, so that any two shards
    with the same client hold the same rows of it.
    """
    parts = [
        _client(market, number, seed) for number in range(first_client, first_client + clients)
    ]
    return _joined(parts, len(market.symbols), len(market.classes))


def of_clients(shard: Shard, chosen: Sequence[int]) -> Shard:
    """Return the shard as it were with some of its clients only."""
    names = sorted(set(shard.accounts.client_id.to_pylist()))
    keep = {names[number] for number in chosen}
    goals = _where(shard.goals.client_id, keep)
    accounts = _where(shard.accounts.client_id, keep)
    goal_row = np.full(len(shard.goals.goal_id) + 1, -1)
    goal_row[goals] = np.arange(len(goals))
    kept = _rows(shard.accounts, accounts)
    _, client = np.unique(kept.client_id.to_pylist(), return_inverse=True)
    first = shard.lots.first
    spans = [np.arange(first[row], first[row + 1]) for row in accounts]
    lots = np.concatenate(spans) if spans else np.zeros(0, np.int64)
    return Shard(
        number=shard.number,
        goals=_rows(shard.goals, goals),
        accounts=dataclasses.replace(
            kept, goal=goal_row[kept.goal], client=client.astype(np.int64)
        ),
        lots=dataclasses.replace(
            _rows(dataclasses.replace(shard.lots, first=np.zeros(len(shard.lots.symbol))), lots),
            first=np.concatenate([[0], np.cumsum([len(span) for span in spans])]).astype(np.int64),
        ),
        loss_sales=no_loss_sales(),
    )


def changed_accounts(shard: Shard, **columns: object) -> Shard:
    """Return the shard with other columns of its accounts; their worth follows what they hold."""
    accounts = dataclasses.replace(shard.accounts, **columns)
    cash = accounts.cash_micros // 10_000
    wealth = cash + accounts.value_cents.sum(axis=1) + accounts.frozen_cents
    return dataclasses.replace(shard, accounts=dataclasses.replace(accounts, wealth_cents=wealth))


def no_loss_sales() -> LossSales:
    nothing = np.zeros(0, np.int64)
    return LossSales(nothing, nothing, nothing, nothing)


def _client(market: Market, number: int, seed: int) -> list[dict[str, object]]:
    """One dictionary per account; what its goal says is repeated in each."""
    rng = np.random.default_rng([seed, number])
    prices = np.array(market.price_micros, dtype=np.int64)
    width = len(prices)
    rows: list[dict[str, object]] = []
    for goal in range(rng.integers(1, 3)):
        excluded = rng.random(width) < 0.1
        wants = {
            "goal_id": f"goal-{number:06d}-{goal}",
            "kind": int(rng.integers(len(GoalKind))),
            "target_cents": int(rng.integers(1e6, 1e8)),
            "horizon_days": int(rng.integers(200, 12_000)),
            "risk_score": int(rng.integers(5, 100)),
            "max_loss": float(rng.uniform(0.2, 0.6)),
            "max_risky_weight": float(rng.uniform(0.6, 1.0)),
            "excluded": excluded,
            "symbol_cap": float(rng.choice([1.0, 0.2, 0.3])),
        }
        has_last = rng.random() < 0.6
        last = rng.dirichlet(np.ones(width + 1))
        for account in range(rng.choice([1, 1, 1, 2, 3])):
            wealth = float(np.exp(rng.uniform(np.log(2_000), np.log(500_000))))
            weights = last if has_last else rng.dirichlet(np.ones(width + 1))
            drifted = weights * np.exp(rng.normal(0, 0.2, width + 1))
            shares = wealth * drifted[:-1] / drifted.sum() * 1e12 / prices
            is_whole = bool(rng.random() < 0.4)
            lot = 1_000_000 if is_whole else 1_000
            held = (shares // lot * lot).astype(np.int64) * (rng.random(width) < 0.8)
            nanos = np.floor(last * 1e9).astype(np.int64)
            nanos[-1] = 1_000_000_000 - nanos[:-1].sum()
            rows.append(
                wants
                | {
                    "account_id": f"account-{number:06d}-{goal}-{account}",
                    "client_id": f"client-{number:06d}",
                    "tax_kind": int(rng.integers(len(TaxKind))),
                    "is_whole": is_whole,
                    "cash_micros": int(rng.integers(0, int(wealth * 30))) * 10_000,
                    "buffer": int(rng.choice([0, 0, int(wealth)])),
                    "new_cash": int(rng.choice([0, 0, int(wealth * 5)])) if has_last else 0,
                    "held": held,
                    "last": nanos if has_last else np.full(width + 1, -1),
                    "last_score": wants["risk_score"] if has_last else 0,
                    "since": int(rng.integers(0, 60)) if has_last else NEVER,
                    "lots": _lots(rng, held, prices),
                }
            )
    return rows


def _lots(
    rng: np.random.Generator, held: npt.NDArray[np.int64], prices: npt.NDArray[np.int64]
) -> list[tuple[int, int, int, int]]:
    """One or two lots of each holding: symbol, quantity, basis (-1: unknown) and day."""
    lots = []
    for symbol in np.flatnonzero(held):
        first = int(held[symbol]) * int(rng.integers(1, 3)) // 2
        for quantity in (first, int(held[symbol]) - first):
            if quantity:
                cost = quantity * int(prices[symbol]) / 1e10 * rng.uniform(0.6, 1.3)
                basis = -1 if rng.random() < 0.1 else int(cost)
                lots.append((int(symbol), quantity, basis, SESSION_DAY - int(rng.integers(5, 900))))
    return lots


def _joined(parts: list[list[dict[str, object]]], width: int, classes: int) -> Shard:
    rows = sorted((row for part in parts for row in part), key=lambda row: str(row["account_id"]))
    by_goal = {str(row["goal_id"]): row for row in rows}
    names = sorted(by_goal)
    clients = sorted({str(row["client_id"]) for row in rows})
    lots = [(place, *lot) for place, row in enumerate(rows) for lot in row["lots"]]  # type: ignore[union-attr, misc]
    return Shard(
        number=0,
        goals=_goals([by_goal[name] for name in names], width),
        accounts=_accounts(rows, names, clients, width, classes),
        lots=Lots(
            first=np.searchsorted([lot[0] for lot in lots], np.arange(len(rows) + 1)),
            lot_id=pa.array([f"lot-{number}" for number in range(len(lots))], pa.string()),
            symbol=_column(lots, 1),
            quantity_micros=_column(lots, 2),
            basis_cents=_column(lots, 3),
            held_since_day=_column(lots, 4),
            acquired_day=_column(lots, 4),
            is_replacement=np.zeros(len(lots), np.bool_),
        ),
        loss_sales=no_loss_sales(),
    )


def _goals(rows: list[dict[str, object]], width: int) -> Goals:
    horizon = _integers(rows, "horizon_days")
    return Goals(
        goal_id=pa.array([row["goal_id"] for row in rows], pa.string()),
        client_id=pa.array([row["client_id"] for row in rows], pa.string()),
        version=np.ones(len(rows), np.int64),
        kind=_integers(rows, "kind").astype(np.int8),
        target_cents=_integers(rows, "target_cents"),
        target_day=SESSION_DAY + horizon,
        horizon_days=horizon,
        risk_score=_integers(rows, "risk_score"),
        capacity_score=_integers(rows, "risk_score"),
        max_loss=np.array([row["max_loss"] for row in rows], dtype=np.float64),
        max_risky_weight=np.array([row["max_risky_weight"] for row in rows], dtype=np.float64),
        min_cash_cents=np.zeros(len(rows), np.int64),
        excluded=np.array([row["excluded"] for row in rows], np.bool_).reshape(-1, width),
        symbol_cap=np.array([row["symbol_cap"] for row in rows], dtype=np.float64),
        issue=np.zeros(len(rows), np.int8),
    )


def _accounts(
    rows: list[dict[str, object]], goals: list[str], clients: list[str], width: int, classes: int
) -> Accounts:
    held = np.array([row["held"] for row in rows], np.int64).reshape(-1, width)
    cash = _integers(rows, "cash_micros")
    value = np.zeros_like(held)
    last = np.array([row["last"] for row in rows], np.int64).reshape(-1, width + 1)
    nobody = np.zeros(len(rows), np.int64)
    accounts = Accounts(
        account_id=pa.array([row["account_id"] for row in rows], pa.string()),
        client_id=pa.array([row["client_id"] for row in rows], pa.string()),
        client=np.array([clients.index(str(row["client_id"])) for row in rows], np.int64),
        goal=np.array([goals.index(str(row["goal_id"])) for row in rows], np.int64),
        tax_kind=_integers(rows, "tax_kind").astype(np.int8),
        is_whole=np.array([row["is_whole"] for row in rows], np.bool_),
        cash_micros=cash,
        cash_buffer_cents=_integers(rows, "buffer"),
        new_cash_cents=_integers(rows, "new_cash"),
        held_micros=held,
        value_cents=value,
        frozen_cents=nobody,
        frozen_class_cents=np.zeros((len(rows), classes), np.int64),
        wealth_cents=nobody,
        last_nanos=last,
        last_run_id=pa.array(
            [None if row["last_score"] == 0 else "before" for row in rows], pa.string()
        ),
        last_risk_score=_integers(rows, "last_score"),
        last_upper=np.ones((len(rows), width)),
        sessions_since_trade=_integers(rows, "since"),
        issue=nobody.astype(np.int8),
        issue_detail=pa.array([""] * len(rows), pa.string()),
    )
    return accounts


def valued(shard: Shard, market: Market) -> Shard:
    """Return the shard with its holdings at the market's prices."""
    prices = np.array(market.price_micros, dtype=np.int64)
    value = notional_cents(shard.accounts.held_micros, prices[None, :])
    shard = changed_accounts(shard, value_cents=value)
    empty = ACCOUNT_ISSUES.index(AccountIssue.EMPTY)
    issue = np.where(shard.accounts.wealth_cents <= 0, empty, shard.accounts.issue)
    return changed_accounts(shard, issue=issue.astype(np.int8))


def _integers(rows: list[dict[str, object]], name: str) -> npt.NDArray[np.int64]:
    return np.array([row[name] for row in rows], dtype=np.int64)


def _column(rows: list[tuple[int, ...]], number: int) -> npt.NDArray[np.int64]:
    return np.array([row[number] for row in rows], dtype=np.int64)


def _where(names: pa.StringArray, keep: set[str]) -> npt.NDArray[np.int64]:
    return np.array([row for row, name in enumerate(names.to_pylist()) if name in keep], np.int64)


def _rows(table: T, rows: npt.NDArray[np.int64]) -> T:
    fields = dataclasses.fields(table)  # type: ignore[arg-type]
    values = {field.name: getattr(table, field.name) for field in fields}
    taken = {
        name: value.take(pa.array(rows)) if isinstance(value, pa.Array) else value[rows]
        for name, value in values.items()
    }
    return dataclasses.replace(table, **taken)  # type: ignore[type-var]
