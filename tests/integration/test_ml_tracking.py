import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from ml_examples import feature_table, panel_of, random_walk
from ml_trained import IDENTITY, trained_baselines
from mlflow import MlflowClient

from ml.calibration import Calibration
from ml.errors import ModelNotFoundError, TrackingError
from ml.features import FEATURES
from ml.panel_reading import panel_from_table
from ml.serving import OUTPUTS
from ml.tracking import Registry
from ml.tracking.training_run import TrainingRun
from ml.training import TrainingResult

SERVED = "smartinvest-ema"


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return trained_baselines()


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables, which take seconds to create."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def registry(tmp_path: Path, empty_database: Path) -> Registry:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    shutil.copy(empty_database, folder)
    return Registry(folder)


def client(folder: Path) -> MlflowClient:
    uri = f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def statuses(folder: Path) -> list[str]:
    runs = client(folder).search_runs(["1"])
    return sorted(f"{run.data.tags['smartinvest.kind']} {run.info.status}" for run in runs)


def test_a_finished_training_is_found_with_every_version_and_score(
    registry: Registry, result: TrainingResult
) -> None:
    with registry.training(IDENTITY) as run:
        record = run.finish(result)
    assert registry.finished("sample", "quick", "method") == [record]
    assert registry.finished_training(record.run_id) == record
    assert registry.finished("sample", "full", "method") == []
    assert record.serving.name == SERVED
    assert {model.version for model in record.models} == {1}
    assert record.serving.test == result["ema"].test
    assert record.trained_through == result.trained_through
    assert record.fitted_through == result.fitted_through < result.trained_through


def test_a_version_is_loaded_by_its_number_even_when_there_is_a_newer_one(
    registry: Registry, result: TrainingResult
) -> None:
    changed = replace(result["sma"], calibration=Calibration(2.0, -2.0, 2.0, 0.0, -0.1))
    with registry.training(IDENTITY) as run:
        run.finish(result)
    with registry.training(IDENTITY) as run:
        run.finish(replace(result, models=(*result.models[:2], changed, *result.models[3:])))
    assert registry.load("smartinvest-sma", 1).calibration == result["sma"].calibration
    assert registry.load("smartinvest-sma", 2).calibration == changed.calibration
    panel = panel_of(random_walk(seed=3))
    loaded = registry.load("smartinvest-sma", 1).forecast(panel, range(len(panel)))
    original = result["sma"].calibration.apply(
        result["sma"].forecaster.predict(panel, range(len(panel)))
    )
    np.testing.assert_array_equal(loaded.mean, original.mean)
    np.testing.assert_array_equal(loaded.upper, original.upper)


def test_a_version_or_training_that_is_not_there_is_a_clear_error(registry: Registry) -> None:
    with pytest.raises(ModelNotFoundError, match=r"model smartinvest-sma, version = '7'"):
        registry.load("smartinvest-sma", 7)
    with pytest.raises(ModelNotFoundError, match=r"training run = 'feed'.*does not know it"):
        registry.finished_training("feed")


def test_lost_model_files_are_a_clear_error(
    registry: Registry, result: TrainingResult, tmp_path: Path
) -> None:
    with registry.training(IDENTITY) as run:
        run.finish(result)
    for path in tmp_path.rglob("forecaster.json"):
        path.unlink()
    with pytest.raises(ModelNotFoundError, match=r"forecaster\.json"):
        registry.load(SERVED, 1)


def test_a_training_that_fails_leaves_no_version(
    registry: Registry, result: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: TrainingRun, *_: object) -> None:
        raise ArithmeticError("after all versions were registered")

    monkeypatch.setattr(TrainingRun, "_log_parent", fail)
    with pytest.raises(ArithmeticError), registry.training(IDENTITY) as run:
        run.finish(result)
    assert registry.finished("sample", "quick", "method") == []
    assert client(tmp_path).search_model_versions() == []
    assert statuses(tmp_path) == ["model FAILED"] * 5 + ["training FAILED"]


def test_a_killed_training_is_never_found_and_the_next_one_removes_it(
    registry: Registry, result: TrainingResult, tmp_path: Path
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _TRAINING_THAT_IS_KILLED, str(tmp_path / "mlflow")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(client(tmp_path).search_model_versions()) == 5
    assert registry.finished("sample", "quick", "method") == []
    with registry.training(IDENTITY) as run:
        record = run.finish(result)
    assert {model.version for model in record.models} == {2}
    versions = client(tmp_path).search_model_versions()
    assert {str(version.version) for version in versions} == {"2"}
    assert statuses(tmp_path).count("training KILLED") == 1


_TRAINING_THAT_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from ml_trained import IDENTITY, trained_baselines
from ml.tracking import Registry
from ml.tracking.training_run import TrainingRun
TrainingRun._log_parent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with Registry(Path(sys.argv[1])).training(IDENTITY) as run:
    run.finish(trained_baselines())
"""


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
    assert Registry(folder).finished("sample", "quick", "method") == []
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_a_training_of_a_living_process_is_left_alone(
    registry: Registry, result: TrainingResult, tmp_path: Path
) -> None:
    with registry.training(IDENTITY) as slow:
        with registry.training(IDENTITY) as fast:
            fast.finish(result)
        slow.finish(result)
    assert len(registry.finished("sample", "quick", "method")) == 2


def test_mlflow_itself_loads_and_runs_a_registered_model(
    registry: Registry, result: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry.training(IDENTITY) as run:
        run.finish(result)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}")
    table = feature_table(random_walk(sessions=400))
    model = mlflow.pyfunc.load_model(f"models:/{SERVED}/1")
    frame = table.to_pandas()
    frame["session_date"] = pd.to_datetime(frame["session_date"])
    forecasts = model.predict(frame)
    expected = registry.load(SERVED, 1).forecast_last(panel_from_table(table, FEATURES, "test"))
    assert list(forecasts.columns) == ["symbol", "session_date", *OUTPUTS]
    assert forecasts["expected_log_return"].tolist() == [
        each.expected_log_return for each in expected
    ]


def test_table_plots_and_losses_are_logged(
    registry: Registry, result: TrainingResult, tmp_path: Path
) -> None:
    with registry.training(IDENTITY) as run:
        run.on_epoch(0, 0, {"loss": 0.5, "val_loss": 0.6})
        run.on_epoch(0, 1, {"loss": 0.4, "val_loss": 0.5})
        record = run.finish(result)
    mlflow_client = client(tmp_path)
    names = {item.path for item in mlflow_client.list_artifacts(record.run_id)}
    assert {"scores.json", "error_ratios.png", "training.json"} <= names
    ema = mlflow_client.get_run(record.serving.run_id)
    assert ema.data.metrics["test_rmse_to_naive"] == 0.98
    assert ema.data.params["window"] == str(list(result["ema"].forecaster.window))
    (lstm,) = mlflow_client.search_runs(["1"], "attributes.run_name = 'lstm'")
    history = mlflow_client.get_metric_history(lstm.info.run_id, "val_loss_seed_0")
    assert [(metric.step, metric.value) for metric in history] == [(0, 0.6), (1, 0.5)]


def test_a_folder_that_holds_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is not a database, and long enough to be seen")
    with pytest.raises(TrackingError, match=r"MLflow folder.*not a database"):
        Registry(tmp_path)
