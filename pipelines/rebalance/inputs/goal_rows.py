"""The goals of a shard: what is wanted, how much risk may be taken, and the client's wishes."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import GoalKind
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import floats, integers, positions, text
from pipelines.rebalance.inputs.screening import GOAL_ISSUES, GoalIssue
from pipelines.rebalance.inputs.shard import Goals
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = """
    SELECT
        goal_id, client_id, goal_version, goal_kind, target_cents, target_date, horizon_days,
        risk_score, capacity_score, max_loss, max_risky_weight, min_cash_cents, excluded_symbols,
        excluded_classes, max_symbol_weight, issue
    FROM client_profile
    WHERE {clients}
    ORDER BY client_id, goal_id
"""


def read_goals(warehouse: "DuckDBPyConnection", plan: ShardPlan, market: Market) -> Goals:
    """Read the mart ``client_profile``."""
    rows = rows_of_clients(warehouse, plan, _QUERY)
    no_issue = pa.scalar(GoalIssue.NONE.value)
    return Goals(
        goal_id=text(rows["goal_id"]),
        client_id=text(rows["client_id"]),
        version=integers(rows["goal_version"]),
        kind=positions(rows["goal_kind"], tuple(GoalKind)).astype(np.int8),
        target_cents=integers(rows["target_cents"]),
        target_day=integers(rows["target_date"]),
        horizon_days=integers(rows["horizon_days"]),
        risk_score=integers(rows["risk_score"], missing=0),
        capacity_score=integers(rows["capacity_score"], missing=0),
        max_loss=floats(rows["max_loss"], missing=0.0),
        max_risky_weight=floats(rows["max_risky_weight"], missing=0.0),
        min_cash_cents=integers(rows["min_cash_cents"]),
        excluded=_excluded(rows, market),
        symbol_cap=floats(rows["max_symbol_weight"], missing=1.0),
        issue=positions(pc.fill_null(rows["issue"], no_issue), GOAL_ISSUES).astype(np.int8),
    )


def goal_of(rows: pa.Table, goals: Goals) -> Integers:
    """Return the goal that each row names, -1 for none; another client's goal is none of its."""
    goal = positions(rows["goal_id"], goals.goal_id)
    named = goals.client_id.take(pa.array(goal, mask=goal < 0))
    is_own = pc.fill_null(pc.equal(rows["client_id"].combine_chunks(), named), False)
    return np.where(is_own.to_numpy(zero_copy_only=False), goal, -1)


def _excluded(rows: pa.Table, market: Market) -> Mask:
    """Return (goals, symbols) what a client wants none of; words that mean nothing here are none.

    A wish about an instrument outside the market needs no place: it is never bought.
    """
    class_of = np.array(
        [market.classes.index(market.instruments[symbol].asset_class) for symbol in market.symbols],
        dtype=np.int64,
    )
    by_symbol = _named(rows["excluded_symbols"], market.symbols)
    by_class = _named(rows["excluded_classes"], market.classes)
    return np.ascontiguousarray(by_symbol | by_class[:, class_of])


def _named(lists: pa.ChunkedArray, names: tuple[str, ...]) -> Mask:
    whole = lists.combine_chunks()
    row = pc.list_parent_indices(whole).to_numpy().astype(np.int64)
    name = positions(pc.list_flatten(whole), names)
    found = np.zeros((len(whole), len(names)), dtype=np.bool_)
    found[row[name >= 0], name[name >= 0]] = True
    return found
