"""What is done with one shard, in whichever process: read, advise, make rows, write."""

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lineage import RunIdentity
from pipelines.rebalance.goals.projection import project
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.reading import read_shard
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.inputs.shard_plan import ShardPlan, first_clients
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.output.digests import inputs_digest, rows_digest
from pipelines.rebalance.output.failed_accounts import log_failed
from pipelines.rebalance.output.shards import ShardKey, ShardRows, is_written, write_shard
from pipelines.rebalance.output.tables import tables_of
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.shard_advice import advise
from pipelines.rebalance.spent import Spent
from pipelines.settings import Settings
from pipelines.store import connect, shared_transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TRIED_CLIENTS = 200


@dataclass(frozen=True)
class Work:
    """What all shards of a run share; it travels to every process once.

    Attributes
    ----------
    warehouse_path : the build that is read.
    runs : earlier runs that advice goes on from.
    valid_until : last session on which trades may be executed.
    """

    settings: Settings
    identity: RunIdentity
    warehouse_path: Path
    runs: EarlierRuns
    market: Market
    outlook: Outlook
    policy: Policy
    valid_until: dt.date

    def key(self, plan: ShardPlan) -> ShardKey:
        """Return the key of a shard in the store."""
        return ShardKey(self.identity.run_id, plan.number, self.settings.accounts_per_shard)


def advised_rows(work: Work, plan: ShardPlan, warehouse: "DuckDBPyConnection") -> ShardRows:
    """Read a shard and return its advice as rows; nothing is written."""
    with connect(work.settings) as store:
        shard = read_shard(warehouse, store, work.market, work.runs, plan)
    return _rows(work, plan, shard, inputs_digest(shard), Spent())


def missing_rows(
    work: Work, plan: ShardPlan, warehouse: "DuckDBPyConnection", spent: Spent
) -> ShardRows | None:
    """Return the same, or None where the rows are in the store that these inputs make."""
    with spent.on("read"), connect(work.settings) as store:
        shard = read_shard(warehouse, store, work.market, work.runs, plan)
        digest = inputs_digest(shard)
        if is_written(store, work.key(plan), digest):
            return None
    return _rows(work, plan, shard, digest, spent)


def write(work: Work, rows: ShardRows, spent: Spent) -> None:
    """Write a shard whole, unless another process did."""
    with spent.on("write"), shared_transaction(work.settings) as store:
        write_shard(store, work.identity, rows)
    log_failed(rows)


def try_out(work: Work, plan: ShardPlan, warehouse: "DuckDBPyConnection") -> float:
    """Advise a few of a shard's clients and keep nothing, so that compiled functions are cached.

    Returns
    -------
    Seconds of processor time: a minute where everything was compiled, one or two where it was
    loaded.
    """
    began = time.process_time()
    advised_rows(work, first_clients(warehouse, plan, _TRIED_CLIENTS), warehouse)
    return time.process_time() - began


def open_warehouse(work: Work) -> "DuckDBPyConnection":
    """Open the build that is read, with one thread: shards are what is done at once.

    DuckDB would keep all of the file that it read in memory; each shard reads another part of it.
    """
    from pipelines.warehouse import connect as connect_warehouse

    warehouse = connect_warehouse(work.warehouse_path)
    warehouse.execute("SET threads = 1")
    warehouse.execute("SET memory_limit = '256MB'")
    return warehouse


def _rows(work: Work, plan: ShardPlan, shard: Shard, digest: str, spent: Spent) -> ShardRows:
    with spent.on("advise"):
        advice = advise(shard, work.market, work.outlook, work.policy, work.identity.session_date)
        nanos = advice.targets.account_nanos
        prospects = project(shard, advice.bounds, nanos, work.market, work.outlook, work.policy)
    with spent.on("rows"):
        tables = tables_of(
            work.identity.run_id,
            work.market,
            work.outlook.today,
            advice,
            prospects,
            work.valid_until,
        )
        return ShardRows(
            key=work.key(plan),
            inputs_digest=digest,
            digest=rows_digest(tables),
            goal_ids=shard.goals.goal_id,
            tables=tables,
        )
