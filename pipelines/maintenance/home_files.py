"""Scratch of one machine: builds, results of builds, work of trainings, logs, compiled loops.

On a cluster each machine has its own. Stages tidy up behind themselves there too; the upkeep runs
on one machine and takes what they leave.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.alerts import forget_alerts
from pipelines.maintenance.old_files import remove_old_files, remove_old_folders
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings
from pipelines.warehouse.publication import finished_builds, remove_old
from pipelines.warehouse.workspace import sole_builder


def remove_builds(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove all but the newest builds, and old results of builds.

    Of a build that is removed its session's pointer stays: who asks for it has it made again.
    """
    results = settings.warehouse / "results"
    removals = [
        remove_old_files("results of builds", results, results.glob("*/*.json"), rule),
    ]
    if (settings.warehouse / "builds").is_dir():
        removals.append(_own_builds(settings, rule))
    if settings.shares_lake:
        removals.append(_shared_builds(settings, rule))
    return removals


def _own_builds(settings: Settings, rule: Retention) -> Removal:
    with sole_builder(settings):
        before = finished_builds(settings)
        if not rule.dry_run:
            remove_old(settings)
        gone = len(before) - len(finished_builds(settings))
    note = "all but the newest go with the next build" if rule.dry_run else ""
    return Removal("builds of the warehouse", gone, note=note)


def remove_work(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove work of trainings that nobody goes on with, and loops compiled from older code."""
    # Where they are may hold other things as well; a state of the code is known by its digest.
    compiled = Path(settings.libraries_environment()["NUMBA_CACHE_DIR"])
    old_code = [path for path in compiled.parent.glob("*+" + 12 * "[0-9a-f]") if path != compiled]
    with _no_training(settings) as is_quiet:
        work = [path for path in (settings.home / "training").glob("*") if path.is_dir()]
        trainings = remove_old_folders("work of trainings", work if is_quiet else [], rule)
    return [trainings, remove_old_folders("loops compiled from older code", old_code, rule)]


def remove_logs(
    settings: Settings, rule: Retention, airflow_logs: Path | None = None
) -> list[Removal]:
    """Remove old logs of our processes and of Airflow's tasks, and notes of alerts told long ago.

    Parameters
    ----------
    airflow_logs : where Airflow keeps them; None for the embedded one's folder.
    """
    tasks = airflow_logs or settings.airflow / "logs"
    notes = forget_alerts(settings, rule.before, dry_run=rule.dry_run)
    return [
        *(
            remove_old_files(what, folder, _files(folder), rule)
            for what, folder in (("logs of tasks", tasks), ("logs of processes", settings.logs))
        ),
        Removal("notes of alerts", notes),
    ]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _shared_builds(settings: Settings, rule: Retention) -> Removal:
    from pipelines.warehouse.shared.retention import KEPT_BUILDS
    from pipelines.warehouse.shared.retention import remove_old as remove_old_in_lake

    # Else a file that is no longer needed may be one of a build that is being handed over.
    with sole_builder(settings):
        removed = 0 if rule.dry_run else remove_old_in_lake(settings)
    return Removal("files of builds in the lake", removed, note=f"{KEPT_BUILDS} builds stay")


@contextmanager
def _no_training(settings: Settings) -> Iterator[bool]:
    """Hold the folder of trainings; yield whether none is under way, which would hold it."""
    lock = settings.home / "training" / "lock"
    if not lock.exists():
        yield True
        return
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
