"""What the store says of a run: its rows, the laws they keep, and what readers could see."""

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa
import sqlalchemy as sa

from models.store_forecasts import FORECAST
from models.store_outputs import WRITTEN_BY_SHARDS
from models.vocabulary import RunStatus
from pipelines.errors import SmartInvestError
from pipelines.rebalance.output.digests import rows_digest
from pipelines.rebalance.output.invariants import violations
from pipelines.settings import Settings
from pipelines.store import connect, stream, tables, transaction

_TABLES = (FORECAST, *WRITTEN_BY_SHARDS)
_ROWS_PER_PART = 1 << 20
_LOOK_EVERY_S = 0.5


def table_digests(settings: Settings, run_id: str) -> dict[str, str]:
    """Return the SHA-256 of a run's rows in each result table, forecasts included."""
    trade = tables["trade"]
    of_run = sa.select(trade.c.trade_id).where(trade.c.run_id == run_id)
    digests = {}
    with connect(settings) as store:
        for declared in _TABLES:
            table = tables[declared.name]
            condition = (
                table.c.run_id == run_id if "run_id" in table.c else table.c.trade_id.in_(of_run)
            )
            parts = list(stream(store, declared, _ROWS_PER_PART, condition))
            digests[declared.name] = rows_digest(
                {declared.name: pa.concat_tables(parts)} if parts else {}
            )
    return digests


def broken_laws(settings: Settings, run_id: str) -> list[str]:
    """Return what must hold of a published run and does not, with the number of rows."""
    with transaction(settings) as store:
        # Vacuumed while advice was withdrawn, the tables count as empty: joins would take minutes.
        store.execute(sa.text("ANALYZE"))
    with connect(settings) as store:
        found = violations(store, run_id)
    return [f"{law}: {rows} rows" for law, rows in found.items() if rows]


def differing_tables(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the tables whose digests are not the same."""
    return [name for name, digest in before.items() if after[name] != digest]


def shards_written(settings: Settings, session: dt.date) -> int:
    """Return how many shards of a session's unpublished run are written; 0 where nobody answers."""
    run, shard = tables["advice_run"], tables["advice_shard"]
    of_session = sa.select(run.c.run_id).where(
        run.c.session_date == session, run.c.status == RunStatus.BUILDING.value
    )
    query = sa.select(sa.func.count()).where(
        shard.c.run_id.in_(of_session), shard.c.status == "written"
    )
    try:
        with connect(settings) as store:
            return int(store.execute(query).scalar_one())
    except SmartInvestError:
        return 0


@dataclass
class Sight:
    """What a reader saw who looked twice a second: how often, and each half-published run."""

    looks: int = 0
    halves: list[str] = field(default_factory=list)


@contextmanager
def reader(settings: Settings) -> Iterator[Sight]:
    """Read the store in the background, as an app would, and note whatever is not whole."""
    sight, over = Sight(), threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_EVERY_S):
            try:
                halves = _half_published(settings)
            except SmartInvestError:
                continue  # the server is down: nobody reads anything
            sight.looks += 1
            sight.halves += [half for half in halves if half not in sight.halves]

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield sight
    finally:
        over.set()
        thread.join()


def _half_published(settings: Settings) -> list[str]:
    """Return published runs whose shards say otherwise than their accounts and trades."""
    halves = []
    with connect(settings) as store:
        for row in store.execute(sa.text(_COUNTS)):
            if (row.accounts, row.trades) != (row.outcomes, row.proposed) or not row.accounts:
                halves.append(
                    f"run {row.run_id}: {row.outcomes} of {row.accounts} accounts, "
                    f"{row.proposed} of {row.trades} trades"
                )
    return halves


_COUNTS = """
    SELECT run.run_id,
        (SELECT coalesce(sum(accounts), 0) FROM advice_shard WHERE run_id = run.run_id) AS accounts,
        (SELECT coalesce(sum(trades), 0) FROM advice_shard WHERE run_id = run.run_id) AS trades,
        (SELECT count(*) FROM client_outcome WHERE run_id = run.run_id) AS outcomes,
        (SELECT count(*) FROM trade WHERE run_id = run.run_id) AS proposed
    FROM advice_run AS run WHERE run.status = 'published'
"""
