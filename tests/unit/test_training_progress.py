"""How far a training is, as a terminal shows it and as a log says it."""

import logging
import re

import pytest

from ml.work import Progress, TrainingProgress
from pipelines.forecast.training_progress import shown_progress

STEP = Progress("lstm, seed 2 of 5", 3, 12, 1.0512, 1.0234, 60.0)


def told(part: str, step: Progress | None = None, left: float | None = 80.0) -> TrainingProgress:
    return TrainingProgress(part, 4, 45, 0.25, left, step)


def test_a_log_says_each_part_as_it_begins_and_steps_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with shown_progress() as listener:
        listener(told("naive, fold 1 of 4", left=None))
        listener(told("naive, fold 1 of 4", left=None))
        listener(told("lstm, fold 1 of 4", STEP, left=1800.0))
        for _ in range(5):
            listener(told("lstm, fold 1 of 4", STEP))
    assert caplog.messages == [
        "25 %, part 5 of 45: naive, fold 1 of 4",
        "25 %, part 5 of 45: lstm, fold 1 of 4; lstm, seed 2 of 5, 3 of at most 12, loss 1.0512, "
        "held out 1.0234; 30 min left",
    ]


def test_a_bar_shows_losses_and_time_left_on_a_narrow_terminal_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    with shown_progress() as listener:
        listener(told("lstm, fold 1 of 4", STEP))
    without_colours = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    shown = " ".join(without_colours.split())
    assert all(part in shown for part in ("25 %", "1.0512", "1.0234", "80 s left"))
