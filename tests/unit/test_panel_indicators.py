"""Features agree with their definitions, and their bits with nothing but their windows."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from feature_reference import BAR_COLUMNS, reference
from panel_bars import bars_of, closes_alone, daily_actions, hardly_moving, sample_closes, simulated

from models.panel import ANCHORED, SYMBOL_FEATURES
from pipelines.warehouse.panel.bars import LOOKBACK, Anchors, Bars
from pipelines.warehouse.panel.indicators import features
from pipelines.warehouse.panel.windows import over_windows

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


def bits(columns: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack(list(columns.values())).view(np.int64)


def cut(bars: Bars, begin: int, end: int) -> Bars:
    return Bars(*(getattr(bars, field.name)[begin:end] for field in fields(Bars)))


def anchors_at(columns: dict[str, np.ndarray], bar: int) -> Anchors:
    number, *others = (columns[column.name][bar] for column in ANCHORED)
    return Anchors(int(number), *map(float, others))


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


BIT_BARS = simulated(2000, seed=9)
BIT_COLUMNS = features(BIT_BARS)


@pytest.mark.parametrize("start", [1, 2, 40, 300, 799, 800, 1063, 1500, 1999])
@pytest.mark.parametrize("length", [1, 7])
def test_features_after_a_cut_history_are_those_of_the_whole_bit_for_bit(
    start: int, length: int
) -> None:
    begin, end = max(start - LOOKBACK, 0), min(start + length, len(BIT_BARS))
    shortened = cut(BIT_BARS, begin, end)
    columns = features(shortened, start - begin, anchors_at(BIT_COLUMNS, start - 1))
    np.testing.assert_array_equal(bits(columns), bits(BIT_COLUMNS)[:, start:end])


@pytest.mark.parametrize("end", [1, 20, 253, 800, 1333])
def test_bars_that_are_appended_or_changed_later_leave_no_trace(end: int) -> None:
    dice = np.random.default_rng(1)
    later = {
        field.name: np.concatenate(
            [getattr(BIT_BARS, field.name)[:end], dice.random(len(BIT_BARS) - end) * 50 + 1]
        )
        for field in fields(Bars)
    }
    before = bits(BIT_COLUMNS)[:, :end]
    np.testing.assert_array_equal(bits(features(cut(BIT_BARS, 0, end))), before)
    np.testing.assert_array_equal(bits(features(Bars(**later)))[:, :end], before)


def test_bars_before_the_window_leave_no_trace() -> None:
    start = 1200
    wild = {
        field.name: np.concatenate(
            [
                getattr(BIT_BARS, field.name)[: start - LOOKBACK] * 1e5,
                getattr(BIT_BARS, field.name)[start - LOOKBACK :],
            ]
        )
        for field in fields(Bars)
    }
    columns = features(Bars(**wild), start, anchors_at(BIT_COLUMNS, start - 1))
    np.testing.assert_array_equal(bits(columns)[:, 0], bits(BIT_COLUMNS)[:, start])


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("close_to_ema_200", 800),
        ("close_to_sma_50", 50),
        ("vol_63d_annual", 64),
        ("beta_252d", 253),
        ("rsi_14", 113),
        ("log_return_252d", 253),
        ("macd_histogram_12_26_9", 139),
    ],
)
def test_a_window_reaches_exactly_as_far_as_it_says(name: str, window: int) -> None:
    bar = 1400
    oldest, before = (bar - window + 1, bar - window)
    for changed, is_inside in ((oldest, True), (before, False)):
        close = BIT_BARS.close.copy()
        close[changed] *= 1.5
        market = BIT_BARS.market_log_growth.copy()
        market[changed + is_inside] = 0.3
        columns = features(replace(BIT_BARS, close=close, market_log_growth=market))
        assert (columns[name][bar] != BIT_COLUMNS[name][bar]) == is_inside


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    symbols = [simulated(1000, seed) for seed in range(8)]
    one = [features(bars) for bars in symbols]
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(features, symbols))
    for alone, together in zip(one, two, strict=True):
        np.testing.assert_array_equal(bits(alone), bits(together))


def test_one_kernel_is_compiled_once_even_for_bars_that_may_not_be_written() -> None:
    frozen = cut(BIT_BARS, 0, 900)
    for field in fields(Bars):
        getattr(frozen, field.name).flags.writeable = False
    np.testing.assert_array_equal(bits(features(frozen)), bits(BIT_COLUMNS)[:, :900])
    assert len(over_windows.signatures) == 1


@pytest.mark.parametrize(("start", "anchors"), [(5, None), (0, Anchors(3, 1.0, 1.0, 0.0))])
def test_anchors_are_those_of_the_bar_before(start: int, anchors: Anchors | None) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        features(cut(BIT_BARS, 0, 9), start, anchors)


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
