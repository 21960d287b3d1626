"""Rows of ``target_allocation`` and ``counterfactual_target``: new targets only."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.store_advice import TARGET_ALLOCATION
from models.store_explanations import COUNTERFACTUAL_TARGET
from models.vocabulary import CASH, AllocationView, Constraint, NoTrade
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.output.binding import NO_CONSTRAINT, binding_constraints, on_bounds
from pipelines.rebalance.output.columns import floats, of_goal, same, table_of, words
from pipelines.rebalance.output.outcomes import has_new_target
from pipelines.rebalance.solver.problems import Risk
from pipelines.rebalance.trades.arithmetic import NANOS

_NOT_TOLD = -1


def allocations(run_id: str, market: Market, risk: Risk, advice: ShardAdvice) -> pa.Table:
    """Return a row for cash and for each symbol of each account whose target is new.

    A bound is the account's part of its goal's: what the account may hold at most (at least) when
    the goal's other accounts hold nothing (nothing but it).
    """
    accounts = np.nonzero(has_new_target(advice))[0]
    symbols = len(market.symbols)
    lower, upper = _account_bounds(advice, accounts)
    goal = advice.shard.accounts.goal[accounts]
    binding = of_goal(binding_constraints(risk, advice), goal, NO_CONSTRAINT)
    no_trade = np.column_stack([advice.sized.no_trade[accounts], np.full(len(accounts), _NOT_TOLD)])
    order = _cash_first(symbols)
    rows = len(accounts) * (symbols + 1)
    return table_of(
        TARGET_ALLOCATION,
        {
            "run_id": same(run_id, rows),
            "account_id": _repeated(advice.shard.accounts.account_id, accounts, symbols + 1),
            "symbol": _symbols(market, len(accounts)),
            "weight": floats(_flat(advice.targets.account_nanos[accounts] / NANOS, order)),
            "current_weight": floats(_flat(_current_weights(advice, accounts), order)),
            "lower_bound": floats(_flat(lower, order)),
            "upper_bound": floats(_flat(upper, order)),
            "bound_binds": pa.array(_flat(of_goal(on_bounds(advice), goal, False), order)),
            "binding_constraint": words(_flat(binding, order), Constraint),
            "no_trade": words(_flat(no_trade, order), NoTrade),
            "goal_upper_bound": floats(_flat(_goal_upper(advice)[goal], order)),
        },
    )


def counterfactuals(run_id: str, market: Market, advice: ShardAdvice) -> pa.Table:
    """Return the targets that each view would give each account with a new target."""
    accounts = np.nonzero(has_new_target(advice))[0]
    views = len(AllocationView)
    order = _cash_first(len(market.symbols))
    # (accounts, views, symbols + 1), as the key has them.
    nanos = np.moveaxis(advice.views.account_nanos[:, accounts], 0, 1)[:, :, order]
    nanos = np.ascontiguousarray(nanos).reshape(len(accounts) * views, len(order))
    rows = np.flatnonzero((nanos > 0).any(axis=1))  # no view: nothing was solved
    return table_of(
        COUNTERFACTUAL_TARGET,
        {
            "run_id": same(run_id, len(rows)),
            "account_id": advice.shard.accounts.account_id.take(pa.array(accounts[rows // views])),
            "view": words(rows % views, AllocationView),
            "weights": _as_json((CASH, *market.symbols), nanos[rows]),
        },
    )


def _as_json(names: tuple[str, ...], nanos: Integers) -> pa.Array:
    """Return each row's billionths by name, those above 0."""
    row, place = np.nonzero(nanos > 0)
    keys = pa.array([f"{json.dumps(name)}:" for name in names], pa.string())
    numbers = pa.array(nanos[row, place]).cast(pa.string())
    entries = pc.binary_join_element_wise(keys.take(pa.array(place)), numbers, "")
    ends = np.searchsorted(row, np.arange(len(nanos) + 1)).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), entries), ",")
    return pc.binary_join_element_wise("{", joined, "}", "")


def _goal_upper(advice: ShardAdvice) -> Floats:
    """Return what each goal may hold at most, as weights of its worth, cash last."""
    return np.column_stack([advice.bounds.upper, 1 - advice.bounds.invested_lower])


def _account_bounds(advice: ShardAdvice, accounts: Integers) -> tuple[Floats, Floats]:
    """Return what each account may hold, as weights of its own worth, cash last."""
    bounds, goal = advice.bounds, advice.shard.accounts.goal[accounts]
    lower = np.column_stack([bounds.lower, 1 - bounds.invested_upper])[goal]
    upper = _goal_upper(advice)[goal]
    # One account: exactly its goal's bounds.
    times = bounds.wealth_cents[goal] / advice.shard.accounts.wealth_cents[accounts]
    scale = times[:, np.newaxis]
    alone = scale == 1
    return (
        np.where(alone, lower, np.clip(1 - (1 - lower) * scale, 0, 1)),
        np.where(alone, upper, np.clip(upper * scale, 0, 1)),
    )


def _current_weights(advice: ShardAdvice, accounts: Integers) -> Floats:
    """Return drifted weights, cash last; what is frozen counts as cash, as it does in targets."""
    values = advice.shard.accounts.value_cents[accounts]
    wealth = advice.shard.accounts.wealth_cents[accounts]
    cash = wealth - values.sum(axis=1)
    return np.column_stack([values, cash]) / wealth[:, np.newaxis]


def _cash_first(symbols: int) -> Integers:
    """Return the places of cash and of each symbol, in the order of their names."""
    return np.array([symbols, *range(symbols)])


def _flat(values: Floats | Integers | Mask, order: Integers) -> np.ndarray:
    return np.ascontiguousarray(values[:, order]).ravel()


def _repeated(texts: pa.StringArray, places: Integers, times: int) -> pa.Array:
    return texts.take(pa.array(np.repeat(places, times)))


def _symbols(market: Market, times: int) -> pa.Array:
    names = pa.array((CASH, *market.symbols))
    return names.take(pa.array(np.tile(np.arange(len(names)), times)))
