import numpy as np
import pytest
from loss_series import moving_sums

from ml.errors import TrainingError
from ml.evaluation import confidence, r2_out_of_sample, scored_by_all

HORIZON = 21
POSITIONS = np.arange(1200)


def test_only_what_all_models_forecast_and_what_is_known_counts() -> None:
    outcomes = np.array([[0.1, np.nan], [0.2, 0.3]])
    first = np.array([[0.0, 0.0], [np.nan, 0.0]])
    assert scored_by_all(outcomes, first, 0 * outcomes + 1).tolist() == [
        [True, False],
        [False, True],
    ]


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(TrainingError, match="forecasts that can be scored"):
        scored_by_all(np.full((3, 1), np.nan), np.zeros((3, 1)))


def test_r2_is_one_minus_the_ratio_of_squared_errors() -> None:
    outcomes = np.array([0.1, -0.1, 0.2])
    mean, benchmark = np.array([0.1, 0.0, 0.0]), np.full(3, 0.1)
    where = np.array([True, True, False])
    expected = 1 - 0.01 / 0.04
    assert r2_out_of_sample(outcomes, mean, benchmark, where) == pytest.approx(expected)


def test_against_a_benchmark_without_error_r2_says_nothing_and_nothing_is_earned() -> None:
    outcomes = np.zeros((100, 2))
    everywhere = np.ones(outcomes.shape, np.bool_)
    assert r2_out_of_sample(outcomes, outcomes + 1, outcomes, everywhere) is None
    assert confidence(outcomes, outcomes + 1, outcomes, everywhere, np.arange(100), 5) == 0.0


def overlapping_market(seed: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes over the horizon, and a forecast that holds a share of what drives them."""
    generator = np.random.default_rng(seed)
    signal, noise = generator.normal(size=(2, 1220, 8))
    return (
        moving_sums(skill * signal + noise, HORIZON) / HORIZON,
        skill * moving_sums(signal, HORIZON) / HORIZON,
    )


def earned(outcomes: np.ndarray, forecast: np.ndarray) -> float:
    everywhere = np.ones(outcomes.shape, np.bool_)
    return confidence(outcomes, forecast, 0 * outcomes, everywhere, POSITIONS, HORIZON)


def test_a_forecast_that_is_right_about_its_own_size_earns_nearly_full_confidence() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    assert 0.7 < earned(outcomes, forecast) <= 1.0


def test_a_forecast_that_boasts_earns_less_and_one_without_skill_nothing() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    _, unrelated = overlapping_market(seed=2, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    assert 0.3 < earned(outcomes, 1.6 * forecast) < 0.7
    r2 = r2_out_of_sample(outcomes, unrelated, 0 * outcomes, everywhere)
    assert r2 is not None
    assert r2 < 0
    assert earned(outcomes, unrelated) == 0.0


def test_confidence_is_more_than_the_true_weight_no_more_often_than_chance_allows() -> None:
    generator = np.random.default_rng(6)
    forecast = np.ones((1200, 1))
    found = []
    for _ in range(300):
        shocks = generator.normal(scale=0.4, size=(1200 + HORIZON - 1, 1))
        found.append(earned(0.7 + moving_sums(shocks, HORIZON), forecast))
    assert np.mean(np.array(found) > 0.7) < 0.09
    assert 0.15 < np.mean(found) < 0.5


def test_the_best_of_many_models_must_prove_more() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    args = outcomes, forecast, 0 * outcomes, everywhere, POSITIONS, HORIZON
    assert 0 < confidence(*args, models=9) < confidence(*args)


def test_a_forecast_that_hardly_differs_from_the_benchmark_earns_nothing() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    unrelated = overlapping_market(seed=2, skill=0.5)[1]
    faint = 0.005 * forecast + 0.02 * unrelated
    everywhere = np.ones(outcomes.shape, np.bool_)
    best = np.sum(faint * outcomes) / np.sum(np.square(faint))
    assert best > 3
    r2 = r2_out_of_sample(outcomes, faint, 0 * outcomes, everywhere)
    assert r2 is not None
    assert r2 > 0
    assert earned(outcomes, faint) == 0.0


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_forecast_no_better_than_zero_earns_nothing_however_much_better_than_the_benchmark(
    share: float,
) -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    nearer = -share * forecast
    r2 = r2_out_of_sample(outcomes, nearer, -forecast, everywhere)
    assert r2 is not None
    assert r2 > 0.2
    assert confidence(outcomes, nearer, -forecast, everywhere, POSITIONS, HORIZON) == 0.0


def test_the_benchmark_itself_earns_no_confidence() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    assert confidence(outcomes, forecast, forecast, everywhere, POSITIONS, HORIZON) == 0.0


def test_sharing_one_level_among_all_symbols_is_no_skill() -> None:
    generator = np.random.default_rng(4)
    shocks = generator.normal(scale=0.1, size=(1200 + HORIZON - 1, 8))
    outcomes = 0.3 + moving_sums(shocks, HORIZON)
    everywhere = np.ones(outcomes.shape, np.bool_)
    own_means = 0.3 + generator.normal(scale=0.3, size=(1, 8)) + 0 * outcomes
    shared = np.full(outcomes.shape, own_means.mean())
    r2 = r2_out_of_sample(outcomes, shared, own_means, everywhere)
    assert r2 is not None
    assert r2 > 0.1
    nearly = shared + generator.normal(scale=0.01, size=outcomes.shape)
    for forecast in (shared, nearly):
        found = confidence(outcomes, forecast, own_means, everywhere, POSITIONS, HORIZON)
        assert found == 0.0
    signal = moving_sums(generator.normal(scale=0.1, size=shocks.shape), HORIZON)
    args = outcomes + signal, shared + signal, own_means, everywhere, POSITIONS, HORIZON
    assert confidence(*args) > 0.5


def test_sessions_without_anything_that_counts_change_nothing() -> None:
    outcomes, forecast = overlapping_market(seed=1, skill=0.5)
    where = np.ones(outcomes.shape, np.bool_)
    where[600:700] = False
    kept = where.any(axis=1)
    args = outcomes[kept], forecast[kept], 0 * outcomes[kept], where[kept], POSITIONS[kept]
    assert confidence(outcomes, forecast, 0 * outcomes, where, POSITIONS, HORIZON) == pytest.approx(
        confidence(*args, HORIZON)
    )


def test_a_record_of_less_than_three_horizons_earns_nothing() -> None:
    outcomes, _ = overlapping_market(seed=1, skill=0.5)
    for sessions, is_enough in ((3 * HORIZON - 1, False), (3 * HORIZON, True)):
        args = outcomes[:sessions], outcomes[:sessions], 0 * outcomes[:sessions]
        everywhere = np.ones((sessions, 8), np.bool_)
        found = confidence(*args, everywhere, POSITIONS[:sessions], HORIZON)
        assert (found > 0) == is_enough
