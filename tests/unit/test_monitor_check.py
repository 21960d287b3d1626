"""A new training is due for a reason that its sentence names, and for no other."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml.rolling import Floats
from pipelines.monitor.check import Drift, InService, ModelCheck, Realised, judge
from pipelines.monitor.drift import drift_of, population_stability_index
from pipelines.monitor.realised import Record, judge_record

SESSION = dt.date(2022, 12, 28)
SERVING = InService("training", "smartinvest-ema", 30, same_method=True)
SOUND = Realised(252, 0.99, 0.4, 0.79, (0.7, 0.88))
STILL = Drift(60, 4, "vol_21d_annual", 0.4)


def check(**changes: Any) -> ModelCheck:
    parts = {"serving": SERVING, "realised": SOUND, "drift": STILL}
    made = {
        name: replace(part, **changes[name]) if name in changes else part
        for name, part in parts.items()
    }
    return judge("sample", SESSION, made["serving"], made["realised"], made["drift"])


def test_nothing_lost_nothing_old_nothing_drifted_is_not_due() -> None:
    found = check()
    assert not found.retraining_due
    assert found.reason == (
        "the last training is 30 of 63 sessions old; neither skill nor coverage is lost over 252 "
        "realised sessions; 4 of 60 features have drifted"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"serving": {"age_sessions": 64}}, "64 sessions old, more than the 63 allowed"),
        ({"serving": {"same_method": False}}, "the plan or the code"),
        ({"realised": {"skill_p_value": 0.0099}}, "worse than the expanding mean, p = 0.0099"),
        ({"realised": {"coverage_80": 0.69}}, "held 69.0%, where chance allows 70.0% to 88.0%"),
        ({"realised": {"coverage_80": 0.89}}, "held 89.0%"),
        ({"drift": {"drifted": 16}}, "16 of 60 features have drifted"),
    ],
)
def test_each_cause_alone_makes_it_due_and_is_named(changes: dict[str, Any], said: str) -> None:
    found = check(**changes)
    assert found.retraining_due
    assert said in found.reason
    assert ";" not in found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"serving": {"age_sessions": 63}},
        {"realised": {"skill_p_value": 0.01}},
        {"realised": {"skill_p_value": None, "coverage_80": 0.1, "band_80": None}},
        {"drift": {"drifted": 15}},
        {"realised": {"sessions": 62, "skill_p_value": 0.001, "coverage_80": 0.1}},
        {
            "serving": {"age_sessions": 20},
            "realised": {"skill_p_value": 0.001, "coverage_80": 0.1},
            "drift": {"drifted": 60},
        },
    ],
)
def test_at_the_limits_with_little_realised_and_soon_after_a_training_it_is_not_due(
    changes: dict[str, Any],
) -> None:
    assert not check(**changes).retraining_due


def test_several_causes_are_all_named() -> None:
    found = check(serving={"age_sessions": 70}, drift={"drifted": 40})
    assert "70 sessions old" in found.reason
    assert "40 of 60" in found.reason


def record(sessions: int = 252, **changes: Any) -> Record:
    """Overlapping outcomes of 21 sessions, and forecasts that are the expanding mean's."""
    generator = np.random.default_rng(3)
    daily = generator.normal(0.0, 0.01, (sessions + 21, 6)) + generator.normal(
        0.0, 0.008, (sessions + 21, 1)
    )
    outcome = np.stack([daily[row + 1 : row + 22].sum(axis=0) for row in range(sessions)])
    spread = 1.2816 * outcome.std()
    values = {
        "positions": np.arange(sessions),
        "outcome": outcome,
        "mean": np.full(outcome.shape, 0.004),
        "benchmark": np.full(outcome.shape, 0.004),
        "lower_80": np.full(outcome.shape, -spread),
        "upper_80": np.full(outcome.shape, spread),
    }
    return Record(**(values | changes))


def test_a_sound_record_shows_neither_loss() -> None:
    found = judge_record(record())
    assert found.sessions == 252
    assert found.skill_p_value is None  # what served is the expanding mean itself
    assert found.band_80 is not None
    assert found.coverage_80 is not None
    assert found.band_80[0] <= found.coverage_80 <= found.band_80[1]


def test_planted_decay_of_skill_is_found_and_its_reverse_is_not() -> None:
    sound = record()
    noise = np.random.default_rng(4).normal(0.0, 0.05, sound.outcome.shape)
    worse = judge_record(replace(sound, mean=sound.benchmark + noise))
    better = judge_record(replace(sound, mean=0.5 * sound.outcome))
    assert worse.skill_p_value is not None
    assert worse.skill_p_value < 0.001
    assert better.skill_p_value is not None
    assert better.skill_p_value > 0.99


def test_planted_decay_of_coverage_is_found() -> None:
    sound = record()
    narrow = judge_record(replace(sound, lower_80=sound.lower_80 / 3, upper_80=sound.upper_80 / 3))
    assert narrow.coverage_80 is not None
    assert narrow.band_80 is not None
    assert narrow.coverage_80 < narrow.band_80[0]


def test_intervals_without_an_end_hold_all_beyond() -> None:
    sound = record()
    open_above = np.full(sound.outcome.shape, np.inf)
    found = judge_record(replace(sound, upper_80=open_above))
    assert found.coverage_80 == pytest.approx(
        float((sound.outcome >= sound.lower_80).mean()), abs=1e-12
    )


def test_the_stability_index_is_that_of_its_formula() -> None:
    expected, found = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    by_hand = -0.1 * np.log(0.4 / 0.5) + 0.1 * np.log(0.3 / 0.2)
    assert population_stability_index(expected, found) == pytest.approx(by_hand, rel=1e-12)
    assert population_stability_index(expected, expected) == 0
    assert np.isfinite(population_stability_index(expected, np.array([1.0, 0.0, 0.0])))


WINDOWS = np.repeat(np.arange(24), 63 * 5)


def drift(values: Floats) -> tuple[float, float]:
    """The index of the last window, and what is far for it, with 20 windows fitted on."""
    found = drift_of(values, WINDOWS, fitted=20)
    assert found is not None
    return found


def test_a_feature_that_stays_as_it_was_has_not_drifted_and_one_that_moved_has() -> None:
    values = np.random.default_rng(5).normal(size=len(WINDOWS))
    index, usual = drift(values)
    assert index < usual == 0.25
    moved = np.where(WINDOWS == 23, values + 2.0, values)
    index, usual = drift(moved)
    assert index > 1.0 > usual


def test_a_slow_feature_that_always_moved_so_has_not_drifted() -> None:
    slow = np.sin(WINDOWS / 3.0) + 0.01 * np.random.default_rng(6).normal(size=len(WINDOWS))
    index, usual = drift(slow)
    assert 0.25 < index <= usual


def test_with_a_short_past_nothing_is_said() -> None:
    assert drift_of(np.zeros(len(WINDOWS)), WINDOWS, fitted=19) is None
    found = check(drift={"features": 0, "drifted": 0, "most": None, "largest": None})
    assert "too short to tell drift" in found.reason


def test_a_feature_that_goes_missing_has_drifted() -> None:
    values = np.random.default_rng(7).normal(size=len(WINDOWS))
    index, usual = drift(np.where(WINDOWS == 23, np.nan, values))
    assert index > usual


def test_sessions_between_fitting_and_now_do_not_count() -> None:
    values = np.random.default_rng(8).normal(size=len(WINDOWS))
    elsewhere = np.where((WINDOWS >= 20) & (WINDOWS < 23), values + 50.0, values)
    assert drift(values) == drift(elsewhere)
