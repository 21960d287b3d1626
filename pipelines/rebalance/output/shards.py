"""Shards of a run in the store: each is written in one transaction, under a run still building."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from models.store_outputs import WRITTEN_BY_SHARDS
from models.store_runs import ADVICE_SHARD
from models.vocabulary import RunStatus, ShardStatus
from pipelines.errors import RebalanceError
from pipelines.forecast.run import status_of
from pipelines.lineage import RunIdentity
from pipelines.rebalance.output.run_status import require_status
from pipelines.store import insert_arrow, tables, upsert, utc_now
from pipelines.store.run_rows import delete_accounts, delete_advice


@dataclass(frozen=True)
class Cut:
    """How a run's accounts are cut: at most so many in each shard, and how many shards."""

    accounts_per_shard: int
    shards: int


@dataclass(frozen=True)
class ShardKey:
    """Which accounts a shard has: those that its run's cut gives to its number."""

    run_id: str
    number: int
    accounts_per_shard: int


@dataclass(frozen=True)
class ShardRows:
    """A shard's advice as rows.

    Attributes
    ----------
    inputs_digest : of everything that was known of its accounts.
    digest : of all rows.
    goal_ids : goals of its clients.
    tables : rows by the names of their tables.
    """

    key: ShardKey
    inputs_digest: str
    digest: str
    goal_ids: pa.StringArray
    tables: Mapping[str, pa.Table]


def is_written(connection: sa.Connection, key: ShardKey, inputs_digest: str) -> bool:
    """Say whether the rows of a shard with these inputs are in the store."""
    shard = tables[ADVICE_SHARD.name]
    found = connection.execute(
        sa.select(shard.c.run_id).where(
            *_is(shard, key),
            shard.c.accounts_per_shard == key.accounts_per_shard,
            shard.c.inputs_digest == inputs_digest,
            shard.c.status == ShardStatus.WRITTEN.value,
        )
    )
    return found.first() is not None


def write_shard(connection: sa.Connection, identity: RunIdentity, rows: ShardRows) -> bool:
    """Write a shard whole; the caller's transaction makes it atomic.

    Returns
    -------
    Whether it was written: not where another process did so in the meantime, nor where the run was
    published by then.

    Raises
    ------
    RebalanceError
        Newer forecasts took the place of the run in the meantime, or another rebalance cut its
        shards otherwise.
    """
    if require_status(connection, identity) is not RunStatus.BUILDING:
        return False
    shard = tables[ADVICE_SHARD.name]
    # Waits for another process that is about to write the same shard, and keeps others waiting.
    connection.execute(
        _dialect_insert(connection, shard)
        .values(_row(rows, ShardStatus.FAILED))
        .on_conflict_do_update(
            index_elements=list(ADVICE_SHARD.key), set_={"run_id": shard.c.run_id}
        )
    )
    _require_same_cut(connection, rows.key)
    if is_written(connection, rows.key, rows.inputs_digest):
        return False
    was_written = sa.select(shard.c.run_id).where(
        *_is(shard, rows.key), shard.c.status == ShardStatus.WRITTEN.value
    )
    if connection.execute(was_written).first() is not None:
        account_ids = rows.tables["client_outcome"]["account_id"].to_pylist()
        delete_accounts(connection, identity.run_id, account_ids, rows.goal_ids.to_pylist())
    for declared in WRITTEN_BY_SHARDS:
        insert_arrow(connection, declared, rows.tables[declared.name])
    upsert(connection, ADVICE_SHARD, [_row(rows, ShardStatus.WRITTEN)])
    return True


def note_failure(connection: sa.Connection, identity: RunIdentity, key: ShardKey) -> None:
    """Write that a shard could not be advised, so that people see it; a rerun does it again."""
    if status_of(connection, identity.run_id) is not RunStatus.BUILDING:
        return
    failed = {
        "run_id": key.run_id,
        "shard": key.number,
        "status": ShardStatus.FAILED.value,
        "accounts_per_shard": key.accounts_per_shard,
        "inputs_digest": "",
        "digest": None,
        "accounts": 0,
        "trades": 0,
        "written_at": utc_now(),
    }
    shard = tables[ADVICE_SHARD.name]
    connection.execute(_dialect_insert(connection, shard).values(failed).on_conflict_do_nothing())


def begin_shards(connection: sa.Connection, run_id: str, accounts_per_shard: int) -> None:
    """Take back what another cut of a run's shards had written: its numbers mean other accounts."""
    shard = tables[ADVICE_SHARD.name]
    otherwise = sa.select(shard.c.shard).where(
        shard.c.run_id == run_id, shard.c.accounts_per_shard != accounts_per_shard
    )
    if connection.execute(otherwise.limit(1)).first() is not None:
        delete_advice(connection, [run_id])


def require_all_written(connection: sa.Connection, run_id: str, cut: Cut) -> None:
    """Check that every shard of a run is in the store.

    Raises
    ------
    RebalanceError
        One is missing, or another rebalance cut them otherwise.
    """
    shard = tables[ADVICE_SHARD.name]
    written = connection.execute(
        sa.select(sa.func.count()).where(
            shard.c.run_id == run_id,
            shard.c.status == ShardStatus.WRITTEN.value,
            shard.c.accounts_per_shard == cut.accounts_per_shard,
        )
    ).scalar_one()
    if written != cut.shards:
        raise RebalanceError(
            "shards written",
            written,
            f"the run has {cut.shards}; some failed, or another rebalance took them back",
            "Run `smartinvest rebalance`, or clear the DAG's `advise`; those that are there stay.",
        )


def _require_same_cut(connection: sa.Connection, key: ShardKey) -> None:
    shard = tables[ADVICE_SHARD.name]
    other = connection.execute(
        sa.select(shard.c.accounts_per_shard)
        .where(shard.c.run_id == key.run_id, shard.c.accounts_per_shard != key.accounts_per_shard)
        .limit(1)
    ).scalar()
    if other is not None:
        raise RebalanceError(
            "setting SMARTINVEST_ACCOUNTS_PER_SHARD",
            key.accounts_per_shard,
            f"another rebalance of this run is under way with {other}",
            "Wait until it ends, or end it, and try again.",
        )


def _row(rows: ShardRows, status: ShardStatus) -> dict[str, object]:
    return {
        "run_id": rows.key.run_id,
        "shard": rows.key.number,
        "status": status.value,
        "accounts_per_shard": rows.key.accounts_per_shard,
        "inputs_digest": rows.inputs_digest,
        "digest": rows.digest,
        "accounts": rows.tables["client_outcome"].num_rows,
        "trades": rows.tables["trade"].num_rows,
        "written_at": utc_now(),
    }


def _is(shard: sa.Table, key: ShardKey) -> tuple[sa.ColumnElement[bool], ...]:
    return shard.c.run_id == key.run_id, shard.c.shard == key.number


def _dialect_insert(connection: sa.Connection, table: sa.Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
