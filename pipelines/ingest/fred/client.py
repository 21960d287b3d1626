"""Macro series from FRED, the Federal Reserve Bank of St. Louis.

Without a key: the public CSV files behind its graphs, which hold the values of today. With a key:
the API with real-time periods, so each value comes with the day on which it was published.
https://fred.stlouisfed.org/docs/api/fred/series_observations.html
"""

import csv
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pyarrow as pa
from pydantic import SecretStr

from pipelines.ingest.fred.answers import FredFailure, ask, excerpt
from pipelines.ingest.provider import MACRO_SCHEMA, Problem
from pipelines.ingest.release_lags import DAILY
from pipelines.ingest.retries import CircuitBreaker, RetryPolicy, utc_now
from pipelines.macro_series import Series, macro_series
from pipelines.sessions import read_date

GRAPH_URL = "https://fred.stlouisfed.org/graph/fredgraph.csv"
API_URL = "https://api.stlouisfed.org/fred/series/observations"

_PUBLISHED = dt.time(18, tzinfo=ZoneInfo("America/New_York"))
"""A vintage has a day and no hour. American agencies publish before the close; FRED follows."""

_LAST_VINTAGE = dt.date(9999, 12, 31)
"""FRED's own end of real time."""
_ROWS_PER_PAGE = 100_000
_VINTAGE_YEARS = 5
"""FRED answers at most 2,000 vintages at once, and a daily series has some 250 a year.

A monthly one has some 12 and comes in one piece, since FRED takes 120 requests a minute.
"""


@dataclass(frozen=True)
class _Vintage:
    observation_date: dt.date
    published: dt.date
    value: float | None


class Fred:
    """Client of FRED's public files or, with a key, its API.

    Parameters
    ----------
    api_key : never part of an error or a log line.
    policy : waits and attempts of each request.
    clock : says up to which year there can be vintages.
    """

    def __init__(
        self,
        api_key: SecretStr | None = None,
        policy: RetryPolicy | None = None,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._key = api_key
        self._policy = policy or RetryPolicy()
        self._clock = clock

    def observations(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return all series from start to end; a series that fails is a problem, not an error.

        After several in a row that FRED did not answer, the rest is not asked for.
        ``released_at`` is null where FRED does not date the value: in the public files, and for
        values of never revised series that are older than FRED's archive.
        """
        rows: list[dict[str, Any]] = []
        problems: list[Problem] = []
        breaker = CircuitBreaker(self._policy, self._clock)
        with httpx.Client(timeout=self._policy.timeout_s) as client:
            for series in macro_series():
                try:
                    if breaker.is_open:
                        raise FredFailure("FRED did not answer for others, so it was not asked")
                    rows += self._series(client, series, start, end)
                    breaker.success()
                except FredFailure as failure:
                    if failure.transient:
                        breaker.strike()
                    received = (failure.received,) if failure.received else ()
                    remedy = "Run the ingest again; older values stay in the lake."
                    problems.append(Problem(series.series_id, str(failure), remedy, received))
        return pa.Table.from_pylist(rows, MACRO_SCHEMA), tuple(problems)

    def _series(
        self, client: httpx.Client, series: Series, start: dt.date, end: dt.date
    ) -> list[dict[str, Any]]:
        if self._key is None:
            return self._latest(client, series, start, end)
        vintages = self._vintages(client, series, start, end)
        archive_start = min((vintage.published for vintage in vintages), default=None)
        return [
            _row(
                series,
                vintage.observation_date,
                vintage.value,
                None
                if vintage.published == archive_start and not series.revised
                else dt.datetime.combine(vintage.published, _PUBLISHED).astimezone(dt.UTC),
            )
            for vintage in vintages
        ]

    def _latest(
        self, client: httpx.Client, series: Series, start: dt.date, end: dt.date
    ) -> list[dict[str, Any]]:
        """Read today's values from the public CSV file."""
        parameters = {
            "id": series.series_id,
            "cosd": start.isoformat(),
            "coed": end.isoformat(),
        }
        text = ask(client, self._policy, GRAPH_URL, parameters).text
        try:
            header, *lines = csv.reader(io.StringIO(text), strict=True)
            if header[1:] != [series.series_id]:
                raise ValueError(f"its columns are {header}")
            observed = [(read_date(day), _number(value)) for day, value in lines]
        except (ValueError, csv.Error) as error:
            raise FredFailure(
                f"FRED's file cannot be read ({error})", excerpt(text, parameters)
            ) from None
        return [
            _row(series, day, value, None)
            for day, value in observed
            if start <= day <= end and value is not None
        ]

    def _vintages(
        self, client: httpx.Client, series: Series, start: dt.date, end: dt.date
    ) -> list[_Vintage]:
        """Read every value that was ever published for the observations from start to end."""
        found = [
            vintage
            for first, last in _vintage_windows(series, start, self._clock().date())
            for vintage in self._archived(client, series, start, end, first, last)
        ]
        found.sort(key=lambda vintage: (vintage.observation_date, vintage.published))
        # A value that goes on through several windows is cut at their borders: keep its beginning.
        return [
            vintage
            for before, vintage in zip([None, *found], found, strict=False)
            if before is None
            or (before.observation_date, before.value) != (vintage.observation_date, vintage.value)
        ]

    def _archived(
        self,
        client: httpx.Client,
        series: Series,
        start: dt.date,
        end: dt.date,
        first: dt.date,
        last: dt.date,
    ) -> list[_Vintage]:
        """Read one window of real time; one that lies before FRED's archive holds nothing."""
        try:
            return self._window(client, series, start, end, first, last)
        except FredFailure as failure:
            if last != _LAST_VINTAGE and "does not exist" in failure.received:
                return []
            raise

    def _window(
        self,
        client: httpx.Client,
        series: Series,
        start: dt.date,
        end: dt.date,
        first: dt.date,
        last: dt.date,
    ) -> list[_Vintage]:
        assert self._key is not None  # noqa: S101
        found: list[_Vintage] = []
        total = 1
        while len(found) < total:
            parameters = {
                "series_id": series.series_id,
                "api_key": self._key.get_secret_value(),
                "file_type": "json",
                "observation_start": start.isoformat(),
                "observation_end": end.isoformat(),
                "realtime_start": first.isoformat(),
                "realtime_end": last.isoformat(),
                "limit": str(_ROWS_PER_PAGE),
                "offset": str(len(found)),
            }
            response = ask(client, self._policy, API_URL, parameters)
            try:
                answer = response.json()
                total = int(answer["count"])
                page = [
                    _Vintage(
                        read_date(entry["date"]),
                        read_date(entry["realtime_start"]),
                        _number(entry["value"]),
                    )
                    for entry in answer["observations"]
                ]
            except (KeyError, TypeError, ValueError) as error:
                reason = f"FRED's answer cannot be read ({type(error).__name__}: {error})"
                received = excerpt(response.text, parameters)
                raise FredFailure(excerpt(reason, parameters), received) from None
            if not page and total:
                raise FredFailure(f"FRED announced {total} values and sent {len(found)}")
            found += page
        return found


def _vintage_windows(
    series: Series, start: dt.date, today: dt.date
) -> list[tuple[dt.date, dt.date]]:
    """Cut real time, from the oldest observation on, into windows that FRED answers at once."""
    newest = max(start.year, today.year) if series.series_id in DAILY else start.year
    years = range(start.year, newest + 1, _VINTAGE_YEARS)
    firsts = [dt.date(year, 1, 1) for year in years]
    lasts = [first - dt.timedelta(days=1) for first in firsts[1:]]
    return list(zip(firsts, [*lasts, _LAST_VINTAGE], strict=True))


def _number(text: str) -> float | None:
    """Read a value; FRED writes a missing one as a dot, or as nothing."""
    return None if text.strip() in ("", ".") else float(text)


def _row(
    series: Series, day: dt.date, value: float | None, released_at: dt.datetime | None
) -> dict[str, Any]:
    return {
        "series_id": series.series_id,
        "observation_date": day,
        "value": value,
        "released_at": released_at,
    }
