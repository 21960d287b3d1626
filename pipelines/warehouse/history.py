"""Copy published advice from the SQL store into the lake, each run once.

    history/<table>/run=<run_id>/<digest>.parquet   what one run advised; never changes
    history/runs/<columns>/<run_id>.json            the run's files; written last, so it is whole
    history/<table>/<digest>.parquet                what all runs and trainings say of themselves

A build of a session reads the runs that are published for earlier sessions: what its own run will
advise is not known yet, and a rerun must not see it either. ``<columns>`` is a digest of the
tables' columns: where a release changes them, runs are copied again from the migrated store.
"""

import datetime as dt
import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import sqlalchemy as sa

from models.advice_history import KEPT_RUN, OF_ONE_RUN, OF_TRAININGS
from models.declaration import Table
from models.store_advice import CLIENT_OUTCOME
from models.store_runs import ADVICE_RUN
from models.vocabulary import RunStatus
from pipelines.errors import LakeError
from pipelines.lake import FileRecord, add_file, arrow_schema, storage
from pipelines.lake.files import verified
from pipelines.lineage import canonical_json, json_digest
from pipelines.progress import track
from pipelines.settings import Settings
from pipelines.store import connect, read, stream, tables

logger = logging.getLogger(__name__)

_ROWS_PER_FILE = 1 << 20
_THREADS = 4
_COLUMNS = json_digest({table.name: table.column_names for table in OF_ONE_RUN})[:12]


def snapshot_history(settings: Settings, session: dt.date) -> list[FileRecord]:
    """Write what was advised for earlier sessions, as one moment sees it, and return the files.

    Runs that were copied before are not read again, unless a file of theirs is damaged. Where
    there is no earlier run there is no file.

    Raises
    ------
    StoreError, LakeError
        The store cannot be read, or the lake cannot be read or written.
    """
    with connect(settings) as store:
        runs = _runs(store, settings.source, session)
        of_all = [(KEPT_RUN, runs), *_trainings(store, settings.source, session)]
        files = [
            add_file(settings, table, rows, f"history/{table.name}")
            for table, rows in of_all
            if rows.num_rows
        ]
        published = _published(runs)
        with ThreadPoolExecutor(_THREADS) as pool:
            known = dict(
                zip(
                    published,
                    pool.map(lambda run_id: _copied(settings, run_id), published),
                    strict=True,
                )
            )
        new = [run_id for run_id in published if known[run_id] is None]
        for run_id in track(new, "copy advice") if new else ():
            known[run_id] = _copy(settings, store, run_id)
    return [*files, *(file for run_id in published for file in known[run_id] or ())]


def _runs(store: sa.Connection, source: str, session: dt.date) -> pa.Table:
    """Return all runs that were ever published for earlier sessions, with snapshots' sizes."""
    run, file = tables["advice_run"], tables["snapshot_file"]
    earlier = (
        run.c.source == source,
        run.c.session_date < session,
        run.c.status != RunStatus.BUILDING.value,
    )
    runs = read(store, ADVICE_RUN, *earlier)
    sizes = {
        row.data_snapshot: (int(row.files), int(row.rows))
        for row in store.execute(
            sa.select(
                file.c.data_snapshot,
                sa.func.count().label("files"),
                sa.func.sum(file.c.rows).label("rows"),
            )
            .where(file.c.data_snapshot.in_(sa.select(run.c.data_snapshot).where(*earlier)))
            .group_by(file.c.data_snapshot)
        )
    }
    counts = [sizes.get(snapshot, (0, 0)) for snapshot in runs["data_snapshot"].to_pylist()]
    added = [pa.array([count[position] for count in counts], pa.int64()) for position in (0, 1)]
    return pa.Table.from_arrays([*runs.columns, *added], schema=arrow_schema(KEPT_RUN))


def _trainings(
    store: sa.Connection, source: str, session: dt.date
) -> Iterator[tuple[Table, pa.Table]]:
    """Yield the choices and scores of models for earlier sessions, with what they rest on."""
    for table in OF_TRAININGS:
        stored = tables[table.name]
        earlier = (stored.c.source == source, stored.c.session_date < session)
        yield table, read(store, table, *earlier)


def _published(runs: pa.Table) -> list[str]:
    """Return the runs that readers see, in the order of their sessions."""
    rows = sorted(
        zip(*(runs[name].to_pylist() for name in ("session_date", "run_id", "status")), strict=True)
    )
    return [run_id for _, run_id, status in rows if status == RunStatus.PUBLISHED]


def _copied(settings: Settings, run_id: str) -> list[FileRecord] | None:
    """Return the files of a run that was copied before, once proved undamaged; else None."""
    try:
        listed = json.loads(storage(settings).read(_index(run_id)).to_pybytes())
        files = [FileRecord(file["path"], file["digest"], file["rows"]) for file in listed]
        damaged = [file.path for file in files if verified(settings, file.path) != file.digest]
    except FileNotFoundError:
        return None
    except (LakeError, ValueError, KeyError, TypeError) as error:
        logger.warning("the copy of run %s is copied anew: %s", run_id, error)
        return None
    if damaged:
        logger.warning("the copy of run %s is copied anew: %s changed", run_id, damaged[0])
        return None
    return files


def _copy(settings: Settings, store: sa.Connection, run_id: str) -> list[FileRecord]:
    """Copy a run's rows; one that lost its outcomes in the store is copied again next time."""
    files = [
        add_file(settings, table, rows, f"history/{table.name}/run={run_id}")
        for table in OF_ONE_RUN
        for rows in stream(store, table, _ROWS_PER_FILE, tables[table.name].c.run_id == run_id)
    ]
    if not any(file.path.startswith(f"history/{CLIENT_OUTCOME.name}/") for file in files):
        logger.warning("run %s is published, but the store has no outcome of it", run_id)
        return files
    storage(settings).write(_index(run_id), _listed(files))
    return files


def _listed(files: Sequence[FileRecord]) -> bytes:
    rows = [{"path": file.path, "digest": file.digest, "rows": file.rows} for file in files]
    return canonical_json(rows).encode()


def _index(run_id: str) -> str:
    return f"history/runs/{_COLUMNS}/{run_id}.json"
