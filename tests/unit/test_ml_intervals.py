import numpy as np
import pytest
from loss_series import overlapping

from ml.evaluation.intervals import (
    block_bootstrap,
    chance_band,
    coverage,
    coverage_by_year,
    overlap_band,
)

HORIZON = 5
LEVEL = 0.8


def test_coverage_width_and_missing_ends_are_those_that_a_person_counts() -> None:
    outcomes = np.array([[0.0, 0.1], [0.2, 0.3], [0.4, 0.5]])
    lower = np.array([[-0.1, 0.2], [-np.inf, 0.3], [np.nan, 0.0]])
    upper = np.array([[0.1, 0.4], [0.1, np.inf], [np.nan, 0.5]])
    where = np.array([[True, True], [True, True], [True, False]])
    found = coverage(lower, upper, outcomes, where)
    assert found.inside.tolist() == [1, 1, 0]
    assert found.given.tolist() == [2, 2, 0]
    assert found.share == pytest.approx(2 / 4)
    assert found.width == pytest.approx((0.2 + 0.2) / 2)
    assert found.unbounded == pytest.approx(2 / 4)


def test_without_intervals_nothing_is_said_of_them() -> None:
    missing = np.full((3, 2), np.nan)
    found = coverage(missing, missing, np.zeros((3, 2)), np.ones((3, 2), np.bool_))
    assert (found.share, found.width, found.unbounded) == (None, None, None)
    sessions = np.datetime64("2020-01-02") + np.arange(3)
    assert coverage_by_year(found, sessions, LEVEL, HORIZON) == ()


def test_endless_intervals_hold_everything_and_have_no_width() -> None:
    endless = np.full((3, 2), np.inf)
    found = coverage(-endless, endless, np.zeros((3, 2)), np.ones((3, 2), np.bool_))
    assert (found.share, found.width, found.unbounded) == (1.0, None, 1.0)


def record(seed: int, sessions: int, symbols: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Counts inside intervals that hold 80 %, of symbols that are missed together."""
    generator = np.random.default_rng(seed)
    common = overlapping(generator, sessions, 1, HORIZON)
    own = overlapping(generator, sessions, symbols, HORIZON)
    outcomes = (np.sqrt(0.5) * common + np.sqrt(0.5) * own) / np.sqrt(HORIZON)
    return (np.abs(outcomes) <= 1.2816).sum(axis=1), np.full(sessions, symbols)


def test_the_band_holds_about_nineteen_of_twenty_years() -> None:
    outside, years = 0, 0
    for seed in range(60):
        inside, given = record(seed, 1008)
        band = chance_band(inside, given, 252, LEVEL, HORIZON)
        assert band is not None
        for start in range(0, 1008, 252):
            share = inside[start : start + 252].sum() / given[start : start + 252].sum()
            outside += not band[0] <= share <= band[1]
            years += 1
    assert 0.02 < outside / years < 0.10


def test_symbols_of_a_session_and_neighbouring_sessions_are_no_independent_evidence() -> None:
    inside, given = record(1, 1008)
    band = chance_band(inside, given, 252, LEVEL, HORIZON)
    assert band is not None
    as_if_independent = 2 * 1.96 * np.sqrt(0.8 * 0.2 / (252 * 6))
    assert band[1] - band[0] > 2.5 * as_if_independent


def test_the_band_lies_about_the_level_whatever_the_record_holds() -> None:
    generator = np.random.default_rng(2)
    for held in (0.7, 0.8, 0.95):
        inside = generator.binomial(50, held, size=1000)
        band = chance_band(inside, np.full(1000, 50), 252, LEVEL, HORIZON)
        assert band is not None
        assert band[0] < LEVEL < band[1]
        assert sum(band) / 2 == pytest.approx(LEVEL, abs=0.01)


def test_a_short_record_or_one_that_misses_nothing_has_no_band() -> None:
    inside, given = record(3, 59)
    assert chance_band(inside, given, 59, LEVEL, HORIZON) is None
    assert chance_band(given := np.full(1000, 6), given, 252, LEVEL, HORIZON) is None


@pytest.mark.parametrize("sessions", [63, 252])
def test_the_band_of_a_short_run_holds_nineteen_of_twenty_runs_or_more(sessions: int) -> None:
    outside = 0
    for seed in range(300):
        inside, given = record(seed, sessions)
        band = overlap_band(inside, given, np.arange(sessions), LEVEL, HORIZON)
        assert band is not None
        outside += not band[0] <= inside.sum() / given.sum() <= band[1]
    assert 0.005 < outside / 300 < 0.07


def test_a_run_shorter_than_three_horizons_or_without_any_change_has_no_band() -> None:
    inside, given = record(1, 14)
    assert overlap_band(inside, given, np.arange(14), LEVEL, HORIZON) is None
    assert overlap_band(given := np.full(100, 6), given, np.arange(100), LEVEL, HORIZON) is None


def test_whole_sessions_are_drawn_and_each_equally_often() -> None:
    counts = np.arange(1, 41)
    shares = block_bootstrap(np.ones(40, np.int64), counts, 40, 15)
    assert shares.min() >= 40 / (40 * 40)
    ones = block_bootstrap((counts == 1).astype(np.int64), np.ones(40, np.int64), 40, 15)
    assert ones.mean() == pytest.approx(1 / 40, rel=0.1)
    assert set(np.round(ones * 40).astype(int)) <= {0, 1, 2, 3}


def test_years_follow_the_whole_period_and_add_up_to_it() -> None:
    inside, given = record(4, 600)
    sessions = np.datetime64("2019-07-01") + np.arange(600)
    hit = np.arange(6)[None, :] < inside[:, None]
    end = np.where(hit, 1.0, -0.5)
    found = coverage(-np.ones_like(end), end, np.zeros_like(end), np.ones(hit.shape, np.bool_))
    rows = coverage_by_year(found, sessions, LEVEL, HORIZON)
    assert [row.year for row in rows] == [None, 2019, 2020, 2021]
    whole, *years = rows
    assert whole.forecasts == sum(row.forecasts for row in years) == given.sum()
    weighted = sum(row.coverage * row.forecasts for row in years) / whole.forecasts
    assert whole.coverage == pytest.approx(weighted)
    assert whole.coverage == pytest.approx(inside.sum() / given.sum())
    for row in rows:
        assert row.lowest is not None
        assert row.highest is not None
        assert row.lowest < LEVEL < row.highest
