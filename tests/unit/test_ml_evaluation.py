import numpy as np
import pytest

from ml.calibration import Calibration
from ml.errors import TrainingError
from ml.evaluation import confidence, r2_out_of_sample, score, scored_by_all
from ml.forecasters import Forecasts

HORIZON = 21


def test_scores_are_those_that_a_person_computes() -> None:
    outcomes = np.array([[0.1, -0.1], [0.2, np.nan]])
    mean = np.array([[0.1, 0.0], [0.0, 0.0]])
    benchmark = np.full((2, 2), 0.1)
    where = scored_by_all(outcomes, mean, benchmark)
    result = score(outcomes, mean, mean - 0.15, mean + 0.15, benchmark, where)
    assert result.forecasts == 3
    assert result.mae == pytest.approx(0.3 / 3)
    assert result.rmse == pytest.approx(np.sqrt(0.05 / 3))
    assert result.mae_to_naive == pytest.approx(0.3 / 0.4)
    assert result.rmse_to_naive == pytest.approx(np.sqrt(0.05 / 0.06))
    assert result.r2_out_of_sample == pytest.approx(1 - 0.05 / 0.05)
    assert result.coverage_80 == pytest.approx(2 / 3)


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(TrainingError, match="forecasts that can be scored"):
        scored_by_all(np.full((3, 1), np.nan), np.zeros((3, 1)))


def overlapping(seed: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes over the horizon, and a forecast that holds a share of what drives them."""
    generator = np.random.default_rng(seed)
    signal = generator.normal(size=(1200, 8))
    noise = generator.normal(size=(1200, 8))
    window = np.ones(HORIZON) / HORIZON

    def smooth(values: np.ndarray) -> np.ndarray:
        return np.apply_along_axis(np.convolve, 0, values, window, mode="valid")

    return smooth(skill * signal + noise), skill * smooth(signal)


def test_a_forecast_that_is_right_about_its_own_size_earns_nearly_full_confidence() -> None:
    outcomes, forecast = overlapping(seed=1, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    assert 0.7 < confidence(outcomes, forecast, 0 * outcomes, everywhere, HORIZON) <= 1.0


def test_a_forecast_that_boasts_earns_less_and_one_without_skill_nothing() -> None:
    outcomes, forecast = overlapping(seed=1, skill=0.5)
    _, unrelated = overlapping(seed=2, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    boasting = confidence(outcomes, 1.6 * forecast, 0 * outcomes, everywhere, HORIZON)
    assert 0.3 < boasting < 0.7
    assert r2_out_of_sample(outcomes, unrelated, 0 * outcomes, everywhere) < 0
    assert confidence(outcomes, unrelated, 0 * outcomes, everywhere, HORIZON) == 0.0


def test_confidence_is_one_true_standard_error_less_than_the_best_weight() -> None:
    generator = np.random.default_rng(6)
    forecast = np.ones((1200, 1))
    everywhere = np.ones(forecast.shape, np.bool_)
    weights, confidences = [], []
    for _ in range(400):
        shocks = generator.normal(scale=0.08, size=1200 + HORIZON - 1)
        outcomes = 0.75 + np.convolve(shocks, np.ones(HORIZON), mode="valid")[:, None]
        weights.append(outcomes.mean())
        confidences.append(confidence(outcomes, forecast, 0 * forecast, everywhere, HORIZON))
    shortfall = np.mean(weights) - np.mean(confidences)
    assert shortfall == pytest.approx(np.std(weights), rel=0.1)


def test_the_benchmark_itself_earns_no_confidence() -> None:
    outcomes, forecast = overlapping(seed=1, skill=0.5)
    everywhere = np.ones(outcomes.shape, np.bool_)
    assert confidence(outcomes, forecast, forecast, everywhere, HORIZON) == 0.0


def test_calibrated_intervals_cover_four_fifths_of_the_outcomes_that_they_were_made_of() -> None:
    generator = np.random.default_rng(4)
    outcomes = generator.standard_t(4, size=(500, 4)) + 0.3
    forecasts = Forecasts(mean=np.zeros((500, 4)), stdev=np.full((500, 4), 2.0))
    everywhere = np.ones(outcomes.shape, np.bool_)
    calibration = Calibration.fit(forecasts, outcomes, forecasts.mean, everywhere, HORIZON)
    final = calibration.apply(forecasts)
    inside = (final.lower <= outcomes) & (outcomes <= final.upper)
    assert inside.mean() == pytest.approx(0.8, abs=0.002)
    assert final.stdev[0, 0] == pytest.approx(np.sqrt(np.mean(outcomes**2)))
