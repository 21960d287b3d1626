"""Shards of a few accounts with tax lots, small enough to follow by hand."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models.vocabulary import TaxKind
from pipelines.rebalance.inputs.shard import Accounts, Goals, LossSales, Lots, Shard
from pipelines.rebalance.market.market import Instrument, Market
from pipelines.rebalance.trades.sized import Sized

SHARE = 1_000_000
CLASSES = {"AAA": "index", "BBB": "index", "CCC": "index", "DDD": "energy", "EEE": "energy"}
"""Symbols and their classes; every share costs 100 dollars, so that one per cent is a dollar."""
PRICE_MICROS = 100_000_000


def market_of(price_micros: int = PRICE_MICROS, **groups: str) -> Market:
    """The symbols' market; ``AAA="large"`` puts one into a substitute group."""
    instruments = {
        symbol: Instrument(
            symbol=symbol,
            source="sample",
            name=symbol,
            asset_class=name,
            currency="USD",
            expense_ratio_bps=0,
            substitute_group=groups.get(symbol, symbol),
            reference_weight=1.0,
            tradable=True,
            is_member=True,
            price_micros=price_micros,
            price_session_date=dt.date(2022, 12, 28),
            price_is_fresh=True,
        )
        for symbol, name in CLASSES.items()
    }
    classes = tuple(sorted(set(CLASSES.values())))
    return Market(
        instruments=instruments,
        symbols=tuple(CLASSES),
        classes=classes,
        membership=np.array([[float(of == name) for of in CLASSES.values()] for name in classes]),
        reference_weights=np.full(len(CLASSES), 1 / len(CLASSES)),
        daily_returns=np.zeros((1, len(CLASSES))),
    )


@dataclass(frozen=True)
class Lot:
    """``basis_cents`` and the dates are None where unknown; ``held_since`` follows ``bought``."""

    symbol: str
    quantity_micros: int
    basis_cents: int | None
    bought: dt.date | None
    held_since: dt.date | None = None
    is_replacement: bool = False


@dataclass(frozen=True)
class Holder:
    """An account; what it holds beyond its lots is in ``more``."""

    lots: Sequence[Lot] = ()
    tax_kind: TaxKind = TaxKind.TAXABLE
    client: int = 0
    more: Mapping[str, int] = field(default_factory=dict)


def day(date: dt.date | None) -> int:
    return -1 if date is None else (date - dt.date(1970, 1, 1)).days


def shard_of(
    market: Market, holders: Sequence[Holder], loss_sales: Sequence[tuple[int, str, int, int]] = ()
) -> Shard:
    """Each account serves its own goal; ``loss_sales`` are client, symbol, micros and cents."""
    place = {symbol: number for number, symbol in enumerate(market.symbols)}
    count, width = len(holders), len(place)
    held = np.zeros((count, width), np.int64)
    rows = []
    for account, holder in enumerate(holders):
        for symbol, quantity in holder.more.items():
            held[account, place[symbol]] += quantity
        for lot in sorted(holder.lots, key=lambda lot: place.get(lot.symbol, -1)):
            if lot.symbol in place:
                held[account, place[lot.symbol]] += lot.quantity_micros
            rows.append((account, place.get(lot.symbol, -1), lot))
    value = held * np.array(market.price_micros) // 10**10
    first = np.searchsorted([row[0] for row in rows], np.arange(count + 1)).astype(np.int64)
    return Shard(
        number=0,
        goals=_goals(count, width),
        accounts=_accounts(holders, held, value),
        lots=Lots(
            first=first,
            lot_id=pa.array([f"lot-{number}" for number in range(len(rows))], pa.string()),
            symbol=_integers(symbol for _, symbol, _ in rows),
            quantity_micros=_integers(lot.quantity_micros for *_, lot in rows),
            basis_cents=_integers(
                -1 if lot.basis_cents is None else lot.basis_cents for *_, lot in rows
            ),
            held_since_day=_integers(day(lot.held_since or lot.bought) for *_, lot in rows),
            acquired_day=_integers(day(lot.bought) for *_, lot in rows),
            is_replacement=np.array([lot.is_replacement for *_, lot in rows], dtype=np.bool_),
        ),
        loss_sales=LossSales(
            client=_integers(sale[0] for sale in loss_sales),
            symbol=_integers(place[sale[1]] for sale in loss_sales),
            quantity_micros=_integers(sale[2] for sale in loss_sales),
            loss_cents=_integers(sale[3] for sale in loss_sales),
        ),
    )


def sized_of(market: Market, trades: Sequence[Mapping[str, int]], fee_cents: int = 0) -> Sized:
    """Trades of each account by symbol, at the market's prices and with one fee for each."""
    traded = np.zeros((len(trades), len(market.symbols)), np.int64)
    for account, quantities in enumerate(trades):
        for symbol, quantity in quantities.items():
            traded[account, market.symbols.index(symbol)] = quantity
    cash = np.zeros(len(trades), np.int64)
    return Sized(
        traded_micros=traded,
        settled_micros=traded,
        notional_cents=np.abs(traded) * np.array(market.price_micros) // 10**10,
        fee_cents=np.where(traded != 0, fee_cents, 0),
        cash_before_cents=cash,
        cash_after_cents=cash,
        no_trade=np.full(traded.shape, -1),
    )


def _goals(count: int, width: int) -> Goals:
    names = pa.array([f"goal-{number}" for number in range(count)])
    zeros = np.zeros(count, np.int64)
    return Goals(
        goal_id=names,
        client_id=names,
        version=zeros,
        kind=zeros.astype(np.int8),
        target_cents=zeros,
        target_day=zeros,
        horizon_days=zeros,
        risk_score=zeros,
        capacity_score=zeros,
        max_loss=zeros.astype(float),
        max_risky_weight=zeros.astype(float),
        min_cash_cents=zeros,
        excluded=np.zeros((count, width), np.bool_),
        symbol_cap=np.ones(count),
        issue=zeros.astype(np.int8),
    )


def _accounts(holders: Sequence[Holder], held: np.ndarray, value: np.ndarray) -> Accounts:
    count, width = held.shape
    zeros = np.zeros(count, np.int64)
    names = pa.array([f"account-{number}" for number in range(count)])
    return Accounts(
        account_id=names,
        client_id=pa.array([f"client-{holder.client}" for holder in holders]),
        client=_integers(holder.client for holder in holders),
        goal=np.arange(count),
        tax_kind=np.array([tuple(TaxKind).index(h.tax_kind) for h in holders], np.int8),
        is_whole=np.zeros(count, np.bool_),
        cash_micros=zeros,
        cash_buffer_cents=zeros,
        new_cash_cents=zeros,
        held_micros=held,
        value_cents=value,
        frozen_cents=zeros,
        frozen_class_cents=np.zeros((count, len(set(CLASSES.values()))), np.int64),
        wealth_cents=value.sum(axis=1),
        last_nanos=np.full((count, width + 1), -1),
        last_run_id=pa.nulls(count, pa.string()),
        last_risk_score=zeros,
        last_upper=np.ones((count, width)),
        sessions_since_trade=zeros,
        issue=zeros.astype(np.int8),
        issue_detail=pa.array([""] * count),
    )


def _integers(values: object) -> np.ndarray:
    return np.fromiter(values, np.int64)  # type: ignore[call-overload]
