"""Take rows of unpublished runs out of the store again."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from models.store_explanations import FORECAST_ATTRIBUTION
from models.store_forecasts import FORECAST
from models.store_outputs import WRITTEN_BY_SHARDS
from models.store_runs import ADVICE_RUN, ADVICE_SHARD, RUN_OUTLOOK
from pipelines.store.schema import tables


def delete_runs(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Delete everything that was written of some runs, and the runs."""
    delete_advice(connection, run_ids)
    for declared in (FORECAST, FORECAST_ATTRIBUTION, RUN_OUTLOOK, ADVICE_RUN):
        table = tables[declared.name]
        connection.execute(sa.delete(table).where(table.c.run_id.in_(run_ids)))


def delete_advice(connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Delete what the shards of some runs wrote; the runs and their forecasts stay."""
    trade = tables["trade"]
    for table, condition in _advice(sa.select(trade.c.trade_id).where(trade.c.run_id.in_(run_ids))):
        of_runs = table.c.run_id.in_(run_ids) if condition is None else condition
        connection.execute(sa.delete(table).where(of_runs))
    shard = tables[ADVICE_SHARD.name]
    connection.execute(sa.delete(shard).where(shard.c.run_id.in_(run_ids)))


def delete_accounts(
    connection: sa.Connection, run_id: str, account_ids: Sequence[str], goal_ids: Sequence[str]
) -> None:
    """Delete what a run wrote of some accounts and goals."""
    trade = tables["trade"]
    owner: sa.BindParameter[str] = sa.bindparam("owner")
    trade_ids = sa.select(trade.c.trade_id).where(
        trade.c.run_id == run_id, trade.c.account_id == owner
    )
    for table, of_trades in _advice(trade_ids):
        key = "goal_id" if "goal_id" in table.c else "account_id"
        names = goal_ids if key == "goal_id" else account_ids
        condition = (
            sa.and_(table.c.run_id == run_id, table.c[key] == owner)
            if of_trades is None
            else of_trades
        )
        if names:
            connection.execute(
                sa.delete(table).where(condition), [{"owner": name} for name in names]
            )


def _advice(
    trade_ids: sa.Select[tuple[str]],
) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool] | None]]:
    """Yield the tables of advice, and what finds the rows where it is not their run.

    Trades come last, because rows about them are found through them.
    """
    written = [tables[declared.name] for declared in WRITTEN_BY_SHARDS]
    for table in sorted(written, key=lambda table: table.name == "trade"):
        yield table, None if "run_id" in table.c else table.c.trade_id.in_(trade_ids)
