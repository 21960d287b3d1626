"""An undated macro value counts as released on a day by which it really was out."""

import datetime as dt

import pytest

from pipelines.ingest.release_lags import LAG_DAYS, assumed_release
from pipelines.sessions import available_at

RELEASED = [
    ("PAYEMS", dt.date(2024, 1, 1), dt.date(2024, 2, 2)),
    ("UNRATE", dt.date(2022, 6, 1), dt.date(2022, 7, 8)),
    ("CPIAUCSL", dt.date(2024, 1, 1), dt.date(2024, 2, 13)),
    ("INDPRO", dt.date(2024, 1, 1), dt.date(2024, 2, 15)),
    ("RSAFS", dt.date(2024, 1, 1), dt.date(2024, 2, 15)),
    ("UNRATE", dt.date(2013, 9, 1), dt.date(2013, 10, 22)),
    ("CPIAUCSL", dt.date(2013, 9, 1), dt.date(2013, 10, 30)),
    ("RSAFS", dt.date(2018, 12, 1), dt.date(2019, 2, 14)),
    ("PAYEMS", dt.date(2025, 9, 1), dt.date(2025, 11, 20)),
    ("UNRATE", dt.date(2026, 1, 1), dt.date(2026, 2, 11)),
    ("RSAFS", dt.date(2026, 1, 1), dt.date(2026, 3, 6)),
    ("UNRATE", dt.date(1995, 12, 1), dt.date(1996, 1, 19)),
    ("CPIAUCSL", dt.date(2006, 1, 1), dt.date(2006, 2, 22)),
    ("CPIAUCSL", dt.date(2013, 1, 1), dt.date(2013, 2, 21)),
    ("GDPC1", dt.date(2018, 10, 1), dt.date(2019, 2, 28)),
    ("GDPC1", dt.date(2025, 7, 1), dt.date(2025, 12, 23)),
    ("DGS10", dt.date(2025, 10, 10), dt.date(2025, 10, 14)),
    ("DFF", dt.date(2025, 11, 10), dt.date(2025, 11, 12)),
]
"""Days on which these values were first published."""


@pytest.mark.parametrize(("series", "observed", "released"), RELEASED)
def test_no_value_counts_before_the_day_on_which_it_was_published(
    series: str, observed: dt.date, released: dt.date
) -> None:
    published = dt.datetime.combine(released, dt.time(), dt.UTC)
    assert published < assumed_release(series, observed) < published + dt.timedelta(days=60)


@pytest.mark.parametrize("series", LAG_DAYS)
def test_a_monthly_value_counts_from_the_end_of_the_day_that_its_lag_leads_to(series: str) -> None:
    moment = assumed_release(series, dt.date(2024, 3, 1))
    last_day = dt.date(2024, 3, 1) + dt.timedelta(days=LAG_DAYS[series])
    assert moment == dt.datetime.combine(last_day, dt.time(), dt.UTC) + dt.timedelta(hours=28)


def test_a_daily_value_counts_with_the_bars_of_the_next_session() -> None:
    friday, monday = dt.date(2024, 3, 1), dt.date(2024, 3, 4)
    for observed in (friday, friday + dt.timedelta(days=1)):
        assert assumed_release("DGS10", observed) == available_at(monday)


def test_a_daily_value_waits_over_a_day_on_which_only_the_exchange_works() -> None:
    friday, after_columbus_day = dt.date(2025, 10, 10), dt.date(2025, 10, 14)
    assert assumed_release("DGS10", friday) == available_at(after_columbus_day)


def test_a_series_that_nobody_dated_waits_longest() -> None:
    first = dt.date(2024, 1, 1)
    unknown = assumed_release("GDPC1", first)
    assert unknown > max(assumed_release(series, first) for series in LAG_DAYS)
