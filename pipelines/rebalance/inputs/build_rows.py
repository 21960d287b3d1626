"""Rows of a build's marts for the clients of a shard, as Arrow."""

from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.rebalance.inputs.shard_plan import ShardPlan

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def rows_of_clients(
    warehouse: "DuckDBPyConnection", plan: ShardPlan, query: str, **values: object
) -> pa.Table:
    """Return the rows of a query in which ``{clients}`` stands for the shard's condition.

    Marts of accounts lie in the order of clients, so that DuckDB passes over the row groups of
    other shards unread.

    Parameters
    ----------
    values : of the query's other parameters, by name.
    """
    conditions = ["true"]
    if plan.first_client is not None:
        conditions.append("client_id >= $first_client")
        values["first_client"] = plan.first_client
    if plan.end_client is not None:
        conditions.append("client_id < $end_client")
        values["end_client"] = plan.end_client
    text = query.format(clients=f"({' AND '.join(conditions)})")
    return warehouse.sql(text, params=values or None).to_arrow_table()
