"""MLflow's trash is emptied of old runs, and gives back those that published runs name."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ml_registry import client_of, new_registry

from ml.tracking.connection import EXPERIMENT
from ml.tracking.trash import Emptied, empty_trash

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new_registry(tmp_path / "mlflow")
    return tmp_path / "mlflow"


def deleted_run(folder: Path, days_ago: int) -> str:
    """A run with a file that somebody deleted some days ago."""
    client = client_of(folder)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    run_id: str = client.create_run(experiment.experiment_id).info.run_id
    client.log_text(run_id, "scores", "scores.txt")
    client.delete_run(run_id)
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        database.execute(
            "UPDATE runs SET deleted_time = deleted_time - ? WHERE run_uuid = ?",
            (days_ago * DAY_MS, run_id),
        )
    return run_id


def stages(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return dict(database.execute("SELECT run_uuid, lifecycle_stage FROM runs"))


def test_a_dry_run_only_counts(folder: Path) -> None:
    old, needed = deleted_run(folder, 40), deleted_run(folder, 40)
    found = empty_trash(folder, "", 30, {needed}, dry_run=True)
    assert found == Emptied(1, 1, (needed,))
    assert stages(folder) == {old: "deleted", needed: "deleted"}


def test_a_run_that_is_needed_comes_back_however_old_its_deletion(folder: Path) -> None:
    needed = deleted_run(folder, 400)
    assert empty_trash(folder, "", 30, {needed}, dry_run=False) == Emptied(0, 0, (needed,))
    assert stages(folder) == {needed: "active"}


@pytest.mark.long
def test_old_runs_go_for_good_with_their_files_and_young_ones_stay(folder: Path) -> None:
    old, young, needed = (deleted_run(folder, days) for days in (40, 2, 40))
    files = list(folder.rglob(f"{old}/**/scores.txt"))
    assert len(files) == 1
    assert empty_trash(folder, "", 30, {needed}, dry_run=False) == Emptied(1, 1, (needed,))
    assert stages(folder) == {young: "deleted", needed: "active"}
    assert not files[0].exists()
    assert len(list(folder.rglob("scores.txt"))) == 2


def test_a_tracking_server_removes_for_good_by_itself(tmp_path: Path) -> None:
    assert empty_trash(tmp_path, "http://mlflow:5000", 30, set(), dry_run=False) is None
