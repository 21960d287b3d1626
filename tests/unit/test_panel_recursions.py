"""Exponential means over a window, beside the recursions that others run from the first bar on."""

import numpy as np
import pandas as pd
import pytest
from panel_bars import bars_of, sample_closes, simulated, without_actions

from pipelines.warehouse.panel.indicators import features


@pytest.mark.parametrize("span", [5, 10, 21, 50, 100, 200])
def test_an_exponential_mean_is_that_of_pandas_over_its_window_alone(span: int) -> None:
    dice = np.random.default_rng(3)
    close = np.exp(np.cumsum(dice.normal(0, 0.02, 900)))
    ours = close / (1 + features(bars_of(close))[f"close_to_ema_{span}"])
    for end in range(4 * span, 901, 97):
        theirs = pd.Series(close[end - 4 * span : end]).ewm(span=span).mean().iloc[-1]
        assert ours[end - 1] == pytest.approx(theirs, rel=1e-13)


def test_macd_and_its_histogram_are_those_of_pandas_over_their_windows_alone() -> None:
    dice = np.random.default_rng(4)
    close = pd.Series(50 + np.cumsum(dice.normal(0, 0.5, 139)))
    lines = [
        close.rolling(4 * span).apply(
            lambda window, span=span: window.ewm(span=span).mean().iloc[-1]
        )
        for span in (12, 26)
    ]
    macd = lines[0] - lines[1]
    columns = features(bars_of(close))
    signal = macd.iloc[-36:].ewm(span=9).mean().iloc[-1]
    assert columns["macd_12_26"][-1] == pytest.approx(macd.iloc[-1])
    assert columns["macd_histogram_12_26_9"][-1] == pytest.approx(macd.iloc[-1] - signal)


def recursion(values: pd.Series, weight: float) -> pd.Series:
    return values.ewm(alpha=weight, adjust=False).mean()


@pytest.mark.parametrize(
    ("span", "largest"),
    [(5, 6e-4), (10, 9e-4), (12, 9e-4), (21, 1.5e-3), (26, 2e-3), (50, 1.5e-3), (200, 2.5e-3)],
)
def test_an_exponential_mean_stays_close_to_its_recursion(span: int, largest: float) -> None:
    """0.03 % of the weight lies before the window; it shows where a price has multiplied since."""
    apart = []
    for values in sample_closes().values():
        close = pd.Series(values)
        ours = close / (1 + features(bars_of(close))[f"close_to_ema_{span}"])
        apart.append((ours / recursion(close, 2 / (span + 1)) - 1).abs())
    assert largest / 2 < max(series.max() for series in apart) < largest
    assert max(series.median() for series in apart) < 3e-4


def test_relative_strength_stays_close_to_wilders_recursion() -> None:
    apart = []
    for values in sample_closes().values():
        change = pd.Series(values).diff()[1:]
        gain, loss = (recursion(moves.clip(lower=0), 1 / 14) for moves in (change, -change))
        ours = features(bars_of(values))["rsi_14"][1:]
        apart.append((ours - 100 * gain / (gain + loss)).abs())
    assert 0.25 < max(series.max() for series in apart) < 0.5
    assert max(series.median() for series in apart) < 0.01


def test_average_true_range_stays_close_to_wilders_recursion() -> None:
    bars = without_actions(simulated(3000))
    before = np.concatenate([[np.nan], bars.close[:-1]])
    ranges = [bars.high - bars.low, abs(bars.high - before), abs(bars.low - before)]
    theirs = recursion(pd.Series(np.max(ranges, axis=0))[1:], 1 / 14)
    apart = (features(bars)["atr_14"][1:] / theirs - 1).abs()
    assert 0 < apart.max() < 1e-3
