"""How far a training is, as a log says it where no person watches."""

import logging

import pytest

from ml.work import Progress, TrainingProgress
from pipelines.progress import training_progress

STEP = Progress("lstm, seed 2 of 5", 3, 12, 1.0512, 1.0234, 60.0)


def told(part: str, step: Progress | None = None, left: float | None = 90.0) -> TrainingProgress:
    return TrainingProgress(part, 4, 45, 0.25, left, step)


def test_a_log_says_each_part_as_it_begins_and_steps_now_and_then(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with training_progress() as listener:
        listener(told("naive, fold 1 of 4", left=None))
        listener(told("naive, fold 1 of 4", left=None))
        listener(told("lstm, fold 1 of 4", STEP, left=1800.0))
        for _ in range(5):
            listener(told("lstm, fold 1 of 4", STEP))
    assert caplog.messages == [
        "training 25 %: 4 of 45 parts done, now naive, fold 1 of 4",
        "training 25 %: 4 of 45 parts done, now lstm, fold 1 of 4 (lstm, seed 2 of 5, step 3 of at "
        "most 12: loss 1.0512, on validation 1.0234); at most 30 min left",
    ]


def test_a_bar_is_drawn_where_a_person_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with training_progress() as listener:
        listener(told("lstm, fold 1 of 4", STEP))
    shown = capsys.readouterr().err
    assert "25%" in shown
    assert "left" in shown
