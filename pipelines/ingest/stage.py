"""The ingest stage: ask the source, stamp the rows, append what is new or restated."""

import datetime as dt
import logging
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from models.lake import INSTRUMENTS, PRICES
from models.vocabulary import KnownAtBasis, Source
from pipelines.errors import SourceError
from pipelines.ingest.provider import Provider
from pipelines.ingest.sources import provider_for
from pipelines.lake import append_versions, clean_leftovers
from pipelines.progress import step
from pipelines.sessions import PUBLICATION_DELAY, available_at, sessions_between
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class IngestReport:
    """What one ingest found and added; rows and symbols are those of prices."""

    session: dt.date
    source: Source
    new_rows: int
    restated_rows: int
    files: int
    first_session: dt.date
    last_session: dt.date
    symbols: int


def ingest(settings: Settings, session: dt.date, provider: Provider | None = None) -> IngestReport:
    """Append everything up to a session that the source knows and the lake does not.

    Raises
    ------
    SourceError
        The source cannot be read, or has no bar at all for the session.
    LakeError
        The lake cannot be written, or a file in it is broken.
    """
    provider = provider or provider_for(settings)
    clean_leftovers(settings.lake)
    with step(f"ingest of {settings.source.value} up to {session}"):
        prices = _prices_until(provider, session)
        instruments = provider.instruments()
        observed_at = dt.datetime.now(dt.UTC)
        results = [
            append_versions(settings, table, session, rows, observed_at)
            for table, rows in (
                (INSTRUMENTS, _stamped_instruments(instruments, provider.source, session)),
                (PRICES, _stamped_prices(prices, provider.source, session)),
            )
        ]
    added = results[-1]
    if added.restated_rows:
        logger.warning("the source restated %d rows; both versions are kept", added.restated_rows)
    return IngestReport(
        session=session,
        source=provider.source,
        new_rows=added.new_rows,
        restated_rows=added.restated_rows,
        files=sum(result.file is not None for result in results),
        first_session=pc.min(prices["session_date"]).as_py(),
        last_session=pc.max(prices["session_date"]).as_py(),
        symbols=len(pc.unique(prices["symbol"])),
    )


def _prices_until(provider: Provider, session: dt.date) -> pa.Table:
    symbols = [symbol for batch in provider.batches(session) for symbol in batch]
    delivered = provider.deliver(symbols, provider.first_session(), session).prices
    rows = delivered.filter(pc.field("session_date") <= pa.scalar(session, pa.date32()))
    if rows.num_rows < delivered.num_rows:
        logger.warning(
            "source %s delivered %d bars after %s, which was not asked for; they are left out",
            provider.source.value,
            delivered.num_rows - rows.num_rows,
            session,
        )
    if session not in set(pc.unique(rows["session_date"]).to_pylist()):
        raise SourceError(
            "session",
            session,
            f"source {provider.source.value} delivered no bar for it",
            "Try again later, or ask for an earlier session.",
        )
    return rows


def _stamped_prices(rows: pa.Table, source: Source, session: dt.date) -> pa.Table:
    return _stamped(rows, source, session, _known_from(rows["session_date"]))


def _stamped_instruments(rows: pa.Table, source: Source, session: dt.date) -> pa.Table:
    """Stamp the instruments that exist by a session: known once their first bar was."""
    rows = rows.filter(pc.field("first_session") <= pa.scalar(session, pa.date32()))
    return _stamped(rows.drop("first_session"), source, session, _known_from(rows["first_session"]))


def _stamped(rows: pa.Table, source: Source, session: dt.date, known_at: pa.Array) -> pa.Table:
    return (
        rows.append_column("source", pa.repeat(pa.scalar(source.value), rows.num_rows))
        .append_column("known_at", known_at)
        .append_column(
            "known_at_basis",
            pa.repeat(pa.scalar(KnownAtBasis.ASSUMED.value), rows.num_rows),
        )
        .append_column("ingest_session", pa.repeat(pa.scalar(session, pa.date32()), rows.num_rows))
    )


def _known_from(days: pa.ChunkedArray) -> pa.Array:
    """Return when bars of these days could be known; a day that is no session counts to its end."""
    encoded = days.combine_chunks().dictionary_encode()
    distinct: list[dt.date] = encoded.dictionary.to_pylist()
    sessions = set(sessions_between(min(distinct), max(distinct)))
    moments = [available_at(day) if day in sessions else _end_of(day) for day in distinct]
    return pa.array(moments, pa.timestamp("us", tz="UTC")).take(encoded.indices)


def _end_of(day: dt.date) -> dt.datetime:
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)
    return midnight + PUBLICATION_DELAY
