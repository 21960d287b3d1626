"""What is odd about a source's data as of a session, but rejects nothing: mostly what is missing.

A row that never came has no verdict, so each of these is looked for at every check.
"""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.lake import ACTIONS, INSTRUMENTS, MACRO, UNIVERSE
from models.vocabulary import ActionKind
from pipelines.lake import read_as_of
from pipelines.quality.recent import Recent
from pipelines.sessions import sessions_between
from pipelines.settings import Settings

Note = tuple[str, str]
Days = npt.NDArray[np.datetime64]

_INTERVALS = 8
_FEWEST_INTERVALS = 4
_REGULAR = 0.35
"""A regular payer's intervals lie within so much of their median; one in four may not."""
_OVERDUE = 1.5

_FEWEST_SERIES = 2
_MISSING_SHOWN = 5


def notes_of(settings: Settings, session: dt.date, recent: Recent) -> list[Note]:
    """Return notes by symbol or series: holes, silence, overdue dividends, missing periods."""
    over = left(settings, session)
    return [
        *(note for note in recent.notes() if note[0] not in over),
        *_silent(settings, session, recent, over),
        *overdue_dividends(
            read_as_of(settings, ACTIONS, session, accepted=True), session, recent.trading()
        ),
        *missing_periods(read_as_of(settings, MACRO, session)),
    ]


def left(settings: Settings, session: dt.date) -> set[str]:
    """Return the symbols that were members of a universe and are of none any more."""
    memberships = read_as_of(settings, UNIVERSE, session, accepted=True)
    lasting = pc.field("member_until").is_null() | (
        pc.field("member_until") >= pa.scalar(session, pa.date32())
    )
    return _symbols(memberships) - _symbols(memberships.filter(lasting))


def _silent(settings: Settings, session: dt.date, recent: Recent, over: set[str]) -> Iterator[Note]:
    """Note instruments without any price in the sessions looked at."""
    expected = _symbols(read_as_of(settings, INSTRUMENTS, session, accepted=True))
    for symbol in sorted(expected - set(recent.symbols) - over):
        yield symbol, f"no bar in the last {len(recent.sessions)} sessions"


def overdue_dividends(actions: pa.Table, session: dt.date, symbols: set[str]) -> Iterator[Note]:
    """Note which of some symbols pay regularly, and have not for half as long again."""
    paid = (pc.field("kind") == ActionKind.DIVIDEND.value) & (pc.field("amount") > 0)
    for symbol, days in _days_by(actions.filter(paid), "symbol", "session_date"):
        until = np.append(days, np.datetime64(session, "D"))
        intervals = np.diff(until).astype(np.int64)[-_INTERVALS - 1 :]
        usual = np.median(intervals[:-1]) if len(intervals) > _FEWEST_INTERVALS else np.inf
        regular = np.abs(intervals[:-1] / usual - 1) < _REGULAR
        if symbol not in symbols or len(regular) < _FEWEST_INTERVALS or regular.mean() < 3 / 4:
            continue
        overdue = np.flatnonzero(intervals > _OVERDUE * usual)
        if overdue.size == 1:  # More than one is a habit.
            place = overdue[0]
            begin = until[place - len(intervals) - 1]
            yield symbol, f"no dividend for {intervals[place]} days from {begin}, usual {usual:.0f}"


def missing_periods(macro: pa.Table) -> Iterator[Note]:
    """Note the months of monthly series, and the days of daily ones, that have no row."""
    every = dict(_days_by(macro, "series_id", "observation_date"))
    daily = {name: days for name, days in every.items() if not _is_monthly(days)}
    for name, days in every.items():
        missing = _months_between(days) if name not in daily else _days_of_others(name, daily)
        if missing.size:
            shown = ", ".join(str(day) for day in missing[-_MISSING_SHOWN:])
            more = f" and {missing.size - _MISSING_SHOWN} more" * (missing.size > _MISSING_SHOWN)
            yield name, f"no value for {shown}{more}"


def _is_monthly(days: Days) -> bool:
    """Say whether most periods begin with a month: one that is dated wrongly is another matter."""
    firsts = days == days.astype("datetime64[M]")
    return bool(firsts.mean() > 1 / 2)


def _months_between(days: Days) -> Days:
    months = np.unique(days.astype("datetime64[M]"))
    step = np.diff(months).astype(np.int64).min(initial=12)  # of quarters: 3
    return np.setdiff1d(np.arange(months[0], months[-1], step), months)


def _days_of_others(name: str, daily: dict[str, Days]) -> Days:
    """Return the sessions between a series' ends on which at least two other series have a value.

    The bond market closes on days of its own, so one series alone proves nothing.
    """
    own = daily[name]
    others = [days for other, days in daily.items() if other != name]
    if len(others) < _FEWEST_SERIES:
        return own[:0]
    days, count = np.unique(np.concatenate(others), return_counts=True)
    told = days[(count >= _FEWEST_SERIES) & (days > own[0]) & (days < own[-1])]
    missing = np.setdiff1d(told, own)
    if not missing.size:
        return missing
    first, last = (day.astype(object) for day in missing[[0, -1]])
    return np.intersect1d(missing, np.array(sessions_between(first, last), dtype="datetime64[D]"))


def _days_by(rows: pa.Table, name: str, day: str) -> Iterator[tuple[str, Days]]:
    """Return, in order, the distinct days of each name."""
    ordered = rows.select([name, day]).sort_by([(name, "ascending"), (day, "ascending")])
    days = ordered[day].to_numpy()
    counts = ordered.group_by(name, use_threads=False).aggregate([(day, "count")])
    ends = np.cumsum(counts[f"{day}_count"].to_numpy())
    for one, part in zip(counts[name].to_pylist(), np.split(days, ends)[:-1], strict=True):
        yield one, np.unique(part).astype("datetime64[D]")


def _symbols(rows: pa.Table) -> set[str]:
    return set(pc.unique(rows["symbol"]).to_pylist())
