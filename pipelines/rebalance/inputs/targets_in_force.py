"""The targets that earlier runs left for the accounts of a shard."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.vocabulary import CASH
from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.inputs.columns import integers, positions
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.store_rows import fetch, found, wanted_accounts
from pipelines.store import tables

NANOS = 1_000_000_000

_OUTCOMES = pa.schema([("place", pa.int64()), ("run_id", pa.string()), ("risk_score", pa.int64())])
_ALLOCATIONS = pa.schema(
    [
        ("place", pa.int64()),
        ("symbol", pa.dictionary(pa.int32(), pa.string())),
        ("weight", pa.float64()),
        ("goal_upper_bound", pa.float64()),
    ]
)


@dataclass(frozen=True)
class TargetsInForce:
    """The targets that hold before a run.

    Attributes
    ----------
    run_id : (accounts,) text: the run that wrote the target; null where there is none.
    risk_score : (accounts,) that it was made for; 0 where there is none.
    nanos : (accounts, symbols + 1) in billionths, cash last; -1 where there is none. What it had
        of symbols that are no longer in the market counts as cash.
    upper : (accounts, symbols) largest weights of the goal that it was made under; 0 for symbols
        it had no row of, NaN where a former release did not keep them.
    """

    run_id: pa.StringArray
    risk_score: Integers
    nanos: Integers
    upper: Floats


def targets_in_force(
    store: sa.Connection,
    runs: EarlierRuns,
    account_ids: pa.StringArray,
    symbols: tuple[str, ...],
) -> TargetsInForce:
    """Read the targets of the given accounts from the runs that last wrote them."""
    count = len(account_ids)
    nanos = np.full((count, len(symbols) + 1), -1, dtype=np.int64)
    upper = np.zeros((count, len(symbols)))
    risk_score = np.zeros(count, dtype=np.int64)
    if runs.target_run_id is None or not count:
        return TargetsInForce(pa.nulls(count, pa.string()), risk_score, nanos, upper)
    wanted = wanted_accounts(store, account_ids)
    outcomes = found(fetch(store, _outcomes(wanted, runs.target_run_id), _OUTCOMES), "run_id")
    places = integers(outcomes["place"])
    risk_score[places] = integers(outcomes["risk_score"], missing=0)
    rows = fetch(store, _allocations(wanted, runs.target_run_id), _ALLOCATIONS)
    rows = found(rows, "symbol")
    _scatter(rows, symbols, nanos, upper)
    run_id = outcomes["run_id"].take(
        pc.index_in(pa.array(np.arange(count)), value_set=outcomes["place"].combine_chunks())
    )
    return TargetsInForce(run_id.combine_chunks(), risk_score, nanos, upper)


def _scatter(rows: pa.Table, symbols: tuple[str, ...], nanos: Integers, upper: Floats) -> None:
    place, symbol = integers(rows["place"]), positions(rows["symbol"], (*symbols, CASH))
    weight = np.rint(rows["weight"].to_numpy() * NANOS).astype(np.int64)
    nanos[place] = 0
    known = symbol >= 0
    nanos[place[known], symbol[known]] = weight[known]
    np.add.at(nanos[:, -1], place[~known], weight[~known])
    instrument = known & (symbol < len(symbols))
    upper_bound = rows["goal_upper_bound"].to_numpy()
    upper[place[instrument], symbol[instrument]] = upper_bound[instrument]


def _outcomes(wanted: sa.FromClause, run_id: str) -> sa.Select[tuple[int, str, int]]:
    outcome = tables["client_outcome"]
    return (
        sa.select(wanted.c.place, outcome.c.allocation_run_id, outcome.c.risk_score)
        .select_from(wanted)
        .outerjoin(outcome, _is_of(run_id, outcome, wanted))
    )


def _allocations(wanted: sa.FromClause, run_id: str) -> sa.Select[tuple[int, str, float, float]]:
    outcome, allocation = tables["client_outcome"], tables["target_allocation"]
    return (
        sa.select(
            wanted.c.place, allocation.c.symbol, allocation.c.weight, allocation.c.goal_upper_bound
        )
        .select_from(wanted)
        .outerjoin(outcome, _is_of(run_id, outcome, wanted))
        .outerjoin(
            allocation,
            sa.and_(
                allocation.c.run_id == outcome.c.allocation_run_id,
                allocation.c.account_id == outcome.c.account_id,
            ),
        )
    )


def _is_of(run_id: str, table: sa.Table, wanted: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.run_id == run_id, table.c.account_id == wanted.c.account_id)
