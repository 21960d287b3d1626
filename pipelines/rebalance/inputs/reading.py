"""Read a build and the store into shards: the one door through which accounts come in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.rebalance.inputs.account_rows import read_accounts
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.goal_rows import read_goals
from pipelines.rebalance.inputs.loss_sale_rows import read_loss_sales
from pipelines.rebalance.inputs.lot_rows import read_lots
from pipelines.rebalance.inputs.planned_flow_rows import read_planned_flows
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.inputs.shard_plan import ACCOUNTS_PER_SHARD, ShardPlan, plan_shards
from pipelines.rebalance.market.market import Market

if TYPE_CHECKING:
    import sqlalchemy as sa
    from duckdb import DuckDBPyConnection


def read_shard(
    warehouse: "DuckDBPyConnection",
    store: "sa.Connection",
    market: Market,
    runs: EarlierRuns,
    plan: ShardPlan,
) -> Shard:
    """Read everything that is known of the clients of one shard.

    Any process may read any shard: two that read the same one get the same bytes.

    Parameters
    ----------
    runs : of :func:`read_earlier_runs`, read once for a run.
    plan : one of :func:`plan_shards`.
    """
    goals = read_goals(warehouse, plan, market)
    accounts, orders = read_accounts(warehouse, store, market, runs, plan, goals)
    lots = read_lots(warehouse, plan, market, accounts.account_id)
    return Shard(
        number=plan.number,
        goals=goals,
        accounts=accounts,
        lots=lots,
        loss_sales=read_loss_sales(warehouse, plan, market),
        planned_flows=read_planned_flows(warehouse, plan, goals),
        orders=orders,
    )


def read_shards(
    warehouse: "DuckDBPyConnection",
    store: "sa.Connection",
    market: Market,
    runs: EarlierRuns,
    accounts_per_shard: int = ACCOUNTS_PER_SHARD,
) -> Iterator[Shard]:
    """Yield all shards of a build in the order of clients; one is held at a time."""
    for plan in plan_shards(warehouse, accounts_per_shard):
        yield read_shard(warehouse, store, market, runs, plan)
