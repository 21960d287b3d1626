"""FRED in its wire formats: the CSV files of its graphs, and its API with real-time periods.

The site knows every value that was ever published and when. The CSV tells today's; the API tells
the periods during which each was current, cut at the bounds of real time that were asked for.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from itertools import pairwise

from .internet import Reply, Request, Site

HOSTS = ("fred.stlouisfed.org", "api.stlouisfed.org")
KEY = "0123456789abcdef0123456789abcdef"
MOST_VINTAGES = 2000
_END = dt.date(9999, 12, 31)

Published = dict[dt.date, list[tuple[dt.date, str]]]
"""Observation date: days of publication, ascending, and the value published on each."""

Spoiler = Callable[[Reply], Reply]


class FredSite:
    """Both hosts. ``spoil`` decides what happens to the next answers about a series."""

    def __init__(self, series: dict[str, Published], today: dt.date) -> None:
        self.series = series
        self.today = today
        self._spoilers: dict[str, Iterator[Spoiler | None]] = {}

    def sites(self) -> dict[str, Site]:
        return {"fred.stlouisfed.org": self._graph, "api.stlouisfed.org": self._api}

    def spoil(self, series_id: str, spoilers: Iterator[Spoiler | None]) -> None:
        self._spoilers[series_id] = spoilers

    def current(self, series_id: str) -> dict[dt.date, str]:
        """Return today's value of each observation that is published by today."""
        return {
            day: [value for published, value in versions if published <= self.today][-1]
            for day, versions in self.series[series_id].items()
            if versions[0][0] <= self.today
        }

    def _graph(self, request: Request) -> Reply:
        if request.path != "/graph/fredgraph.csv" or request.query.get("id") not in self.series:
            return Reply(404, b"<html>no such file</html>", "text/html")
        series_id = request.query["id"]
        lines = [f"observation_date,{series_id}"]
        lines += [
            f"{day},{'' if value == '.' else value}"
            for day, value in self.current(series_id).items()
            if request.query["cosd"] <= day.isoformat() <= request.query["coed"]
        ]
        return self._spoilt(series_id, Reply(200, "\n".join(lines).encode(), "application/csv"))

    def _api(self, request: Request) -> Reply:
        asked = request.query
        if asked.get("api_key") != KEY:
            return _bad("The value for variable api_key is not registered.")
        if request.path != "/fred/series/observations" or asked["series_id"] not in self.series:
            return _bad("The series does not exist.")
        first, last = (dt.date.fromisoformat(asked[f"realtime_{end}"]) for end in ("start", "end"))
        if first > self.today:
            return _bad(f"realtime_start can not be later than today's date ({self.today})")
        published = self.series[asked["series_id"]]
        vintages = {day for versions in published.values() for day, _ in versions}
        if min(vintages) > last:
            return _bad("The series does not exist in the specified real-time period.")
        if sum(first <= day <= min(last, self.today) for day in vintages) > MOST_VINTAGES:
            return _bad("This exceeds the maximum number of vintage dates allowed (2000).")
        entries = [
            entry
            for day, versions in published.items()
            if asked["observation_start"] <= day.isoformat() <= asked["observation_end"]
            for entry in _periods(day, versions, first, last, self.today)
        ]
        start, size = int(asked["offset"]), int(asked["limit"])
        answer = {"count": len(entries), "observations": entries[start : start + size]}
        return self._spoilt(asked["series_id"], Reply(200, json.dumps(answer).encode()))

    def _spoilt(self, series_id: str, reply: Reply) -> Reply:
        spoiler = next(self._spoilers.get(series_id, iter(())), None)
        return reply if spoiler is None else spoiler(reply)


def _periods(
    day: dt.date,
    versions: list[tuple[dt.date, str]],
    first: dt.date,
    last: dt.date,
    today: dt.date,
) -> Iterator[dict[str, str]]:
    known = [version for version in versions if version[0] <= today]
    for (start, value), (following, _) in pairwise([*known, (_END + dt.timedelta(0), "")]):
        end = following if following == _END else following - dt.timedelta(days=1)
        if start <= last and first <= end:
            yield {
                "realtime_start": max(start, first).isoformat(),
                "realtime_end": min(end, last).isoformat(),
                "date": day.isoformat(),
                "value": value,
            }


def _bad(message: str) -> Reply:
    body = {"error_code": 400, "error_message": f"Bad Request.  {message}"}
    return Reply(400, json.dumps(body).encode())
