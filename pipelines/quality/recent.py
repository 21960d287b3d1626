"""The last sessions of a source as of a session: which bars there are, and which were rejected."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.lake import PRICES
from pipelines.lake import known_at_cut, landed_files, read_rows, rejections
from pipelines.sessions import sessions_between
from pipelines.settings import Settings

RECENT_SESSIONS = 21
"""Over how many sessions a symbol's bars must be mostly good."""

NOTED_SESSIONS = 252
"""Over how many sessions holes and silence are noted: a year."""

LARGEST_BAD_SHARE_OF_SYMBOL = 1 / 3
"""A symbol with a larger share of rejected bars among its recent ones is frozen."""

Mask = npt.NDArray[np.bool_]

_COLUMNS = ("symbol", "session_date", "known_at")
_CALENDAR_DAYS = 380
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Recent:
    """Symbols by sessions: whether there is a bar, and whether its newest version was rejected.

    ``sessions`` are the last ``NOTED_SESSIONS``, oldest first, up to the one that was asked for.
    """

    symbols: list[str]
    sessions: list[dt.date]
    delivered: Mask
    rejected: Mask

    def frozen(self) -> tuple[str, ...]:
        """Return the symbols whose bar of the session, or too many recent ones, were rejected.

        Frozen means that the rejected bars are out and the symbol keeps its last accepted close;
        its good bars stay in.
        """
        bad = self.rejected[:, -RECENT_SESSIONS:].sum(axis=1)
        bars = self.delivered[:, -RECENT_SESSIONS:].sum(axis=1)
        frozen = self.rejected[:, -1] | (bad > LARGEST_BAD_SHARE_OF_SYMBOL * np.maximum(bars, 1))
        return tuple(np.array(self.symbols, dtype=object)[frozen])

    def bad_share_of_session(self) -> float:
        """Return the share of rejected bars among those of the session."""
        bars = int(self.delivered[:, -1].sum())
        return int(self.rejected[:, -1].sum()) / bars if bars else 0.0

    def trading(self) -> set[str]:
        """Return the symbols with a bar of late."""
        there = self.delivered[:, -RECENT_SESSIONS:].any(axis=1)
        return set(np.array(self.symbols, dtype=object)[there])

    def notes(self) -> list[tuple[str, str]]:
        """Return, by symbol, what is odd but rejects nothing: missing sessions, no bars any more.

        A session in which no symbol has a bar says nothing about any of them.
        """
        held: Mask = np.asarray(self.delivered.any(axis=0))
        notes = []
        for symbol, delivered in zip(self.symbols, self.delivered, strict=True):
            there = np.flatnonzero(delivered)
            first, last = int(there[0]), int(there[-1])
            ended = int(held[last + 1 :].sum())
            missing = first + np.flatnonzero((held & ~delivered)[first:last])
            if ended:
                since = f"since {self.sessions[last]}"
                notes.append((symbol, f"no bar in the last {ended} sessions ({since})"))
            if missing.size:
                days = " to ".join(
                    dict.fromkeys(str(self.sessions[place]) for place in missing[[0, -1]])
                )
                count, sessions = missing.size, len(self.sessions)
                notes.append((symbol, f"{count} of the last {sessions} sessions missing ({days})"))
        return notes


def recent(settings: Settings, session: dt.date) -> Recent:
    """Return the last sessions as a run of a session sees them."""
    sessions = sessions_between(session - dt.timedelta(days=_CALENDAR_DAYS), session)
    sessions = sessions[-NOTED_SESSIONS:]
    rows = _newest(_bars(settings, sessions))
    symbols = sorted(pc.unique(rows["symbol"]).to_pylist())
    delivered = _grid(rows, symbols, sessions)
    bad = rejections(settings, PRICES).select(_COLUMNS)
    bad = bad.group_by(list(_COLUMNS)).aggregate([])
    bad_newest = rows.join(bad, list(_COLUMNS), join_type="left semi")
    return Recent(symbols, sessions, delivered, _grid(bad_newest, symbols, sessions))


def _bars(settings: Settings, sessions: list[dt.date]) -> pa.Table:
    first, last = (_day(session) for session in (sessions[0], sessions[-1]))
    files = [f for f in landed_files(settings, "raw", PRICES) if f.summary.last_day >= first]
    rows = read_rows(settings, PRICES, files, list(_COLUMNS))
    day = rows["session_date"].cast(pa.int32())
    cut = pa.scalar(known_at_cut(settings, sessions[-1]), rows["known_at"].type)
    known = pc.less_equal(rows["known_at"], cut)
    inside = pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last))
    rows = rows.filter(pc.and_(inside, known))
    return rows.set_column(0, "symbol", rows["symbol"].cast(pa.string()))


def _newest(rows: pa.Table) -> pa.Table:
    newest = rows.group_by(["symbol", "session_date"]).aggregate([("known_at", "max")])
    return newest.rename_columns(["symbol", "session_date", "known_at"])


def _grid(rows: pa.Table, symbols: list[str], sessions: list[dt.date]) -> Mask:
    grid = np.zeros((len(symbols), len(sessions)), dtype=bool)
    row = pc.index_in(rows["symbol"], pa.array(symbols, pa.string()))
    column = pc.index_in(rows["session_date"], pa.array(sessions, pa.date32()))
    known = pc.is_valid(column)
    grid[
        np.asarray(row.filter(known).to_numpy(), dtype=np.intp),
        np.asarray(column.filter(known).to_numpy(), dtype=np.intp),
    ] = True
    return grid


def _day(date: dt.date) -> int:
    return (date - _EPOCH).days
