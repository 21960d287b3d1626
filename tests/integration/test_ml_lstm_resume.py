"""A training that was killed ends as one that was not."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_examples import SLOWER, assert_same_weights, fitted
from ml_examples import panel_of, random_walk

from ml.forecasters.lstm_checkpoint import Checkpoint
from ml.panel import Panel
from ml.training.fit_losses import LOSSES_FILE, FitLosses
from ml.work import Progress, Work


@pytest.fixture(scope="module")
def panel() -> Panel:
    return panel_of(random_walk(sessions=1200))


def killed_in_mid_epoch(folder: Path, after: str) -> None:
    """Start the training in a process of its own and kill it when it has said ``after``."""
    with subprocess.Popen(
        [sys.executable, "-u", "-c", _TRAINING, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
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
from lstm_examples import SLOWER, fitted
from ml.forecasters.lstm_samples import Samples
from ml.forecasters.lstm_training import Trainer
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


def test_finished_seeds_are_kept_and_not_trained_again(panel: Panel, tmp_path: Path) -> None:
    short = replace(SLOWER, epochs=1)
    one = fitted(panel, replace(short, seeds=1), folder=tmp_path)
    heard: list[Progress] = []
    two = fitted(panel, short, folder=tmp_path, listener=heard.append)
    assert [told.what for told in heard] == ["lstm, seed 2 of 2"]
    np.testing.assert_array_equal(one.weights[0][0], two.weights[0][0])
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


def test_a_checkpoint_of_other_data_or_settings_is_not_gone_on_from(
    panel: Panel, tmp_path: Path
) -> None:
    short = replace(SLOWER, epochs=1, seeds=1)
    fitted(panel, replace(short, learning_rate=1e-2), folder=tmp_path)
    assert_same_weights(fitted(panel, short, folder=tmp_path), fitted(panel, short))


@pytest.mark.parametrize("kept", [0, 500])
def test_a_damaged_checkpoint_is_said_and_training_begins_anew(
    panel: Panel, tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: int
) -> None:
    short = replace(SLOWER, epochs=1, seeds=1)
    whole = fitted(panel, short, folder=tmp_path)
    path = tmp_path / "seed_3.npz"
    path.write_bytes(path.read_bytes()[:kept])
    assert_same_weights(whole, fitted(panel, short, folder=tmp_path))
    assert "seed_3.npz cannot be read" in caplog.text


def train_elsewhere(folder: Path, **environ: str) -> None:
    """Train ``SLOWER`` with two epochs in a process of its own and save it."""
    subprocess.run(
        [sys.executable, "-c", _WITH_OTHER_CORES, str(folder)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
            **environ,
        },
        check=True,
    )


def test_the_number_of_cores_changes_no_bit_of_what_is_learned(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    train_elsewhere(there, TF_NUM_INTRAOP_THREADS="8", PARALLEL_OPERATIONS="5")
    fitted(panel_of(random_walk(symbols=8)), replace(SLOWER, epochs=1)).save(here)
    assert (here / "weights.npz").read_bytes() == (there / "weights.npz").read_bytes()


_WITH_OTHER_CORES = """
import os, sys
from dataclasses import replace
from pathlib import Path
from ml import tensorflow_setup
tensorflow_setup.PARALLEL_OPERATIONS = int(os.environ["PARALLEL_OPERATIONS"])
from lstm_examples import SLOWER, fitted
from ml_examples import panel_of, random_walk
fitted(panel_of(random_walk(symbols=8)), replace(SLOWER, epochs=1)).save(Path(sys.argv[1]))
"""
