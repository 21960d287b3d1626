"""Notes tell of what is missing: months, days, dividends."""

import datetime as dt

import pyarrow as pa

from pipelines.quality.notes import missing_periods, overdue_dividends
from pipelines.sessions import sessions_between

SESSION = dt.date(2024, 12, 31)
Days = list[dt.date]


def quarterly(count: int, until: dt.date = SESSION) -> Days:
    return [until - dt.timedelta(days=91 * back) for back in reversed(range(1, count + 1))]


def dividends(days: Days) -> pa.Table:
    count = len(days)
    return pa.table(
        {
            "symbol": ["ONE"] * count,
            "session_date": days,
            "kind": ["dividend"] * count,
            "amount": [0.5] * count,
        }
    )


def said(days: Days) -> list[str]:
    return [note for _, note in overdue_dividends(dividends(days), SESSION, {"ONE"})]


def test_a_punctual_payer_is_not_noted() -> None:
    assert said(quarterly(10)) == []


def test_a_dividend_that_never_came_is_noted_once_it_is_overdue_by_half() -> None:
    punctual = quarterly(10)
    assert said(punctual[:-1]) == [f"no dividend for 182 days from {punctual[-2]}, usual 91"]
    assert said([day - dt.timedelta(days=40) for day in punctual]) == []


def test_a_dividend_that_was_lost_between_others_is_noted() -> None:
    punctual = quarterly(10)
    (note,) = said(punctual[:6] + punctual[7:])
    assert str(punctual[5]) in note


def test_habits_and_few_dividends_are_not_noted() -> None:
    punctual = quarterly(12)
    assert said([day for number, day in enumerate(punctual) if number % 4]) == []
    assert said(quarterly(3)[:-1]) == []
    assert said([]) == []


def test_a_payer_without_bars_of_late_is_not_noted() -> None:
    assert list(overdue_dividends(dividends(quarterly(10)[:-2]), SESSION, set())) == []


MONTHS = [dt.date(2022 + month // 12, month % 12 + 1, 1) for month in range(36)]
DAYS = sessions_between(dt.date(2024, 9, 3), SESSION)


def without(days: Days, *gone: dt.date) -> Days:
    return [day for day in days if day not in gone]


def macro(**series: Days) -> dict[str, str]:
    rows = [(name, day) for name, days in series.items() for day in days]
    table = pa.table(
        dict(zip(("series_id", "observation_date"), zip(*rows, strict=True), strict=True))
    )
    return dict(missing_periods(table))


def test_a_month_without_a_value_is_noted() -> None:
    lost = dt.date(2023, 10, 1)
    assert macro(CPIAUCSL=without(MONTHS, lost)) == {"CPIAUCSL": "no value for 2023-10"}
    assert macro(UNRATE=MONTHS, GDP=MONTHS[::3]) == {}


def test_a_day_that_two_other_series_have_is_noted() -> None:
    lost = dt.date(2024, 11, 12)
    found = macro(DGS2=without(DAYS, lost), DGS10=DAYS, VIXCLS=DAYS)
    assert found == {"DGS2": "no value for 2024-11-12"}


def test_a_holiday_of_the_bond_market_is_not_noted() -> None:
    """On Columbus Day there are shares, and no yields."""
    holiday = dt.date(2024, 10, 14)
    assert macro(DGS2=without(DAYS, holiday), DGS10=without(DAYS, holiday), VIXCLS=DAYS) == {}
