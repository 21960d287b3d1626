"""A training that was killed ends as one that was not."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_examples import SLOWER, assert_same_weights, fitted
from ml_examples import panel_of, random_walk

from ml.forecasters.lstm.checkpoint import Checkpoint
from ml.forecasters.lstm.forecaster import LstmForecaster
from ml.forecasters.lstm.settings import LstmSettings
from ml.panel import Panel
from ml.training.fit_losses import LOSSES_FILE, FitLosses
from ml.work import Progress, Work

BRIEF = replace(SLOWER, epochs=1, seeds=1)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(random_walk(sessions=1200))


@pytest.fixture(scope="module")
def made(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> tuple[LstmForecaster, Path]:
    """A network of ``BRIEF``, and the folder in which its checkpoint was left."""
    folder = tmp_path_factory.mktemp("brief")
    return fitted(panel, BRIEF, folder=folder), folder


@pytest.fixture
def brief(made: tuple[LstmForecaster, Path], tmp_path: Path) -> LstmForecaster:
    """That network; its checkpoint lies in the test's own folder."""
    forecaster, folder = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return forecaster


def killed_in_mid_epoch(folder: Path, after: str) -> None:
    """Start the training in a process of other threads and kill it when it has said ``after``."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", _TRAINING, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
            "TF_NUM_INTRAOP_THREADS": "8",
        },
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == after:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


_TRAINING = """
import sys
from pathlib import Path
from ml.forecasters.lstm import tensorflow_setup
tensorflow_setup.PARALLEL_OPERATIONS = 5
from lstm_examples import SLOWER, fitted
from ml.forecasters.lstm.samples import Samples
from ml.forecasters.lstm.training import Trainer
from ml_examples import panel_of, random_walk

run_epoch, take = Trainer.run_epoch, Samples.take
at = {"epoch": None, "batch": 0}

def telling_epochs(trainer, seed, epoch):
    at.update(epoch=epoch, batch=0)
    return run_epoch(trainer, seed, epoch)

def telling_batches(samples, chosen):
    at["batch"] += 1
    print("epoch", at["epoch"], "batch", at["batch"])
    return take(samples, chosen)

Trainer.run_epoch, Samples.take = telling_epochs, telling_batches
fitted(panel_of(random_walk(sessions=1200)), SLOWER, folder=Path(sys.argv[1]))
"""


def test_a_training_killed_in_mid_epoch_ends_with_the_bits_of_one_that_was_not(
    panel: Panel, tmp_path: Path
) -> None:
    """Nor do they hang on the number of cores: the one that is killed has others."""
    killed_in_mid_epoch(tmp_path, after="epoch 2 batch 5")
    assert [path.name for path in tmp_path.glob("seed_*.npz")] == ["seed_3.npz"]
    heard: list[Progress] = []
    resumed = fitted(panel, SLOWER, folder=tmp_path, listener=heard.append)
    whole = fitted(panel, SLOWER)
    assert_same_weights(whole, resumed)
    assert resumed.losses == whole.losses
    assert heard[0].done == 3
    assert [told.held_out_loss for told in heard[:2]] == [
        epoch.held_out for epoch in whole.losses[0][2:]
    ]


def test_a_kill_while_an_epoch_is_kept_loses_none_of_its_losses(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Checkpoint.write

    def killed_after(checkpoint: Checkpoint, path: Path) -> None:
        write(checkpoint, path)
        if len(checkpoint.losses) == 2:
            with (tmp_path / LOSSES_FILE).open("a") as file:
                file.write('{"model_name": "lst')
            raise KeyboardInterrupt

    short = replace(SLOWER, epochs=3, seeds=1)
    told = FitLosses("lstm", 1, Work(3, tmp_path))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Checkpoint, "write", killed_after)
        fitted(panel, short, folder=tmp_path, listener=told)
    for _ in range(2):
        resumed = FitLosses("lstm", 1, Work(3, tmp_path))
        forecaster = fitted(panel, short, folder=tmp_path, listener=resumed)
        assert [loss.held_out_loss for loss in resumed.told] == [
            epoch.held_out for epoch in forecaster.losses[0]
        ]


def test_finished_seeds_are_kept_and_not_trained_again(
    panel: Panel, brief: LstmForecaster, tmp_path: Path
) -> None:
    heard: list[Progress] = []
    two = fitted(panel, replace(BRIEF, seeds=2), folder=tmp_path, listener=heard.append)
    assert [told.what for told in heard] == ["lstm, seed 2 of 2"]
    np.testing.assert_array_equal(brief.weights[0][0], two.weights[0][0])
    assert len(two.losses) == 2


def test_progress_tells_epoch_losses_and_the_seconds_that_are_left(panel: Panel) -> None:
    heard: list[Progress] = []
    fitted(panel, replace(SLOWER, epochs=2), listener=heard.append)
    assert [(told.what, told.done, told.total) for told in heard] == [
        ("lstm, seed 1 of 2", 1, 2),
        ("lstm, seed 1 of 2", 2, 2),
        ("lstm, seed 2 of 2", 1, 2),
        ("lstm, seed 2 of 2", 2, 2),
    ]
    assert all(np.isfinite([told.loss, told.held_out_loss]).all() for told in heard)
    assert heard[0].seconds_left > 0
    assert heard[-1].seconds_left == 0


@pytest.mark.parametrize(
    ("factor", "changed"), [(1.0, replace(BRIEF, learning_rate=1e-2)), (1.1, BRIEF)]
)
def test_a_checkpoint_of_other_settings_or_data_is_not_gone_on_from(
    panel: Panel, brief: LstmForecaster, tmp_path: Path, factor: float, changed: LstmSettings
) -> None:
    heard: list[Progress] = []
    values = panel.values.copy()
    values[400] *= factor
    other = replace(panel, values=values)
    fitted(other, changed, folder=tmp_path, listener=heard.append)
    assert [told.done for told in heard] == [1], "it was trained, not taken"


@pytest.mark.parametrize("kept", [0, 500])
def test_a_damaged_checkpoint_is_said_and_training_begins_anew(
    panel: Panel,
    brief: LstmForecaster,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kept: int,
) -> None:
    path = tmp_path / "seed_3.npz"
    path.write_bytes(path.read_bytes()[:kept])
    assert_same_weights(brief, fitted(panel, BRIEF, folder=tmp_path))
    assert "seed_3.npz cannot be read" in caplog.text
