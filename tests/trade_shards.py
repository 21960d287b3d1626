"""Markets, accounts and targets of any kind, for what must hold whatever they are."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.vocabulary import AssetClass, TaxKind
from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.shard import Accounts, Goals, LossSales, Lots, Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.market.market import Instrument, Market
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.orders import notional_cents
from pipelines.rebalance.trades.weights import NANOS

CLASSES = ("technology", "energy", "bond", "real_estate", "international_equity")


def market_of(price_micros: Any, classes: Any = None, is_member: Any = None) -> Market:
    """Symbols S00, S01, ... of the given prices and classes (technology by default)."""
    count = len(price_micros)
    classes = ["technology"] * count if classes is None else list(classes)
    is_member = [True] * count if is_member is None else list(is_member)
    symbols = tuple(f"S{number:02}" for number in range(count))
    instruments = {
        symbol: Instrument(
            symbol=symbol,
            source="sample",
            name=symbol,
            asset_class=AssetClass(classes[at]),
            currency="USD",
            expense_ratio_bps=0,
            substitute_group=symbol,
            reference_weight=1.0,
            tradable=True,
            is_member=bool(is_member[at]),
            price_micros=int(price_micros[at]),
            price_session_date=dt.date(2022, 12, 28),
            price_is_fresh=True,
        )
        for at, symbol in enumerate(symbols)
    }
    names = tuple(sorted(set(classes)))
    return Market(
        instruments=instruments,
        symbols=symbols,
        classes=names,
        membership=np.array([[float(of == name) for of in classes] for name in names]),
        reference_weights=np.full(count, 1 / count),
        daily_returns=np.zeros((1, count)),
    )


def prices_of(market: Market) -> Integers:
    return np.array(market.price_micros, dtype=np.int64)


def shard_of(
    market: Market,
    held_micros: Any,
    cash_cents: Any,
    goal: Any = None,
    tax_kind: Any = None,
    is_whole: Any = False,
    buffer_cents: Any = 0,
    frozen_cents: Any = 0,
    issue: Any = 0,
) -> Shard:
    """Accounts with holdings and cash, each a goal of its own unless said otherwise."""
    held = np.ascontiguousarray(held_micros, dtype=np.int64).reshape(-1, len(market.symbols))
    count = len(held)

    def column(values: Any, dtype: Any = np.int64) -> Any:
        return np.ascontiguousarray(np.broadcast_to(values, count).astype(dtype))

    goals = column(np.arange(count) if goal is None else goal)
    value = notional_cents(held, prices_of(market)[None, :])
    cash, frozen = column(cash_cents), column(frozen_cents)
    kinds = column(0 if tax_kind is None else tax_kind, np.int8)
    none = np.full(count, -1)
    return Shard(
        number=0,
        goals=goals_of(int(goals.max()) + 1),
        accounts=Accounts(
            account_id=pa.array([f"a{number:06}" for number in range(count)]),
            client_id=pa.array([f"c{number:06}" for number in goals]),
            client=goals,
            goal=goals,
            tax_kind=kinds,
            is_whole=column(is_whole, np.bool_),
            cash_micros=cash * 10_000,
            cash_buffer_cents=column(buffer_cents),
            new_cash_cents=np.zeros(count, np.int64),
            held_micros=held,
            value_cents=value,
            frozen_cents=frozen,
            frozen_class_cents=np.zeros((count, len(market.classes)), np.int64),
            wealth_cents=cash + frozen + value.sum(axis=1),
            last_nanos=np.full((count, len(market.symbols) + 1), -1),
            last_run_id=pa.nulls(count, pa.string()),
            last_risk_score=np.zeros(count, np.int64),
            last_upper=np.zeros(held.shape),
            sessions_since_trade=none + 1_000,
            issue=column(issue, np.int8),
            issue_detail=pa.array([""] * count),
        ),
        lots=Lots(
            np.zeros(count + 1, np.int64), pa.array([], pa.string()),
            *(np.zeros(0, np.int64) for _ in range(5)), np.zeros(0, np.bool_),
        ),
        loss_sales=LossSales(*(np.zeros(0, np.int64) for _ in range(4))),
    )  # fmt: skip


def goals_of(count: int) -> Goals:
    ids = pa.array([f"g{number:06}" for number in range(count)])
    whole, real = np.zeros(count, np.int64), np.ones(count)
    return Goals(
        goal_id=ids,
        client_id=ids,
        version=whole,
        kind=whole.astype(np.int8),
        target_cents=whole,
        target_day=whole,
        horizon_days=whole,
        risk_score=whole + 50,
        capacity_score=whole + 50,
        max_loss=real,
        max_risky_weight=real,
        min_cash_cents=whole,
        excluded=np.zeros((count, 1), np.bool_),
        symbol_cap=real,
        issue=whole.astype(np.int8),
    )


def bounds_of(market: Market, goals: int, **changes: Any) -> Bounds:
    """No limits but what is changed; scalars and rows stand for all goals."""
    shapes = {
        "lower": (goals, len(market.symbols)),
        "upper": (goals, len(market.symbols)),
        "reachable_upper": (goals, len(market.symbols)),
        "class_lower": (goals, len(market.classes)),
        "class_upper": (goals, len(market.classes)),
        "invested_lower": (goals,),
        "invested_upper": (goals,),
        "risky_upper": (goals,),
    }
    values = {
        name: np.array(np.broadcast_to(changes.get(name, float("upper" in name)), shape), float)
        for name, shape in shapes.items()
    }
    whole = np.zeros(goals, np.int64)
    return Bounds(
        wealth_cents=whole,
        tolerance=np.ones(goals),
        risk_score=whole,
        turnover=np.full(goals, np.inf),
        relaxed=whole,
        infeasible=whole,
        is_advised=np.ones(goals, np.bool_),
        **values,
    )


@dataclass(frozen=True)
class Case:
    """A shard with targets of its goals, and limits that these keep to."""

    market: Market
    shard: Shard
    goal_nanos: Integers
    bounds: Bounds


def any_case(seed: int, accounts: int = 30, accounts_of_a_goal: int = 1) -> Case:
    """Prices from a cent to thousands, dust, odd fractions, nothing at all, limits in reach."""
    rng = np.random.default_rng(seed)
    symbols = int(rng.integers(1, 9))
    market = market_of(
        np.exp(rng.uniform(np.log(10_000), np.log(5e9), symbols)).astype(np.int64),
        rng.choice(CLASSES, symbols),
        rng.random(symbols) < 0.9,
    )
    whole = rng.random(accounts) < 0.5
    lot = np.where(whole, 1_000_000, POLICY.fractional_lot_micros)[:, None]
    held = rng.integers(0, 500, (accounts, symbols)) * lot
    held[rng.random(held.shape) < 0.4] = 0
    odd = rng.random(held.shape) < 0.1
    held[odd] += rng.integers(0, 1_000_000, int(odd.sum()))
    cash = np.where(rng.random(accounts) < 0.2, 0, rng.integers(1, 5_000_000, accounts))
    cash[held.sum(axis=1) == 0] += 1
    goal = np.arange(accounts) // accounts_of_a_goal
    frozen = np.where(rng.random(accounts) < 0.1, rng.integers(1, 1_000_000, accounts), 0)
    shard = shard_of(
        market,
        held,
        cash,
        goal,
        rng.integers(0, len(TaxKind), accounts),
        whole,
        frozen_cents=frozen,
    )
    goals = int(goal.max()) + 1
    shares = rng.integers(0, 10, (goals, symbols + 1)) * (rng.random((goals, symbols + 1)) < 0.7)
    shares[:, -1] += shares.sum(axis=1) == 0
    nanos = shares[:, :-1] * NANOS // shares.sum(axis=1)[:, None]
    tight = rng.random((goals, 1)) < 0.5
    upper = np.where(tight, nanos, np.minimum(NANOS, 2 * nanos)) / NANOS
    in_class = nanos @ market.membership.T.astype(np.int64)
    is_risky = np.array([name not in POLICY.safe_classes for name in market.classes])
    bounds = bounds_of(
        market,
        goals,
        upper=upper,
        class_upper=np.where(tight, in_class, np.minimum(NANOS, 2 * in_class)) / NANOS,
        risky_upper=in_class[:, is_risky].sum(axis=1) * rng.choice([1, 1.5], goals) / NANOS,
    )
    goal_nanos = np.column_stack([nanos, NANOS - nanos.sum(axis=1)])
    most = goal_nanos[goal, -1] * shard.accounts.wealth_cents // NANOS
    shard.accounts.cash_buffer_cents[:] = np.minimum(rng.integers(0, 100_000, accounts), most)
    return Case(market, shard, goal_nanos, bounds)


def ordinary_case(seed: int, accounts: int = 12, accounts_of_a_goal: int = 1) -> Case:
    """Prices from 5 to 500 dollars, worth from 2,000 to a million, limits above the target."""
    rng = np.random.default_rng(seed)
    symbols = int(rng.integers(2, 13))
    prices = np.exp(rng.uniform(np.log(5e6), np.log(5e8), symbols)).astype(np.int64)
    market = market_of(prices, rng.choice(CLASSES, symbols))
    wealth = np.exp(rng.uniform(np.log(2e5), np.log(1e8), accounts))
    weights = rng.dirichlet(np.full(symbols + 1, 0.4), accounts)
    whole = rng.random(accounts) < 0.5
    lot = np.where(whole, 1_000_000, POLICY.fractional_lot_micros)[:, None]
    held = (weights[:, :-1] * wealth[:, None] * 1e10 / prices / lot).astype(np.int64) * lot
    goal = np.arange(accounts) // accounts_of_a_goal
    goals = int(goal.max()) + 1
    wanted = rng.dirichlet(np.full(symbols, 0.4), goals) * rng.uniform(0.1, 0.99, (goals, 1))
    nanos = (wanted * NANOS).astype(np.int64)
    shard = shard_of(
        market,
        held,
        (weights[:, -1] * wealth).astype(np.int64) + 1,
        goal,
        rng.integers(0, len(TaxKind), accounts),
        whole,
        np.where(rng.random(accounts) < 0.3, 0.01 * wealth, 0),
    )
    in_class = nanos @ market.membership.T / NANOS
    bounds = bounds_of(
        market,
        goals,
        upper=np.minimum(1, nanos / NANOS * rng.choice([1, 1.2, 2], (goals, 1))),
        class_upper=np.minimum(1, in_class * rng.choice([1, 1.2, 2], (goals, 1))),
    )
    goal_nanos = np.column_stack([nanos, NANOS - nanos.sum(axis=1)])
    return Case(market, shard, goal_nanos, bounds)
