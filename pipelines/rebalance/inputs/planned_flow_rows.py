"""The cash that clients of a shard plan to pay in or take out."""

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions
from pipelines.rebalance.inputs.shard import Goals, PlannedFlows
from pipelines.rebalance.inputs.shard_plan import ShardPlan

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = """
    SELECT goal_id, signed_cents, step_months, next_date, last_date
    FROM planned_cash_flow
    WHERE {clients}
    ORDER BY client_id, goal_id, cash_flow_id
"""


def read_planned_flows(
    warehouse: "DuckDBPyConnection", plan: ShardPlan, goals: Goals
) -> PlannedFlows:
    """Read the mart ``planned_cash_flow``; flows of accounts without a goal are left out."""
    rows = rows_of_clients(warehouse, plan, _QUERY)
    goal = positions(rows["goal_id"], goals.goal_id)
    known = np.flatnonzero(goal >= 0)
    known = known[np.argsort(goal[known], kind="stable")]
    session_day = (goals.target_day - goals.horizon_days)[goal[known]]
    never = pa.scalar(dt.date(9999, 12, 31), pa.date32())
    last_day = integers(pc.fill_null(rows["last_date"], never))[known] - session_day
    return PlannedFlows(
        goal=goal[known],
        signed_cents=integers(rows["signed_cents"])[known],
        first_day=integers(rows["next_date"])[known] - session_day,
        last_day=last_day,
        step_months=integers(rows["step_months"])[known],
    )
