"""What a training costs, how its search sizes networks, and what it keeps for the next one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ml_examples import dates_of

from ml.choice.validation_record import ValidationRecord
from ml.errors import ModelNotFoundError
from ml.plans import PROFILES
from ml.splits import walk_forward
from ml.training.costs import sample_cost
from ml.training.network_settings import lstm_settings
from ml.training.progress import Part, TrainingTeller
from ml.training.train import parts_of
from ml.work import Progress, TrainingProgress
from models.vocabulary import TrainingProfile

SAMPLE_SYMBOLS, SAMPLE_SESSIONS = 26, 8313
FOUND = {
    "layers": 1,
    "units": 32,
    "window_sessions": 21,
    "batch_size": 256,
    "learning_rate": 1e-3,
    "dropout": 0.1,
}


def most_seconds(profile: TrainingProfile) -> float:
    plan = PROFILES[profile]
    walk = walk_forward(SAMPLE_SESSIONS, plan.folds)
    return sum(part.cost for part in parts_of(SAMPLE_SYMBOLS, walk, plan))


def test_full_is_four_folds_five_seeds_and_twenty_trials_in_ninety_minutes() -> None:
    plan = PROFILES[TrainingProfile.FULL]
    assert plan.search is not None
    assert (plan.folds.folds, plan.lstm.seeds, plan.search.trials) == (4, 5, 20)
    assert most_seconds(TrainingProfile.FULL) < 90 * 60


def test_quick_takes_no_more_than_a_minute() -> None:
    assert most_seconds(TrainingProfile.QUICK) < 60


def test_an_epoch_of_a_larger_network_shows_fewer_windows_and_costs_the_same() -> None:
    base = PROFILES[TrainingProfile.FULL].lstm
    small = lstm_settings(base, {**FOUND, "window_sessions": 42, "units": 64})
    large = lstm_settings(base, {**FOUND, "layers": 2, "units": 128, "window_sessions": 60})
    assert large.units == (128, 128)
    assert large.samples_per_epoch < base.samples_per_epoch < small.samples_per_epoch
    for found in (small, large):
        cost = found.samples_per_epoch * sample_cost(found)
        assert cost == pytest.approx(base.samples_per_epoch * sample_cost(base), rel=1e-3)


def test_what_a_search_does_not_look_for_stays_as_planned() -> None:
    base = PROFILES[TrainingProfile.FULL].lstm
    found = lstm_settings(base, FOUND)
    kept = {"seeds", "epochs", "patience_epochs", "weight_decay", "embedding_size"}
    assert all(getattr(found, name) == getattr(base, name) for name in kept)
    assert (found.learning_rate, found.dropout, found.batch_size) == (1e-3, 0.1, 256)


def test_time_left_is_judged_by_what_was_worked_on_here_alone() -> None:
    told: list[TrainingProgress] = []
    teller = TrainingTeller([Part(name, 10.0) for name in "abcd"], told.append)
    for part in "ab":  # kept from a training that was killed
        teller.begin(part)
        teller.end(part, worked=False)
    assert told[-1].share == pytest.approx(0.5) and told[-1].seconds_left is None
    teller.begin("c")
    teller.step("c", Progress("epoch", 1, 2, 1.0, 1.0, seconds_left=1e9))
    assert told[-1].share == pytest.approx(0.5)
    assert told[-1].seconds_left is not None and told[-1].seconds_left > 1e8
    teller.end("c")
    assert told[-1].seconds_left is not None and told[-1].seconds_left < 1.0
    teller.end("d", worked=False)
    assert (told[-1].done, told[-1].total, told[-1].share) == (4, 4, 1.0)


def test_what_was_done_elsewhere_is_counted_and_not_told() -> None:
    told: list[TrainingProgress] = []
    teller = TrainingTeller([Part(name, 10.0) for name in "abcd"], told.append)
    teller.begin("a")
    teller.end("a")
    before = len(told)
    teller.skip("abc")
    assert len(told) == before
    teller.begin("d")
    assert (told[-1].part, told[-1].done, told[-1].share) == ("d", 3, pytest.approx(0.75))


def record(symbols: tuple[str, ...] = ("A", "B")) -> ValidationRecord:
    sessions = np.array(dates_of(4), "datetime64[D]")
    mean = np.arange(2.0 * 4 * len(symbols)).reshape(2, 4, len(symbols))
    return ValidationRecord(sessions, symbols, (5, 21), mean)


def test_a_validation_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = record()
    read = ValidationRecord.load(written.save(tmp_path))
    assert (read.symbols, read.horizons) == (written.symbols, written.horizons)
    np.testing.assert_array_equal(read.sessions, written.sessions)
    np.testing.assert_array_equal(read.mean, written.mean)


def test_a_record_is_laid_beside_other_sessions_and_symbols_by_their_names() -> None:
    kept = record()
    found = kept.on(kept.sessions[2:], ("B", "C", "A"), 21)
    np.testing.assert_array_equal(found[:, 0], kept.mean[1, 2:, 1])
    np.testing.assert_array_equal(found[:, 2], kept.mean[1, 2:, 0])
    assert np.isnan(found[:, 1]).all()
    later = kept.sessions + np.timedelta64(1000, "D")
    assert np.isnan(kept.on(later, ("A",), 21)).all()
    assert np.isnan(kept.on(kept.sessions, ("A",), 63)).all()


def test_a_missing_or_damaged_record_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"validation forecasts.*missing or damaged"):
        ValidationRecord.load(tmp_path / "nowhere.npz")
    path = replace(record(), horizons=(5,)).save(tmp_path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    for damaged in (b"", whole[:200], whole[:middle] + b"?" * 8 + whole[middle + 8 :], b"PK"):
        path.write_bytes(damaged)
        with pytest.raises(ModelNotFoundError, match="Train again"):
            ValidationRecord.load(path)
