"""What a lake file says about its rows without being read: it decides who has to read it.

The summary is text in the Parquet file itself, so it can't part from the rows.
"""

import datetime as dt
import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.vocabulary import KnownAtBasis
from pipelines.lake.rows import codes
from pipelines.lineage import canonical_json

SESSION = "session_date"
VERSION = "known_at"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_DAY = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Summary:
    """Bounds of a file's rows; days are counted from 1970-01-01, moments are its microseconds.

    Attributes
    ----------
    first_subject, last_subject : least and greatest symbol (or series).
    frontier : the rows that are visible first, as pairs of session and ``known_at``: a row of the
        file is within two cuts exactly if one of these is. Sessions are 0 where rows have none.
    last_day, last_known_at : greatest session and ``known_at``.
    observed_until : greatest ``known_at`` that our own polling saw, None if there is none.
    ingest_session : session whose ingest brought the rows, None if of several.
    restated_rows : how many rows replaced an earlier version.
    """

    rows: int
    first_subject: str
    last_subject: str
    frontier: tuple[tuple[int, int], ...]
    last_day: int
    last_known_at: int
    observed_until: int | None
    ingest_session: int | None
    restated_rows: int

    def holds_visible_row(self, session: dt.date, known_at: dt.datetime) -> bool:
        """Say whether the file has a row with session and ``known_at`` within the cuts."""
        last_day, moment = day_number(session), microseconds(known_at)
        return any(day <= last_day and known <= moment for day, known in self.frontier)

    @property
    def first_day(self) -> int:
        """Least session of the rows."""
        return min(day for day, _ in self.frontier)

    def to_json(self) -> str:
        """Return the summary as the text that a file carries."""
        return canonical_json(asdict(self))

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> "Summary":
        """Return the summary that parsed JSON describes."""
        frontier = tuple((int(day), int(known)) for day, known in content["frontier"])
        return cls(**{**content, "frontier": frontier})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Summary":
        """Return the summary that a file's text describes."""
        return cls.from_plain(json.loads(text))


def summarise(rows: pa.Table, table: Table, restated_rows: int = 0) -> Summary:
    """Return the summary of at least one row of a declared dataset."""
    days = codes(rows[SESSION]) if SESSION in table.column_names else None
    known_at = codes(rows[VERSION])
    subjects = pc.min_max(rows[subject_column(table)].unique().cast(pa.string()))
    observed, ingest_session = None, None
    if "known_at_basis" in table.column_names:
        is_observed = np.asarray(pc.equal(rows["known_at_basis"], KnownAtBasis.OBSERVED.value))
        observed = int(known_at[is_observed].max()) if is_observed.any() else None
    if "ingest_session" in table.column_names:
        least, greatest = pc.min_max(rows["ingest_session"].cast(pa.int32())).values()
        ingest_session = least.as_py() if least == greatest else None
    return Summary(
        rows=rows.num_rows,
        first_subject=subjects["min"].as_py(),
        last_subject=subjects["max"].as_py(),
        frontier=_frontier(days, known_at),
        last_day=0 if days is None else int(days.max()),
        last_known_at=int(known_at.max()),
        observed_until=observed,
        ingest_session=ingest_session,
        restated_rows=restated_rows,
    )


def may_hold(summary: Summary, subjects: Sequence[str] | None) -> bool:
    """Say whether a file's rows may be of some symbols (or series), given in order."""
    if subjects is None:
        return True
    position = bisect_left(subjects, summary.first_subject)
    return position < len(subjects) and subjects[position] <= summary.last_subject


def subject_column(table: Table) -> str:
    """Return the column by which a dataset's rows are looked up: symbol or series."""
    return "series_id" if "series_id" in table.column_names else "symbol"


def day_column(table: Table) -> str | None:
    """Return the column that says of which day a dataset's rows speak; None: of no day."""
    days = (SESSION, "observation_date", "member_from")
    return next((name for name in days if name in table.column_names), None)


def day_number(day: dt.date) -> int:
    """Return a date as days since 1970-01-01."""
    return (day - _FIRST_DAY).days


def date_of(day: int) -> dt.date:
    """Return the date that so many days since 1970-01-01 are."""
    return _FIRST_DAY + dt.timedelta(days=day)


def microseconds(moment: dt.datetime) -> int:
    """Return a moment as microseconds since 1970-01-01, UTC."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def moment_of(microseconds_since_1970: int) -> dt.datetime:
    """Return the moment that so many microseconds since 1970-01-01, UTC, are."""
    return _EPOCH + dt.timedelta(microseconds=microseconds_since_1970)


def _frontier(
    days: "np.ndarray[Any, np.dtype[np.int64]] | None",
    known_at: "np.ndarray[Any, np.dtype[np.int64]]",
) -> tuple[tuple[int, int], ...]:
    """Return the pairs than which no other pair is earlier in both respects, by session."""
    if days is None:
        return ((0, int(known_at.min())),)
    first = int(days.min())
    earliest = int(known_at[days == first].min())
    if earliest == known_at.min():
        return ((first, earliest),)
    by_day = np.full(int(days.max()) - first + 1, np.iinfo(np.int64).max)
    np.minimum.at(by_day, days - first, known_at)
    best = np.minimum.accumulate(by_day)
    leads = np.flatnonzero(np.append(True, best[1:] < best[:-1]))
    return tuple((first + int(day), int(best[day])) for day in leads)
