"""Back from Yahoo's split-adjusted history: cases made by hand, and any splits at all."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.yahoo.as_traded import UncertainSplit, as_traded
from pipelines.ingest.yahoo.canonical import snapped_cash, snapped_prices
from pipelines.ingest.yahoo.chart import BAR_COLUMNS, Chart, Events

DAYS = np.arange("2024-01-01", "2024-01-09", dtype="datetime64[D]")
NO_EVENTS = Events(DAYS[:0], np.array([]))


def chart(closes: list[float], splits: Events = NO_EVENTS, dividends: Events = NO_EVENTS) -> Chart:
    bars = pd.DataFrame(dict.fromkeys(BAR_COLUMNS, closes), dtype="float64")
    bars["Volume"] = 4200.0
    return Chart("BOLT", "USD", DAYS[: len(closes)], bars, splits, dividends, NO_EVENTS)


def events(*pairs: tuple[int, float]) -> Events:
    return Events(DAYS[[day for day, _ in pairs]], np.array([amount for _, amount in pairs]))


def test_two_splits_are_undone_one_after_the_other() -> None:
    # Traded at 120, 121; 2:1; 60, 61; 3:1; 20, 21. Yahoo shows all in the last shares.
    undone = as_traded(chart([20, 121 / 6, 20, 61 / 3, 20, 21], events((2, 2.0), (4, 3.0))))
    assert undone.numbers["close"].tolist() == [120, 121, 60, 61, 20, 21]
    assert undone.numbers["volume"].tolist() == [700, 700, 1400, 1400, 4200, 4200]
    assert undone.unapplied == ()


def test_a_dividend_is_paid_in_the_shares_of_its_day() -> None:
    paid = events((1, 0.25), (2, 0.25), (3, 0.25))
    undone = as_traded(chart([20.0, 20.0, 20.0, 20.0], events((2, 4.0)), paid))
    assert undone.dividends.amounts.tolist() == [1.0, 0.25, 0.25]


def test_the_adjusted_return_is_since_the_last_bar_that_had_one() -> None:
    undone = as_traded(chart([10, np.nan, 11, 0, 22]))
    assert undone.numbers["adjusted_return_1d"].tolist() == pytest.approx(
        [np.nan, np.nan, 0.1, np.nan, 1.0], nan_ok=True
    )


@pytest.mark.parametrize(("ratio", "after"), [(4.0, 20.4), (0.125, 640.0), (2.0, 39.0)])
def test_a_split_whose_jump_stands_in_the_prices_is_not_undone(ratio: float, after: float) -> None:
    undone = as_traded(chart([80.0, 81.0, after, after], events((2, ratio))))
    assert undone.numbers["close"].tolist() == [80, 81, after, after]
    assert undone.unapplied == (dt.date(2024, 1, 3),)


def test_a_crash_on_the_day_of_an_applied_split_is_a_crash() -> None:
    undone = as_traded(chart([20.0, 20.0, 14.5, 14.5], events((2, 2.0))))
    assert undone.numbers["close"].tolist() == [40, 40, 14.5, 14.5]


def test_a_split_after_the_newest_bar_cannot_be_judged() -> None:
    with pytest.raises(UncertainSplit, match="2024-01-04"):
        as_traded(chart([20.0, 20.0, 20.0], events((3, 2.0))))


@given(
    cents=st.lists(st.integers(100, 250_000), min_size=1, max_size=30),
    ratio=st.sampled_from([1, 2, 3, 7, 20, 28, 1.5, 1.281, 1 / 8, 1 / 10, 1 / 25]),
)
def test_prices_in_cents_survive_single_precision_and_any_split(
    cents: list[int], ratio: float
) -> None:
    traded = np.array(cents) / 100
    told = (traded / ratio).astype(np.float32).astype(np.float64)
    assert snapped_prices(told * ratio).tolist() == traded.tolist()


@given(sixty_fourths=st.integers(64, 64 * 2000))
def test_prices_in_sixty_fourths_survive_too(sixty_fourths: int) -> None:
    traded = np.array([sixty_fourths / 64])
    for ratio in (1, 2, 7, 28):
        told = (traded / ratio).astype(np.float32).astype(np.float64)
        assert snapped_prices(told * ratio).tolist() == traded.tolist()


def test_small_prices_keep_six_digits_and_missing_ones_stay_missing() -> None:
    told = np.array([0.000123456789, 0.0, np.nan])
    np.testing.assert_array_equal(snapped_prices(told), [0.000123457, 0.0, np.nan])


def test_cash_keeps_as_many_decimals_as_yahoo_leaves() -> None:
    # Apple paid 12 cents in 1987; 224 shares of today were one share then.
    told, since = np.array([0.000536, 0.108929, 0.22]), np.array([224.0, 28.0, 1.0])
    assert snapped_cash(told * since, since).tolist() == [0.12, 3.05, 0.22]
