"""A training that is watched says part, epoch, loss and the time that is left."""

import logging

import pytest

from ml.work import Progress, TrainingProgress
from pipelines.forecast.training_progress import describe, shown_progress

EPOCH = Progress("lstm, seed 1 of 2", 3, 8, 0.91234, 0.98765, 40.0)
MIDDLE = TrainingProgress("lstm, fold 1 of 1", 7, 16, 0.42, 125.0, EPOCH)


def test_progress_names_part_epoch_loss_and_time_left() -> None:
    assert describe(MIDDLE) == (
        "part 8 of 16: lstm, fold 1 of 1; lstm, seed 1 of 2, 3 of at most 8, loss 0.9123, held "
        "out 0.9877; 2 min left"
    )


def test_before_anything_is_known_no_time_is_promised() -> None:
    begun = TrainingProgress("sma, fold 1 of 1", 0, 16, 0.0, None, None)
    assert describe(begun) == "part 1 of 16: sma, fold 1 of 1"


def test_where_nobody_watches_each_part_is_logged_once_and_then_every_few_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    following = TrainingProgress("ridge, fold 1 of 1", 8, 16, 0.5, 60.0, None)
    with shown_progress() as show:
        for progress in (MIDDLE, MIDDLE, MIDDLE, following):
            show(progress)
    assert [record.message.split(",")[0] for record in caplog.records] == ["42 %", "50 %"]
