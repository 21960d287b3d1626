"""The training benchmark: the same work for all, and a tiny run."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.train.task import WINDOW_SESSIONS, Task
from pipelines.cli import app


def test_every_window_of_the_task_is_there_once_and_whole() -> None:
    task = Task(symbols=3, sessions=64, steps=1)
    ends = task.ends()
    assert len(ends) == task.windows == len(task.targets()) == 15
    assert len({tuple(pair) for pair in ends}) == 15
    assert ends[:, 0].min() == WINDOW_SESSIONS - 1
    assert (ends.max(axis=0) == [63, 2]).all()
    # Keras' windows, written out, stand in the same order: all of a symbol together.
    assert (np.diff(ends[:, 1]) >= 0).all()


@pytest.mark.long
def test_all_who_train_forecast_alike_with_the_same_weights() -> None:
    options = ["--symbols", "4", "--sessions", "200", "--steps", "2", "--no-torch"]
    ran = CliRunner().invoke(
        app, ["bench", "train", *options, "--moving-average-symbols", "20"], catch_exceptions=False
    )
    line = json.loads(ran.stdout.splitlines()[-1])
    assert line["bench"] == "train"
    assert line["samples"] == 1024
    assert set(line["ratios"]) == {"keras_fit", "keras_fit_memory"}
    assert all(ratio > 0 for ratio in line["ratios"].values())
    assert line["errors"]["keras_fit"] < 1e-5
    assert set(line["loss_of"]) == {"ours", "keras_fit"}
    assert line["loss_of"]["ours"] == pytest.approx(line["loss_of"]["keras_fit"], abs=0.1)
    assert line["forecast_5000_symbols"]["seconds"] > 0
    assert line["moving_averages"]["rows"] == 6300 * 20
