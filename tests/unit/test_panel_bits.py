"""A feature's bits depend on the values of its window and on nothing else."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pytest
from panel_bars import simulated

from models.panel import ANCHORED, RANKED
from pipelines.warehouse.panel.bars import LOOKBACK, Anchors, Bars
from pipelines.warehouse.panel.indicators import features, ranked_measures
from pipelines.warehouse.panel.newest import newest_features
from pipelines.warehouse.panel.windows import over_windows

WHOLE = simulated(2000, seed=9)
COLUMNS = features(WHOLE)


def bits(columns: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack(list(columns.values())).view(np.int64)


def cut(bars: Bars, begin: int, end: int) -> Bars:
    return Bars(*(getattr(bars, field.name)[begin:end] for field in fields(Bars)))


def anchors_at(columns: dict[str, np.ndarray], bar: int) -> Anchors:
    number, *others = (columns[column.name][bar] for column in ANCHORED)
    return Anchors(int(number), *map(float, others))


@pytest.mark.parametrize("start", [1, 2, 40, 300, 799, 800, 1000, 1099, 1154, 1500, 1999])
@pytest.mark.parametrize("length", [1, 7])
def test_features_after_a_cut_history_are_those_of_the_whole_bit_for_bit(
    start: int, length: int
) -> None:
    # Bars 300, 355 and 1000 have actions, so some are the first of a cut history or the start.
    begin, end = max(start - LOOKBACK, 0), min(start + length, len(WHOLE))
    shortened = cut(WHOLE, begin, end)
    columns = features(shortened, start - begin, anchors_at(COLUMNS, start - 1))
    np.testing.assert_array_equal(bits(columns), bits(COLUMNS)[:, start:end])


@pytest.mark.parametrize("end", [1, 20, 253, 800, 1333])
def test_bars_that_are_appended_or_changed_later_leave_no_trace(end: int) -> None:
    dice = np.random.default_rng(1)
    later = {
        field.name: np.concatenate(
            [getattr(WHOLE, field.name)[:end], dice.random(len(WHOLE) - end) * 50 + 1]
        )
        for field in fields(Bars)
    }
    before = bits(COLUMNS)[:, :end]
    np.testing.assert_array_equal(bits(features(cut(WHOLE, 0, end))), before)
    np.testing.assert_array_equal(bits(features(Bars(**later)))[:, :end], before)


def test_bars_before_the_window_leave_no_trace() -> None:
    start = 1200
    wild = {
        field.name: np.concatenate(
            [
                getattr(WHOLE, field.name)[: start - LOOKBACK] * 1e5,
                getattr(WHOLE, field.name)[start - LOOKBACK :],
            ]
        )
        for field in fields(Bars)
    }
    columns = features(Bars(**wild), start, anchors_at(COLUMNS, start - 1))
    np.testing.assert_array_equal(bits(columns)[:, 0], bits(COLUMNS)[:, start])


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
        close = WHOLE.close.copy()
        close[changed] *= 1.5
        market = WHOLE.market_log_growth.copy()
        market[changed + is_inside] = 0.3
        columns = features(replace(WHOLE, close=close, market_log_growth=market))
        assert (columns[name][bar] != COLUMNS[name][bar]) == is_inside


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    symbols = [simulated(1000, seed) for seed in range(8)]
    one = [features(bars) for bars in symbols]
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(features, symbols))
    for alone, together in zip(one, two, strict=True):
        np.testing.assert_array_equal(bits(alone), bits(together))


def test_newest_bars_of_many_symbols_at_once_are_those_of_each_alone() -> None:
    counts = (800, 1200, 2, 300, 799, 801, *[900] * 25)
    symbols = [simulated(count, seed) for seed, count in enumerate(counts)]
    alone, before = [], []
    for bars in symbols:
        columns = features(bars)
        alone.append(bits(columns)[:, -1])
        before.append(anchors_at(columns, len(bars) - 2))
    together = newest_features(list(zip(symbols, before, strict=True)))
    assert list(together) == list(COLUMNS)
    np.testing.assert_array_equal(bits(together), np.stack(alone, axis=1))


def test_ranked_measures_alone_are_those_among_all_features() -> None:
    measures = ranked_measures(WHOLE)
    ranked = {"log_return_21d" if of == "reversal_21d" else of for of in RANKED.values()}
    assert set(measures) == ranked
    among_all = {name: COLUMNS[name] for name in measures}
    np.testing.assert_array_equal(bits(measures), bits(among_all))


def test_one_kernel_is_compiled_once_even_for_bars_that_may_not_be_written() -> None:
    frozen = cut(WHOLE, 0, 900)
    for field in fields(Bars):
        getattr(frozen, field.name).flags.writeable = False
    np.testing.assert_array_equal(bits(features(frozen)), bits(COLUMNS)[:, :900])
    assert len(over_windows.signatures) == 1


@pytest.mark.parametrize(("start", "anchors"), [(5, None), (0, Anchors(3, 1.0, 1.0, 0.0))])
def test_anchors_are_those_of_the_bar_before(start: int, anchors: Anchors | None) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        features(cut(WHOLE, 0, 9), start, anchors)
