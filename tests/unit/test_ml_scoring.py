import datetime as dt
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_series import moving_sums
from ml_examples import panel_of, random_walk
from scipy import stats

from ml.errors import TrainingError
from ml.evaluation import Outcomes, score
from ml.evaluation.comparison import diebold_mariano
from ml.evaluation.hits import hits
from ml.evaluation.outcomes import majority_signs
from ml.rolling import Floats
from ml.scores import OutOfSample, Score
from models.store_scores import MODEL_SCORE, MODEL_SYMBOL_SCORE
from models.vocabulary import ScoredPeriod

HORIZONS = (5, 21)
SESSIONS = 600
SYMBOLS = 8


def outcomes_of(log_return: Floats, **changes: object) -> Outcomes:
    """Outcomes of one horizon of a session or more."""
    sessions, symbols = log_return.shape
    plain = Outcomes(
        horizons=(5,),
        positions=np.arange(100, 100 + sessions),
        sessions=np.datetime64("2019-11-04") + np.arange(sessions),
        symbols=tuple(f"S{number}" for number in range(symbols)),
        log_return=log_return[None],
        benchmark=np.full((1, sessions, symbols), 0.01),
        majority=np.ones((1, sessions), np.int64),
        where=np.isfinite(log_return)[None],
        models=1,
    )
    return replace(plain, **changes)


def forecasts_of(outcomes: Outcomes, mean: Floats, width: float = 0.1) -> OutOfSample:
    """Forecasts with the same mean from one seed, and intervals of given half widths."""
    halves = np.array([width, 2 * width])[:, None, None, None]
    return OutOfSample(
        positions=outcomes.positions,
        mean=mean,
        stdev=np.full(mean.shape, 0.05),
        seed_means=mean[None],
        lower=mean - halves,
        upper=mean + halves,
    )


def scored(outcomes: Outcomes, mean: Floats, width: float = 0.1) -> Score:
    return score(outcomes, forecasts_of(outcomes, mean, width), ScoredPeriod.TEST).scores[0]


def market(seed: int = 1, skill: float = 0.0) -> tuple[Outcomes, Floats]:
    """Outcomes over both horizons of many symbols, and a forecast that knows a part of them."""
    generator = np.random.default_rng(seed)
    signal, noise = generator.normal(0.0, 0.01, (2, SESSIONS + 20, SYMBOLS))
    signals = [moving_sums(signal, horizon)[:SESSIONS] for horizon in HORIZONS]
    noises = [moving_sums(noise, horizon)[:SESSIONS] for horizon in HORIZONS]
    log_return = skill * np.stack(signals) + np.stack(noises)
    outcomes = Outcomes(
        horizons=HORIZONS,
        positions=np.arange(SESSIONS),
        sessions=np.datetime64("2019-06-03") + np.arange(SESSIONS),
        symbols=tuple(f"S{number}" for number in range(SYMBOLS)),
        log_return=log_return,
        benchmark=np.zeros(log_return.shape),
        majority=np.ones((2, SESSIONS), np.int64),
        where=np.ones(log_return.shape, np.bool_),
        models=1,
    )
    return outcomes, (skill or 1.0) * np.stack(signals)


def test_errors_are_those_that_a_person_computes() -> None:
    outcomes = outcomes_of(np.array([[0.1, -0.1], [0.2, np.nan]]))
    row = scored(outcomes, np.array([[[0.1, 0.0], [0.0, 9.0]]]), width=0.15)
    assert (row.forecasts, row.sessions, row.symbols) == (3, 2, 2)
    assert (row.period_start, row.period_end) == (dt.date(2019, 11, 4), dt.date(2019, 11, 5))
    assert row.mae == pytest.approx(0.3 / 3)
    assert row.rmse == pytest.approx(np.sqrt(0.05 / 3))
    assert row.mae_to_naive == pytest.approx(0.3 / 0.4)
    assert row.rmse_to_naive == pytest.approx(np.sqrt(0.05 / 0.06))
    assert row.r2_out_of_sample == pytest.approx(1 - 0.05 / (0.0081 + 0.0121 + 0.0361))
    assert row.coverage_80 == pytest.approx(2 / 3)
    assert row.coverage_95 == pytest.approx(1.0)
    assert row.width_80 == pytest.approx(0.3)
    assert row.unbounded_80 == 0.0
    assert row.hit_rate == pytest.approx(1.0)
    assert row.majority_rate == pytest.approx(1.0)


def test_both_horizons_are_scored_by_symbol_and_by_year_too() -> None:
    outcomes, mean = market()
    found = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.VALIDATION)
    assert [row.horizon_sessions for row in found.scores] == [5, 21]
    assert {row.period for row in found.scores} == {ScoredPeriod.VALIDATION}
    assert len(found.symbol_scores) == 2 * SYMBOLS
    kinds = {(row.horizon_sessions, row.level, row.year) for row in found.coverage}
    assert kinds == {
        (h, q, y) for h in HORIZONS for q in (0.8, 0.95) for y in (None, 2019, 2020, 2021)
    }


def test_statistics_are_of_each_sessions_mean_over_symbols() -> None:
    outcomes, mean = market(skill=0.5)
    row = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST).scores[1]
    truth, forecast = outcomes.log_return[1], mean[1]
    losses, naive = np.mean((truth - forecast) ** 2, axis=1), np.mean(truth**2, axis=1)
    test = diebold_mariano(losses, naive, outcomes.positions, 21)
    assert row.dm_naive == pytest.approx(float(test.statistic))
    assert row.dm_naive_p_value == pytest.approx(float(test.p_value))
    assert row.dm_mean == pytest.approx(row.dm_naive)  # this expanding mean is zero
    apart = [stats.ttest_1samp((losses - naive)[at::21], 0.0).pvalue for at in range(21)]
    assert row.dm_naive_p_value_apart == pytest.approx(max(apart))
    correlations = [stats.spearmanr(*pair).statistic for pair in zip(forecast, truth, strict=True)]
    assert row.rank_ic == pytest.approx(np.mean(correlations))


def test_skill_shows_everywhere_and_its_absence_nowhere() -> None:
    outcomes, mean = market(skill=0.7)
    good = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST).scores[0]
    assert good.rmse_to_naive is not None
    assert good.rmse_to_naive < 0.9
    for statistic in (good.rank_ic_t, good.hit_rate_t):
        assert statistic is not None
        assert statistic > 4
    assert good.dm_naive is not None
    assert good.dm_naive < -4
    assert good.symbols_better is not None
    assert good.symbols_better >= SYMBOLS / 2
    assert good.symbols_worse == 0
    none = score(outcomes, forecasts_of(outcomes, market(2)[1]), ScoredPeriod.TEST).scores[0]
    assert none.rank_ic_t is not None
    assert abs(none.rank_ic_t) < 3
    assert (none.symbols_better, none.symbols_worse) == (0, SYMBOLS)  # it is as loud as the truth


def test_the_zero_forecast_says_nothing_of_order_or_sign_and_equals_itself() -> None:
    outcomes, mean = market()
    row = score(outcomes, forecasts_of(outcomes, 0 * mean), ScoredPeriod.TEST).scores[0]
    assert row.mae_to_naive == row.rmse_to_naive == 1.0
    assert row.rank_ic is row.rank_ic_t is None
    assert row.hit_rate is row.majority_rate is row.hit_rate_t is None
    assert row.dm_naive is row.dm_naive_p_value is row.dm_naive_p_value_apart is None
    assert row.symbols_better is row.symbols_worse is None


def test_one_symbol_has_no_rank_correlation_and_one_session_no_test() -> None:
    generator = np.random.default_rng(1)
    outcomes = outcomes_of(generator.normal(0, 0.05, (200, 1)))
    alone = scored(outcomes, generator.normal(0, 0.05, (1, 200, 1)))
    assert alone.rank_ic is alone.rank_ic_t is None
    assert alone.dm_naive is not None
    outcomes = outcomes_of(generator.normal(0, 0.05, (1, 9)))
    once = scored(outcomes, generator.normal(0, 0.05, (1, 1, 9)))
    assert once.rank_ic is not None
    assert once.rank_ic_t is once.dm_naive is once.hit_rate_t is None


def test_outcomes_that_are_all_zero_leave_no_ratio() -> None:
    row = scored(outcomes_of(np.zeros((30, 6))), np.full((1, 30, 6), 0.01))
    assert row.mae_to_naive is row.rmse_to_naive is None
    assert row.r2_out_of_sample is not None
    assert row.hit_rate is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), sessions=st.integers(1, 90), symbols=st.integers(1, 8))
def test_no_number_is_ever_nan_or_infinite_or_out_of_the_tables_bounds(
    seed: int, sessions: int, symbols: int
) -> None:
    generator = np.random.default_rng(seed)
    log_return = np.round(generator.normal(0, 0.02, (sessions, symbols)), 2)
    log_return[generator.random(log_return.shape) < 0.3] = np.nan
    log_return[0, 0] = 0.01
    outcomes = outcomes_of(log_return)
    mean = np.round(generator.normal(0, 0.01, (1, sessions, symbols)), 2)
    forecasts = forecasts_of(outcomes, mean, 0.02)
    forecasts.upper[generator.random(forecasts.upper.shape) < 0.2] = np.inf
    forecasts.lower[generator.random(forecasts.lower.shape) < 0.2] = np.nan
    found = score(outcomes, forecasts, ScoredPeriod.TEST)
    for table, rows in ((MODEL_SCORE, found.scores), (MODEL_SYMBOL_SCORE, found.symbol_scores)):
        for row in rows:
            for name, value in asdict(row).items():
                column = table[name]
                if value is None:
                    assert column.nullable, name
                elif isinstance(value, float | int) and not isinstance(value, bool):
                    assert math.isfinite(value), name
                    assert column.at_least is None or value >= column.at_least, name
                    assert column.at_most is None or value <= column.at_most, name


def test_every_field_of_a_score_is_a_column_of_its_table() -> None:
    outcomes, mean = market()
    found = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST)
    assert set(asdict(found.scores[0])) <= set(MODEL_SCORE.column_names)
    assert set(asdict(found.symbol_scores[0])) <= set(MODEL_SYMBOL_SCORE.column_names)


def test_symbols_are_corrected_for_testing_all_of_them() -> None:
    outcomes, mean = market(skill=0.2)
    rows = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST).symbol_scores
    plain = [row.dm_naive_p_value for row in rows if row.horizon_sessions == 5]
    corrected = [row.dm_naive_p_value_corrected for row in rows if row.horizon_sessions == 5]
    smallest = min(value for value in plain if value is not None)
    assert min(value for value in corrected if value is not None) == pytest.approx(
        min(1.0, SYMBOLS * smallest)
    )


def test_the_spread_over_seeds_is_that_of_each_seed_alone() -> None:
    outcomes, mean = market(skill=0.5)
    seeds = np.stack([0.5 * mean, mean, 2.0 * mean])
    forecasts = replace(forecasts_of(outcomes, mean), seed_means=seeds)
    row = score(outcomes, forecasts, ScoredPeriod.TEST).scores[0]
    alone = [
        score(outcomes, forecasts_of(outcomes, seed), ScoredPeriod.TEST).scores[0].rmse_to_naive
        for seed in seeds
    ]
    assert row.seeds == 3
    assert row.rmse_to_naive_seed_lowest == pytest.approx(min(alone))
    assert row.rmse_to_naive_seed_highest == pytest.approx(max(alone))
    assert row.rmse_to_naive_seed_stdev == pytest.approx(np.std(alone, ddof=1))
    single = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST).scores[0]
    assert (single.seeds, single.rmse_to_naive_seed_stdev) == (1, None)


def test_the_order_of_symbols_changes_no_score() -> None:
    outcomes, mean = market(skill=0.3)
    shuffled = np.random.default_rng(9).permutation(SYMBOLS)
    mixed = replace(outcomes, log_return=outcomes.log_return[..., shuffled])
    plain = score(outcomes, forecasts_of(outcomes, mean), ScoredPeriod.TEST).scores[1]
    other = score(mixed, forecasts_of(mixed, mean[..., shuffled]), ScoredPeriod.TEST).scores[1]
    for name, value in asdict(plain).items():
        expected = pytest.approx(value) if isinstance(value, float) else value
        assert getattr(other, name) == expected, name


def test_a_missing_forecast_or_other_sessions_are_an_error() -> None:
    outcomes, mean = market()
    forecasts = forecasts_of(outcomes, mean)
    forecasts.mean[0, 3, 2] = np.nan
    with pytest.raises(TrainingError, match="missing where all models were said to have one"):
        score(outcomes, forecasts, ScoredPeriod.TEST)
    others = replace(forecasts_of(outcomes, mean), positions=outcomes.positions + 1)
    with pytest.raises(TrainingError, match="same sessions"):
        score(outcomes, others, ScoredPeriod.TEST)


def test_outcomes_are_what_the_panel_realised_and_count_where_all_models_forecast() -> None:
    panel = panel_of(random_walk(sessions=200, symbols=4))
    positions = np.arange(100, 150)
    benchmark = np.zeros((2, 50, 4))
    mean = benchmark.copy()
    mean[0, 7, 2] = np.nan
    outcomes = Outcomes.of(panel, positions, HORIZONS, benchmark, [mean, benchmark])
    assert outcomes.log_return[1] == pytest.approx(panel.forward_log_return(21)[100:150])
    assert not outcomes.where[0, 7, 2]
    assert outcomes.where.sum() == outcomes.where.size - 1
    assert outcomes.sessions[0] == panel.sessions[100]


def test_a_horizon_of_which_nothing_can_be_scored_is_refused() -> None:
    panel = panel_of(random_walk(sessions=200, symbols=4))
    benchmark = np.zeros((2, 15, 4))
    last = np.arange(180, 195)  # a week after them is known, a month is not
    with pytest.raises(TrainingError, match="forecasts that can be scored"):
        Outcomes.of(panel, last, HORIZONS, benchmark, [benchmark])


def test_the_majority_is_that_of_outcomes_realised_by_the_session_alone() -> None:
    outcomes = np.array([[1.0, -1.0], [1.0, np.nan], [-1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    assert majority_signs(outcomes, 2).tolist() == [0, 0, 0, 1, -1]
    changed = outcomes.copy()
    changed[3:] = -9.0
    assert majority_signs(changed, 2).tolist() == majority_signs(outcomes, 2).tolist()


def test_forecasts_and_outcomes_of_exactly_zero_are_no_calls() -> None:
    mean = np.array([[0.1, 0.0, -0.1, 0.2], [0.1, 0.1, 0.1, 0.1]])
    outcomes = np.array([[0.1, 0.1, 0.2, 0.0], [0.1, -0.1, -0.1, -0.1]])
    everywhere = np.ones((2, 4), np.bool_)
    found = hits(mean, outcomes, np.array([1, -1]), everywhere, np.arange(2), 1)
    assert found.rate == pytest.approx((1 + 1) / (2 + 4))
    assert found.majority_rate == pytest.approx((2 + 3) / (2 + 4))
    unsaid = hits(mean, outcomes, np.array([0, 0]), everywhere, np.arange(2), 1)
    assert unsaid.rate is unsaid.majority_rate is None


def test_always_saying_the_majority_is_no_better_than_the_majority() -> None:
    generator = np.random.default_rng(3)
    outcomes = generator.normal(0.3, 1.0, (400, 6))
    everywhere = np.ones(outcomes.shape, np.bool_)
    upwards = np.ones(400, np.int64)
    always_up = hits(1 + 0 * outcomes, outcomes, upwards, everywhere, np.arange(400), 5)
    assert always_up.rate == always_up.majority_rate
    assert always_up.rate is not None
    assert always_up.rate > 0.55
    assert always_up.statistic is None
    guess = generator.choice([-1.0, 1.0], outcomes.shape)
    guessed = hits(guess, outcomes, upwards, everywhere, np.arange(400), 5)
    assert guessed.statistic is not None
    assert guessed.statistic < -3
