"""One made-up economy at FRED, one real lake, and a poll from the one to the other."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from models.lake import MACRO
from models.vocabulary import Arrival, Source
from pipelines.ingest.fred import Fred
from pipelines.ingest.release_lags import DAILY
from pipelines.ingest.retries import RetryPolicy
from pipelines.ingest.stamps import stamped_macro
from pipelines.lake import append_versions, current_versions, dataset_files, read_files
from pipelines.macro_series import macro_series
from pipelines.settings import Settings, load_settings

from .fred import FredSite, Published
from .internet import Internet
from .network import only_loopback
from .world import QUICK, Poll, told

FIRST, TODAY = dt.date(2024, 1, 1), dt.date(2024, 6, 28)
ARCHIVE_START = dt.date(2024, 3, 1)
"""The archive of daily series begins late, as FRED's does."""


@dataclass
class Economy:
    fred: FredSite
    internet: Internet
    settings: Settings
    key: str | None = None
    policy: RetryPolicy = QUICK
    polls: list[Poll] = field(default_factory=list)

    def poll(self, today: dt.date = TODAY) -> Poll:
        """Ask for all series, append, and hold the lake against what was published."""
        self.fred.today = today
        now = dt.datetime.combine(today, dt.time(23), dt.UTC)
        key = None if self.key is None else SecretStr(self.key)
        before, start = self.all_versions(), len(self.internet.exchanged)
        rows, problems = Fred(key, self.policy, lambda: now).observations(FIRST, today)
        result = append_versions(
            self.settings,
            MACRO,
            today,
            stamped_macro(rows, Source.YAHOO, today),
            arrival=Arrival.POLLED,
            observed_at=now,
        )
        exchanged = self.internet.exchanged[start:]
        self.polls.append(
            Poll(
                asked=len(exchanged),
                statuses=Counter(told(reply) for _, reply in exchanged),
                delivered=rows.num_rows,
                problems=tuple(f"{one.thing}: {one.reason}" for one in problems),
                new_rows=result.new_rows,
                restated_rows=result.restated_rows,
                actions=0,
            )
        )
        lost = before - self.all_versions()
        assert not lost, f"the lake lost {lost}"
        for row in current_versions(self.settings, MACRO).to_pylist():
            published = self.fred.current(row["series_id"])[row["observation_date"]]
            assert row["value"] == (None if published == "." else float(published)), row
        return self.polls[-1]

    def all_versions(self) -> set[tuple[object, ...]]:
        files = dataset_files(self.settings, MACRO)
        return {tuple(row.values()) for row in read_files(self.settings, MACRO, files).to_pylist()}

    def versions(self, series_id: str, day: dt.date) -> list[tuple[dt.datetime, float | None, str]]:
        """Return when each stored value of an observation was known, and how we know that."""
        files = dataset_files(self.settings, MACRO)
        return sorted(
            (row["known_at"], row["value"], row["known_at_basis"])
            for row in read_files(self.settings, MACRO, files).to_pylist()
            if (row["series_id"], row["observation_date"]) == (series_id, day)
        )


@contextmanager
def economy(folder: Path, key: str | None = None) -> Iterator[Economy]:
    """Make up half a year of every series, and an empty lake."""
    series = {one.series_id: published(one.series_id) for one in macro_series()}
    fred = FredSite(series, TODAY)
    with only_loopback(folder, fred.sites()) as internet:
        settings = load_settings({}, home=folder / "home", source="yahoo")
        yield Economy(fred, internet, settings, key)


def published(series_id: str) -> Published:
    """Make up values: monthly ones out after 40 days, daily ones on the next day."""
    if series_id in DAILY:
        days = [FIRST + dt.timedelta(days=number) for number in range(180)]
        return {
            day: [(max(day + dt.timedelta(days=1), ARCHIVE_START), f"{4 + day.day / 100:.2f}")]
            for day in days
            if day.weekday() < 5
        }
    months = [dt.date(2024, month, 1) for month in range(1, 7)]
    return {
        month: [(month + dt.timedelta(days=40), f"{300 + month.month / 10:.1f}")]
        for month in months
    }
