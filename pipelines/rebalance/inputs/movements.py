"""What moved in the accounts of a shard: new external cash, and when advice was traded."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.worth import MOST_CENTS
from pipelines.sessions import FIRST_DATE, LAST_DATE, sessions_between

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NEVER_TRADED = 1_000_000
"""Sessions since the last trade of an account that never traded on advice."""

_QUERY = f"""
    SELECT
        account_id,
        greatest(-{MOST_CENTS}, least({MOST_CENTS},
            coalesce(sum(cash_cents) FILTER (
                is_external AND recorded_at >= $cash_since AND reversed_at IS NULL
            ), 0) - coalesce(sum(cash_cents) FILTER (
                is_external AND recorded_at < $cash_since AND reversed_at >= $cash_since
            ), 0)
        ))::BIGINT AS new_cash_cents,
        max(trade_date) FILTER (trade_id IS NOT NULL AND reversed_at IS NULL) AS last_fill_date
    FROM (
        SELECT
            *,
            kind IN ('deposit', 'withdrawal', 'transfer_in', 'transfer_out') AS is_external
        FROM account_transaction
        WHERE {{clients}}
    )
    GROUP BY account_id
"""
_NO_DAY = -(1 << 40)


@dataclass(frozen=True)
class Movements:
    """What moved in the accounts of a shard, (accounts,).

    Attributes
    ----------
    new_cash_cents : external cash recorded since the run that wrote the targets in force, less
        what of older cash was taken back since; 0 where there is no such run.
    sessions_since_trade : sessions since the last fill of an advised trade; ``NEVER_TRADED`` where
        there is none.
    """

    new_cash_cents: Integers
    sessions_since_trade: Integers


def read_movements(
    warehouse: "DuckDBPyConnection",
    plan: ShardPlan,
    runs: EarlierRuns,
    account_ids: pa.StringArray,
) -> Movements:
    """Read the mart ``account_transaction``.

    A trade counts from its fill, not from its proposal: what nobody executed is no reason to wait.
    """
    new_cash = np.zeros(len(account_ids), dtype=np.int64)
    since_trade = np.full(len(account_ids), NEVER_TRADED, dtype=np.int64)
    rows = rows_of_clients(warehouse, plan, _QUERY, cash_since=runs.cash_since)
    place = positions(rows["account_id"], account_ids)
    known = place >= 0
    new_cash[place[known]] = integers(rows["new_cash_cents"])[known]
    filled_day = integers(rows["last_fill_date"], missing=_NO_DAY)
    traded = known & (filled_day != _NO_DAY)
    since_trade[place[traded]] = _sessions_until(runs.session, filled_day[traded])
    return Movements(new_cash_cents=new_cash, sessions_since_trade=since_trade)


def _sessions_until(session: dt.date, day: Integers) -> Integers:
    """Return how many sessions come after each day, up to the given one."""
    days = _session_days()
    last = int(np.searchsorted(days, _day(session), side="right"))
    return np.maximum(last - np.searchsorted(days, day, side="right"), 0)


@cache
def _session_days() -> Integers:
    return np.array([_day(date) for date in sessions_between(FIRST_DATE, LAST_DATE)])


def _day(date: dt.date) -> int:
    return (date - dt.date(1970, 1, 1)).days
