"""Which part a session lies in, and what the market did between a symbol's sessions."""

import datetime as dt

import numpy as np
import pytest

from pipelines.warehouse.panel.layout import bounds_of, cut, date_of, day_of, span_of, spans
from pipelines.warehouse.panel.market import NO_MARKET, Market
from pipelines.warehouse.panel.members import Members

MONDAY = day_of(dt.date(2024, 1, 1))


def days(*numbers: int) -> np.ndarray:
    return np.array([MONDAY + number for number in numbers], np.int32)


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (dt.date(2024, 1, 1), ["2022", "2023", "2024-01-01"]),
        (dt.date(2024, 3, 2), ["2022", "2023", "2024-01", "2024-02", "2024-03-01", "2024-03-02"]),
    ],
)
def test_what_is_over_lies_together(session: dt.date, expected: list[str]) -> None:
    found = spans(dt.date(2022, 5, 4), session)
    assert [span.name for span in found] == [f"{name}.parquet" for name in expected]


def test_parts_leave_no_day_out_and_none_twice() -> None:
    found = spans(dt.date(2019, 7, 1), dt.date(2024, 12, 31))
    assert [span.end for span in found[:-1]] == [span.begin for span in found[1:]]
    assert date_of(found[0].begin) == dt.date(2019, 1, 1)
    assert date_of(found[-1].end) == dt.date(2025, 1, 1)


def test_a_parts_name_says_its_days() -> None:
    leap = span_of("2024-02.parquet")
    assert leap.end - leap.begin == 29
    assert span_of("2024-12.parquet").end == span_of("2025.parquet").begin


def test_a_symbols_rows_are_cut_where_parts_begin() -> None:
    bounds = bounds_of(spans(dt.date(2023, 1, 1), dt.date(2024, 1, 3)))
    assert list(cut(days(-3, -1, 0, 2), bounds)) == [(0, 0, 2), (1, 2, 3), (3, 3, 4)]


def test_the_markets_growth_is_that_between_the_symbols_own_sessions() -> None:
    market = Market(days(0, 1, 2, 4), np.array([np.nan, 0.25, 0.5, 1.0]))
    growth = market.log_growth(days(0, 1, 4, 5, 7))
    np.testing.assert_array_equal(growth, [np.nan, 0.25, 1.5, np.nan, np.nan])


def test_the_markets_growth_depends_on_nothing_before_the_two_sessions() -> None:
    returns = np.random.default_rng(2).normal(0, 0.01, 40)
    whole, part = Market(days(*range(40)), returns), Market(days(*range(20, 40)), returns[20:])
    np.testing.assert_array_equal(
        whole.log_growth(days(21, 25, 39)), part.log_growth(days(21, 25, 39))
    )


def test_without_a_market_its_growth_is_unknown() -> None:
    assert np.isnan(NO_MARKET.log_growth(days(0, 1))).all()


def test_members_are_ranked_from_the_first_to_the_last_day_of_a_membership() -> None:
    members = Members({"A": [(MONDAY + 1, MONDAY + 2), (MONDAY + 4, MONDAY + 9)], "B": []}, {"VIX"})
    assert members.are_ranked("A", days(0, 1, 2, 3, 4)).tolist() == [False, True, True, False, True]
    assert not members.are_ranked("B", days(1)).any()
    assert not members.are_ranked("C", days(1)).any()
    assert not Members(None, {"VIX"}).are_ranked("VIX", days(1)).any()
    assert Members(None, {"VIX"}).are_ranked("C", days(1)).all()
