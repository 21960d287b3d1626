"""Empty MLflow's trash: runs that somebody deleted, by MLflow's own ``mlflow gc``."""

import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import LifecycleStage, Run, ViewType

from ml.errors import TrackingError
from ml.tracking.connection import EXPERIMENT, Connection
from ml.tracking.database import ensure_database

_SECONDS = 1800


@dataclass(frozen=True)
class Emptied:
    """What became of deleted runs: how many are gone for good, and which came back."""

    removed: int
    left: int
    restored: tuple[str, ...]


def empty_trash(
    folder: Path, url: str, days: int, needed: Collection[str], *, dry_run: bool
) -> Emptied | None:
    """Remove runs for good, with their files, that were deleted some days ago.

    Runs that are needed come out of the trash again, whenever they were deleted.

    Parameters
    ----------
    folder, url : as of :class:`ml.tracking.Registry`.
    needed : numbers of runs that stay.

    Returns
    -------
    What was removed, or in a dry run is in the trash; None behind a tracking server, which alone
    can remove for good.

    Raises
    ------
    TrackingError
        MLflow cannot be read or written, or our experiment itself was deleted.
    """
    if url.startswith(("http:", "https:")):
        return None
    if not url and not (folder / "mlflow.db").is_file():
        return Emptied(0, 0, ())
    connection = Connection(folder, url)
    _require_experiment(connection)
    deleted = _deleted(connection)
    restored = tuple(sorted({run.info.run_id for run in deleted} & set(needed)))
    if dry_run:
        return Emptied(len(deleted) - len(restored), len(restored), restored)
    with connection.use() as client:
        for run_id in restored:
            client.restore_run(run_id)
    if len(deleted) > len(restored):
        _collect(url or ensure_database(folder), days)
    left = len(_deleted(connection))
    return Emptied(len(deleted) - len(restored) - left, left, restored)


def _require_experiment(connection: Connection) -> None:
    with connection.use() as client:
        stage = client.get_experiment(connection.experiment_id).lifecycle_stage
    if stage != LifecycleStage.ACTIVE:
        raise TrackingError(
            "MLflow's experiment",
            EXPERIMENT,
            "it was deleted, and all trainings with it",
            "Restore it: mlflow experiments restore.",
        )


def _deleted(connection: Connection) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    with connection.use() as client:
        while True:
            page = client.search_runs(
                [connection.experiment_id], run_view_type=ViewType.DELETED_ONLY, page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found


def _collect(database: str, days: int) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mlflow", "gc", "--older-than", f"{days}d"),
            *("--backend-store-uri", database, "--tracking-uri", database),
        ],
        env={**os.environ, "MLFLOW_TRACKING_URI": database},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = next(reversed(done.stderr.strip().splitlines()), "nothing")
        raise TrackingError(
            "mlflow gc",
            f"exit code {done.returncode}",
            f"it said: {said.replace(database, '***')[:300]}",
            "Run the upkeep again; what it removed is gone, nothing else.",
        )
