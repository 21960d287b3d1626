"""Every feature agrees with an independent calculation, and is null where it must be."""

import math

import numpy as np
import pandas as pd
import pytest
from feature_reference import BAR_COLUMNS, reference
from panel_bars import bars_of, closes_alone, daily_actions, hardly_moving, sample_closes, simulated

from models.panel import ANCHORED, SYMBOL_FEATURES
from pipelines.warehouse.panel.bars import Bars
from pipelines.warehouse.panel.indicators import features

COLUMNS = {column.name: column for column in (*ANCHORED, *SYMBOL_FEATURES)}
RELATIVE = 1e-9
ABSOLUTE = 1e-14
"""Of what a column compares: prices for USD, 1 else. What is exactly 0 by the definition is this
far from it at most after an action, whose ratio is no binary number."""


def assert_agrees(bars: Bars) -> None:
    ours = features(bars)
    theirs = reference(pd.DataFrame({name: getattr(bars, name) for name in BAR_COLUMNS}))
    assert list(ours) == list(COLUMNS)
    assert set(theirs.columns) == set(COLUMNS)
    for name, values in ours.items():
        their = theirs[name].to_numpy()
        np.testing.assert_array_equal(np.isnan(values), np.isnan(their), err_msg=name)
        unit = bars.close if COLUMNS[name].unit == "USD per share" else 1.0
        allowed = RELATIVE * abs(their) + ABSOLUTE * unit
        assert not (abs(values - their) > allowed).any(), name


@pytest.mark.parametrize(
    "bars",
    [
        pytest.param(simulated(), id="with splits, dividends and holes"),
        pytest.param(simulated(seed=2, level=700_000), id="a share of 700,000 USD"),
        pytest.param(simulated(seed=3, level=0.004, ticks=6), id="a share of less than a cent"),
        pytest.param(daily_actions(), id="with a split and a dividend on most days"),
        pytest.param(hardly_moving(), id="that hardly moves"),
        pytest.param(closes_alone(), id="of closes alone"),
        pytest.param(bars_of(np.full(900, 9.99)), id="that never moves"),
        pytest.param(simulated(1), id="of one session"),
        pytest.param(simulated(2), id="of two sessions"),
        pytest.param(simulated(260, seed=4), id="of a year"),
    ],
)
def test_every_feature_agrees_with_an_independent_calculation_on_a_symbol(bars: Bars) -> None:
    assert_agrees(bars)


SAMPLE = sample_closes()


@pytest.mark.parametrize("symbol", SAMPLE)
def test_features_of_real_closes_agree_with_an_independent_calculation(symbol: str) -> None:
    close, nothing = SAMPLE[symbol][-1300:], np.full(1300, np.nan)
    market = np.diff(np.log(SAMPLE["SP500"][-1300:]), prepend=np.nan)
    assert_agrees(
        bars_of(
            close, open=nothing, high=nothing, low=nothing, volume=nothing, market_log_growth=market
        )
    )


FIRST_VALUES = {
    "log_return_1d": 2,
    "log_return_252d": 253,
    "momentum_12_1": 253,
    "drawdown_252d": 252,
    "close_to_high_252d": 252,
    "close_to_sma_5": 5,
    "close_to_sma_200": 200,
    "close_to_ema_5": 20,
    "close_to_ema_200": 800,
    "sma_cross_50_200": 200,
    "ema_cross_10_50": 200,
    "macd_12_26": 104,
    "macd_histogram_12_26_9": 139,
    "rsi_14": 113,
    "bollinger_z_20": 20,
    "vol_21d_annual": 22,
    "vol_252d_annual": 253,
    "parkinson_vol_21d_annual": 21,
    "garman_klass_vol_63d_annual": 63,
    "atr_14": 113,
    "beta_252d": 253,
    "market_correlation_252d": 253,
    "dollar_volume": 1,
    "dollar_volume_21d": 21,
    "volume_z_63d": 63,
    "amihud_21d": 22,
    "obv": 1,
}


def test_a_value_is_null_until_its_window_is_full_and_not_longer() -> None:
    dice = np.random.default_rng(2)
    close = np.exp(np.cumsum(dice.normal(0, 0.01, 900)))
    bars = bars_of(
        close,
        high=close * 1.01,
        open=close * 1.005,
        volume=dice.random(900) + 1,
        market_log_growth=dice.normal(0, 0.01, 900),
    )
    columns = features(bars)
    assert {name: np.isnan(columns[name]).sum() + 1 for name in FIRST_VALUES} == FIRST_VALUES


def test_of_closes_alone_all_is_known_but_what_needs_more() -> None:
    columns = features(closes_alone(1000))
    needs_more = {"obv", "atr_14", "close_to_high_252d"} | {
        name
        for name in COLUMNS
        if name.startswith(("parkinson", "garman", "dollar", "volume", "amih"))
    }
    assert {name for name, values in columns.items() if np.isnan(values[-1])} == needs_more


def test_what_is_too_large_for_a_number_is_null_and_never_infinite() -> None:
    volume = np.full(900, 1e306)
    columns = features(bars_of(1e5 * 1.01 ** np.arange(900), volume=volume))
    assert not any(np.isinf(values).any() for values in columns.values())
    assert np.isnan(columns["dollar_volume"]).all()
    assert np.isnan(columns["obv"][-1])
    assert columns["log_return_21d"][-1] == pytest.approx(21 * math.log(1.01))


@pytest.mark.parametrize("seed", range(3))
def test_values_stay_within_their_declared_bounds(seed: int) -> None:
    # Bounds of the close's distance to a high hold where bars do: highs above their closes.
    columns = features(simulated(1500, seed))
    for name, column in COLUMNS.items():
        values = columns[name][~np.isnan(columns[name])]
        assert column.at_least is None or (values >= column.at_least).all(), name
        assert column.at_most is None or (values <= column.at_most).all(), name


def test_what_does_not_move_is_zero_without_a_sign() -> None:
    columns = features(bars_of(np.full(900, 9.99), market_log_growth=np.full(900, 0.0)))
    flat = [values[-1] for values in columns.values() if values[-1] == 0]
    assert len(flat) > 20
    assert not np.signbit(flat).any()
