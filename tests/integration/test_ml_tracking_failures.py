"""MLflow out of reach in mid-training, and trainings that fail or are killed."""

import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from ml_registry import client_of, new_registry, statuses
from ml_trained import IDENTITY, TRIALS, brief_training
from permissions import obey_permissions

from ml.errors import ModelNotFoundError, TrackingError, TrainingError
from ml.results import TrainingResult
from ml.tracking import Registry
from ml.tracking.connection import Connection
from ml.tracking.training_run import TrainingRun
from ml.work import TrainingProgress

PROGRESS = TrainingProgress("ridge, fold 1 of 2", 1, 12, 0.25, 90.0, None)


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return brief_training()


@pytest.fixture(scope="module")
def kept(result: TrainingResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Identity and result in a file, for processes that would take seconds to make them."""
    path = tmp_path_factory.mktemp("kept") / "training.pickle"
    path.write_bytes(pickle.dumps((IDENTITY, result)))
    return path


def versions_of(folder: Path) -> list[str]:
    return [f"{each.name} {each.version}" for each in client_of(folder).search_model_versions()]


@pytest.mark.long
def test_a_training_that_fails_at_its_very_end_leaves_no_version(
    result: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: TrainingRun, *_: object) -> None:
        raise ArithmeticError("after all versions were registered")

    registry = new_registry(tmp_path / "mlflow")
    monkeypatch.setattr(TrainingRun, "_log_parent", fail)
    with pytest.raises(ArithmeticError), registry.training(IDENTITY) as run:
        run.on_trial(TRIALS[0])
        run.finish(result)
    assert registry.finished("sample") == []
    assert versions_of(tmp_path / "mlflow") == []
    assert statuses(tmp_path / "mlflow") == [
        *["model FAILED"] * len(result.models),
        "search FAILED",
        "training FAILED",
        "trial FINISHED",
    ]


@pytest.mark.parametrize(
    "error", [OSError("no space left on device"), TrainingError("labels", 0, "none", "Load some.")]
)
def test_what_fails_in_training_is_not_told_as_mlflows_fault(
    tmp_path: Path, error: Exception
) -> None:
    registry = new_registry(tmp_path / "mlflow")
    with pytest.raises(type(error)) as raised, registry.training(IDENTITY):
        raise error
    assert raised.value is error
    assert statuses(tmp_path / "mlflow") == ["training FAILED"]


def vanish(database: Path) -> None:
    database.unlink()


def make_read_only(database: Path) -> None:
    """What a file system that is full or mounted anew does, also to root."""
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "create trigger full_disk before insert on runs "
            "begin select raise(abort, 'attempt to write a readonly database'); end;"
        )


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (vanish, "No such file or directory|removed or replaced"),
        (make_read_only, "attempt to write a readonly database"),
    ],
)
def test_a_database_lost_in_mid_training_is_a_clear_error_and_registers_nothing(
    result: TrainingResult, tmp_path: Path, happens: Callable[[Path], None], problem: str
) -> None:
    folder = tmp_path / "mlflow"
    registry = new_registry(folder)
    with (
        pytest.raises(TrackingError, match=f"MLflow = .*({problem}).*finished work is kept"),
        registry.training(IDENTITY) as run,
    ):
        run.on_progress(PROGRESS)
        happens(folder / "mlflow.db")
        run.finish(result)
    if happens is vanish:
        assert Registry(folder).finished("sample") == []  # a new database is made
    assert versions_of(folder) == []


def test_a_database_that_vanishes_is_noticed_while_models_are_still_being_trained(
    tmp_path: Path,
) -> None:
    registry = new_registry(tmp_path / "mlflow")
    with pytest.raises(TrackingError), registry.training(IDENTITY) as run:
        (tmp_path / "mlflow" / "mlflow.db").unlink()
        run.on_progress(PROGRESS)
        pytest.fail("progress was logged into a file that is gone")


def test_a_database_that_is_replaced_is_not_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    registry = new_registry(folder)
    with (
        pytest.raises(TrackingError, match="removed or replaced"),
        registry.training(IDENTITY) as run,
    ):
        (folder / "mlflow.db").rename(folder / "aside.db")
        new_registry(tmp_path / "other")
        (tmp_path / "other" / "mlflow.db").rename(folder / "mlflow.db")
        run.on_trial(TRIALS[0])
    assert statuses(folder) == []


@pytest.mark.long
def test_a_locked_database_is_a_clear_error_and_the_next_training_cleans_up(
    result: TrainingResult, tmp_path: Path
) -> None:
    """SQLite waits for 20 seconds before it gives up."""
    folder = tmp_path / "mlflow"
    registry = new_registry(folder)
    with closing(sqlite3.connect(folder / "mlflow.db", isolation_level=None)) as other:
        with (
            pytest.raises(TrackingError, match="database is locked"),
            registry.training(IDENTITY) as run,
        ):
            other.execute("begin exclusive")
            run.finish(result)
        other.execute("rollback")
    assert statuses(folder) == ["training RUNNING"]
    assert registry.finished("sample") == []
    with registry.training(IDENTITY) as run:
        record = run.finish(result)
    assert registry.finished("sample") == [record]
    assert statuses(folder).count("training KILLED") == 1


@pytest.mark.long
def test_a_folder_that_cannot_be_written_is_a_clear_error(kept: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    new_registry(folder)
    for path in (folder / "mlflow.db", folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _BEGINNING, str(folder), str(kept)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            preexec_fn=obey_permissions,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        folder.chmod(0o755)
    assert "TrackingError: MLflow = " in tried.stderr
    assert "readonly database" in tried.stderr
    assert "Check that it can be reached and written" in tried.stderr


_BEGINNING = """
import pickle, sys
from pathlib import Path
from ml.tracking import Registry
identity, _ = pickle.loads(Path(sys.argv[2]).read_bytes())
with Registry(Path(sys.argv[1])).training(identity):
    pass
"""


@pytest.mark.long
def test_a_killed_training_is_never_found_and_the_next_one_removes_it(
    result: TrainingResult, kept: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mlflow"
    registry = new_registry(folder)
    killed = subprocess.run(
        [sys.executable, "-c", _TRAINING_THAT_IS_KILLED, str(folder), str(kept)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(versions_of(folder)) == len(result.models)
    assert registry.finished("sample") == []
    with registry.training(IDENTITY) as run:
        record = run.finish(result)
    assert {model.version for model in record.models} == {2}
    assert all(each.endswith(" 2") for each in versions_of(folder))
    assert statuses(folder).count("training KILLED") == 1
    assert "training RUNNING" not in statuses(folder)


_TRAINING_THAT_IS_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from ml.tracking import Registry
from ml.tracking.training_run import TrainingRun
TrainingRun._log_parent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
identity, result = pickle.loads(Path(sys.argv[2]).read_bytes())
with Registry(Path(sys.argv[1])).training(identity) as run:
    run.finish(result)
"""


@pytest.mark.long
def test_a_kill_while_the_database_is_made_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    making = "import sys; from pathlib import Path; from ml.tracking import Registry; Registry("
    process = subprocess.Popen([sys.executable, "-c", f"{making}Path({str(folder)!r}))"])
    unfinished = folder / "mlflow.db.new"
    while not unfinished.exists() or unfinished.stat().st_size < 100_000:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (folder / "mlflow.db").exists()
    assert Registry(folder).finished("sample") == []
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_a_training_of_this_process_that_is_under_way_is_left_alone(
    result: TrainingResult, tmp_path: Path
) -> None:
    registry = new_registry(tmp_path / "mlflow")
    with registry.training(IDENTITY) as slow:
        with registry.training(IDENTITY):
            assert statuses(tmp_path / "mlflow") == ["training RUNNING"] * 2
        slow.finish(result)
    assert len(registry.finished("sample")) == 1


def test_what_a_machine_that_died_left_is_removed_by_who_trains_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mlflow"
    registry = new_registry(folder)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: "a-machine-that-died")
        dead = registry.training(IDENTITY)
        dead.__enter__()
    with registry.training(IDENTITY):
        assert statuses(folder) == ["training RUNNING"] * 2
    with registry.training(replace(IDENTITY, source="yahoo"), is_alone=True):
        assert statuses(folder).count("training RUNNING") == 2
    with registry.training(IDENTITY, is_alone=True):
        assert statuses(folder).count("training RUNNING") == 1
    dead.__exit__(None, None, None)


@pytest.mark.long
def test_lost_files_are_a_clear_error(result: TrainingResult, tmp_path: Path) -> None:
    registry = new_registry(tmp_path / "mlflow")
    with registry.training(IDENTITY) as run:
        record = run.finish(result)
    for name in ("forecaster.json", "symbol_scores.json", "training.json"):
        for path in (tmp_path / "mlflow" / "artifacts").rglob(name):
            path.unlink()
    with pytest.raises(ModelNotFoundError, match=r"forecaster\.json"):
        registry.load("smartinvest-ridge", 1)
    with pytest.raises(ModelNotFoundError, match=r"symbol_scores\.json.*missing"):
        registry.symbol_scores(record)
    with pytest.raises(ModelNotFoundError, match=r"training\.json.*missing"):
        registry.finished("sample")


def test_a_folder_that_holds_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is not a database, and long enough to be seen")
    with pytest.raises(TrackingError, match=r"MLflow = .*not a database"):
        Registry(tmp_path)


def test_a_server_that_does_not_answer_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError) as raised:
        Connection(tmp_path, "http://someone:secret@127.0.0.1:9")
    assert "***@127.0.0.1:9': it cannot be used" in str(raised.value)
    assert "secret" not in str(raised.value)
