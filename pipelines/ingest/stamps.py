"""What ingest adds to delivered rows: their source, the ingest's session, when they were known.

History that arrives in bulk counts as known since its own day, by assumption; what a source dates
itself (a vintage) counts from that date. Nothing that an ingest for a session adds by assumption
is known later than the session itself, so that an ingest never moves what a run knows by more
than what was really observed.
"""

import datetime as dt
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import KnownAtBasis, Source
from pipelines.ingest.release_lags import assumed_release
from pipelines.sessions import (
    FIRST_DATE,
    LAST_DATE,
    PUBLICATION_DELAY,
    available_at,
    calendar,
)

_MOMENT = pa.timestamp("us", tz="UTC")
_DAY_US = 86_400_000_000
_EPOCH = dt.date(1970, 1, 1)
_MEMBERSHIP = ["universe", "symbol", "member_from"]


def stamped(
    rows: pa.Table,
    source: Source,
    session: dt.date,
    known_at: pa.Array,
    basis: pa.Array | KnownAtBasis = KnownAtBasis.ASSUMED,
) -> pa.Table:
    """Return delivered rows with the columns that the lake wants besides.

    Parameters
    ----------
    session : session of the ingest.
    known_at : moment (UTC) from which each row counts as known.
    basis : how those moments came about, for all rows or row by row.
    """
    count = rows.num_rows
    if isinstance(basis, KnownAtBasis):
        basis = _repeated(basis.value, count)
    return (
        rows.append_column("source", _repeated(source.value, count))
        .append_column("known_at", known_at)
        .append_column("known_at_basis", basis)
        .append_column("ingest_session", _repeated_day(session, count))
    )


def stamped_by_day(rows: pa.Table, source: Source, session: dt.date) -> pa.Table:
    """Stamp rows with a ``session_date`` as known since the evening of that day."""
    return stamped(rows, source, session, known_since(rows["session_date"]))


def stamped_instruments(rows: pa.Table, source: Source, session: dt.date) -> pa.Table:
    """Stamp the instruments that exist by a session: known once their first bar was."""
    rows = rows.filter(pc.field("first_session") <= pa.scalar(session, pa.date32()))
    return stamped(rows.drop("first_session"), source, session, known_since(rows["first_session"]))


def stamped_universe(
    rows: pa.Table, source: Source, session: dt.date, stored: pa.Table
) -> pa.Table:
    """Stamp memberships as a session knows them: entries until then, and exits before it.

    A membership becomes known with its first session, without an end; its end becomes known on
    the evening of its last one, as a second version. A membership that is stored already comes
    in its newest version only.
    """
    rows = rows.filter(pc.field("member_from") <= pa.scalar(session, pa.date32()))
    end = pa.scalar(session, pa.date32())
    over = rows.filter(pc.field("member_until") <= end)
    new = over.join(stored.select(_MEMBERSHIP), _MEMBERSHIP, join_type="left anti")
    opening = pa.concat_tables(
        [
            rows.filter(pc.field("member_until").is_null() | (pc.field("member_until") > end)),
            new.select(rows.column_names).cast(rows.schema),
        ]
    )
    position = rows.schema.get_field_index("member_until")
    without_end = pa.nulls(opening.num_rows, pa.date32())
    opening = opening.set_column(position, rows.schema.field("member_until"), without_end)
    return pa.concat_tables(
        [
            stamped(opening, source, session, known_since(opening["member_from"])),
            stamped(over, source, session, known_since(over["member_until"])),
        ]
    )


def stamped_macro(rows: pa.Table, source: Source, session: dt.date) -> pa.Table:
    """Stamp the macro values that were released by the evening of a session.

    Where the source dates its releases, that is when a value was known; else it counts as released
    after the series' usual lag.
    """
    cut = available_at(session)
    keys = zip(*(rows[name].to_pylist() for name in ("series_id", "observation_date")), strict=True)
    released = [
        given or assumed_release(*key)
        for key, given in zip(keys, rows["released_at"].to_pylist(), strict=True)
    ]
    basis = pc.if_else(
        rows["released_at"].is_valid(), KnownAtBasis.VINTAGE.value, KnownAtBasis.ASSUMED.value
    )
    done = stamped(rows.drop("released_at"), source, session, pa.array(released, _MOMENT), basis)
    return done.filter(pc.field("known_at") <= pa.scalar(cut, _MOMENT))


def known_since(days: pa.ChunkedArray) -> pa.Array:
    """Return when bars of these days could be known; a day that is no session counts to its end."""
    numbers = np.asarray(days.combine_chunks().cast(pa.int32()), dtype=np.int64)
    moments = (numbers + 1) * _DAY_US + _microseconds(PUBLICATION_DELAY)
    position = numbers - _day_number(FIRST_DATE)
    inside = (position >= 0) & (numbers <= _day_number(LAST_DATE))
    by_session = _session_moments()[np.where(inside, position, 0)]
    moments = np.where(inside & (by_session > _NO_SESSION), by_session, moments)
    return pa.array(moments).cast(_MOMENT)


_NO_SESSION = np.iinfo(np.int64).min


@cache
def _session_moments() -> npt.NDArray[np.int64]:
    """Return, for each day of the calendar, when its bars count as known, in microseconds."""
    moments = np.full((LAST_DATE - FIRST_DATE).days + 1, _NO_SESSION)
    closes = calendar().closes
    days = closes.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    utc = closes.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    moments[days - _day_number(FIRST_DATE)] = utc.astype("datetime64[us]").astype(
        np.int64
    ) + _microseconds(PUBLICATION_DELAY)
    return moments


def _repeated(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [text])


def _repeated_day(day: dt.date, count: int) -> pa.Array:
    return pa.array(np.full(count, _day_number(day), dtype=np.int32)).cast(pa.date32())


def _day_number(day: dt.date) -> int:
    return (day - _EPOCH).days


def _microseconds(delay: dt.timedelta) -> int:
    return delay // dt.timedelta(microseconds=1)
