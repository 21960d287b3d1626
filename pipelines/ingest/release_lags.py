"""When a macro value counts as released, where its source does not date it.

Too late is safe and too early is a look into the future, so every lag is an upper bound: it counts
from the first day of the month observed to a day by which the value was out in every ordinary
month. In government shutdowns the agencies published weeks later, and consumer prices used to come
out later than today; the months concerned have lags of their own. Release dates:
https://www.bls.gov/bls/archived_sched.htm (employment, prices),
https://www.federalreserve.gov/releases/g17/release_dates.htm (industrial production),
https://www.census.gov/retail/release_schedule.html (retail sales).
"""

import datetime as dt
from functools import cache

from pipelines.sessions import (
    FIRST_DATE,
    LAST_DATE,
    PUBLICATION_DELAY,
    available_at,
    calendar,
    session_after,
)

LAG_DAYS = {
    "UNRATE": 40,
    "PAYEMS": 40,
    "FEDFUNDS": 40,
    "CPIAUCSL": 50,
    "CPIAUCNS": 50,
    "CPILFESL": 50,
    "INDPRO": 50,
    "RSAFS": 50,
}
"""Days from the first day of the month observed to the release, by FRED's series."""

DAILY = frozenset({"DFF", "DGS1", "DGS2", "DGS5", "DGS10", "DGS30", "DGS3MO", "T10Y2Y", "VIXCLS"})
"""Series of daily values, published on the business day after."""

UNKNOWN_LAG_DAYS = 200
"""For any other series: a quarterly value, counted from its quarter's first day. National accounts
of a shutdown's quarter came after 175 days, balance sheets always take 160."""

_ANY = frozenset(LAG_DAYS)
_CONSUMER_PRICES = frozenset({"CPIAUCSL", "CPIAUCNS", "CPILFESL"})

_LATE = (
    (_CONSUMER_PRICES, dt.date(1913, 1, 1), dt.date(2013, 1, 31), 60),
    (_ANY, dt.date(1995, 10, 1), dt.date(1996, 1, 31), 80),
    (_ANY, dt.date(2013, 9, 1), dt.date(2013, 9, 30), 65),
    (_ANY, dt.date(2018, 12, 1), dt.date(2019, 2, 28), 80),
    (_ANY, dt.date(2025, 9, 1), dt.date(2025, 12, 31), 100),
    (_ANY, dt.date(2026, 1, 1), dt.date(2026, 3, 31), 75),
)
"""Series, first and last day observed, and their lag then. The last five are shutdowns."""


def lag_days(series_id: str, observation_date: dt.date) -> int:
    """Return how many days after a monthly or slower observation's first day it was released."""
    lag = LAG_DAYS.get(series_id, UNKNOWN_LAG_DAYS)
    late = (
        delayed
        for series, first, last, delayed in _LATE
        if series_id in series and first <= observation_date <= last
    )
    return max([lag, *late])


def assumed_release(series_id: str, observation_date: dt.date) -> dt.datetime:
    """Return the moment (UTC) from which an undated macro value counts as known.

    A daily value counts once the bars do of the next session on which federal offices work: on
    Columbus Day and Veterans Day the exchange opens and nothing is published. Any other counts from
    the end of the day that its lag leads to.

    Parameters
    ----------
    series_id : FRED's name of the series; an unknown one gets the longest lag.
    observation_date : first day of the period that the value speaks of.
    """
    if series_id in DAILY and FIRST_DATE <= observation_date < LAST_DATE:
        after = observation_date + dt.timedelta(days=1)
        session: dt.date = calendar().date_to_session(str(after), direction="next").date()
        while session in _federal_holidays():
            session = session_after(session)
        return available_at(session)
    released = observation_date + dt.timedelta(days=lag_days(series_id, observation_date) + 1)
    return dt.datetime.combine(released, dt.time(), dt.UTC) + PUBLICATION_DELAY


@cache
def _federal_holidays() -> frozenset[dt.date]:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    days = USFederalHolidayCalendar().holidays(str(FIRST_DATE), str(LAST_DATE))
    return frozenset(day.date() for day in days)
