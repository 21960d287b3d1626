"""The figures of a backtest against papers, brute force and what chance does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.backtest.statistics import (
    annual_return,
    deflated_sharpe,
    deflated_sharpes,
    difference,
    drawdowns,
    expected_highest_sharpe,
    sharpe_ratio,
    sharpe_standard_error,
    worst_year,
)


def test_the_deflated_sharpe_ratio_is_that_of_the_papers_example() -> None:
    # Bailey and Lopez de Prado (2014), section "A numerical example": 100 trials with a variance of
    # 1/2 of annual ratios, the best 2.5 over five years of daily returns.
    benchmark = expected_highest_sharpe(0.5 / 250, 100)
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    found = deflated_sharpe(2.5 / np.sqrt(250), 1250, -3.0, 10.0, benchmark)
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_fewer_trials_deflate_less_as_in_the_papers_example() -> None:
    benchmark = expected_highest_sharpe(0.5 / 250, 46)
    found = deflated_sharpe(2.5 / np.sqrt(250), 1250, -3.0, 10.0, benchmark)
    assert found == pytest.approx(0.9505, abs=5e-5)


def test_of_many_trials_without_skill_the_best_is_not_believed() -> None:
    noise = np.random.default_rng(5).normal(0.0, 0.01, (2500, 200))
    best = deflated_sharpes(noise).max()
    assert best < 0.95
    twice = np.hstack([noise, noise])  # the same portfolios again are no more trials
    assert deflated_sharpes(twice).tolist() == pytest.approx([*deflated_sharpes(noise)] * 2)
    assert deflated_sharpe(sharpe_ratio(noise.T[0]) + 0.2, 2500, 0.0, 3.0, 0.0) > 0.95


def test_the_error_of_a_sharpe_ratio_is_los_where_returns_are_independent_and_normal() -> None:
    excess = np.random.default_rng(1).normal(0.001, 0.01, 20_000)
    ratio = sharpe_ratio(excess)
    by_formula = np.sqrt((1 + ratio**2 / 2) / len(excess))
    assert sharpe_standard_error(excess) == pytest.approx(by_formula, rel=0.15)


def test_the_error_of_a_sharpe_ratio_grows_where_returns_persist() -> None:
    shocks = np.random.default_rng(2).normal(0.0, 0.01, 20_000)
    persistent = np.convolve(shocks, np.ones(5) / 5, mode="valid") + 0.001
    ratio = sharpe_ratio(persistent)
    alone = np.sqrt((1 + ratio**2 / 2) / len(persistent))
    assert sharpe_standard_error(persistent) > 1.8 * alone


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=30))
def test_drawdowns_are_those_of_brute_force(wealth: list[float]) -> None:
    values = np.array(wealth)
    by_hand = [values[t] / max(values[: t + 1]) - 1 for t in range(len(values))]
    assert drawdowns(values).tolist() == by_hand


def test_a_year_of_growth_is_the_annual_return() -> None:
    wealth = np.linspace(1.0, 1.0, 253)
    wealth[-1] = 1.1
    assert annual_return(wealth) == pytest.approx(0.1)


def test_the_worst_year_is_found_by_calendar_years() -> None:
    wealth = np.array([1.0, 1.2, 1.1, 0.9, 0.99, 1.5])
    years = np.array([2007, 2007, 2007, 2008, 2008, 2009])
    year, found = worst_year(wealth, years)
    assert (year, found) == (2008, pytest.approx(0.99 / 1.1 - 1))


def test_equal_portfolios_have_no_test() -> None:
    wealth = np.cumprod(1 + np.random.default_rng(4).normal(0.0, 0.01, 500))
    assert difference(wealth, wealth.copy()).p_value is None


def test_a_steady_gain_is_told_from_noise() -> None:
    noise = np.random.default_rng(6).normal(0.0, 0.001, (2, 2000))
    base = np.cumprod(1 + noise[0])
    better = base * np.cumprod(1 + noise[1] + 0.0004)
    found = difference(better, base)
    assert found.annual == pytest.approx(0.1, abs=0.02)
    assert found.p_value is not None
    assert found.p_value < 0.01
