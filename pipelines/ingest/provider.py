"""What every market data source offers, whatever it is behind."""

import datetime as dt
from typing import Protocol

import pyarrow as pa

from models.declaration import Table
from models.lake import INSTRUMENTS, PRICES
from models.vocabulary import Source
from pipelines.lake import arrow_schema

_STAMPED = ("source", "known_at", "known_at_basis")


def delivered_schema(table: Table) -> pa.Schema:
    """Return the columns that a provider delivers: the declared ones that ingest does not stamp."""
    return pa.schema([field for field in arrow_schema(table) if field.name not in _STAMPED])


PRICE_SCHEMA = delivered_schema(PRICES)
INSTRUMENT_SCHEMA = delivered_schema(INSTRUMENTS).append(
    pa.field("first_session", pa.date32(), nullable=False)
)
"""Instruments come with the first session from which the source can price them."""


class Provider(Protocol):
    """A source of market data.

    Rows are delivered as the source has them. What a source does not have is null, and a session
    that it has no bar for is no row: nothing is filled in.
    """

    @property
    def source(self) -> Source:
        """The name under which its data is stored."""

    def first_session(self) -> dt.date:
        """Return the oldest session that it has prices for."""

    def newest_session(self) -> dt.date:
        """Return the newest session whose bars are complete."""

    def instruments(self) -> pa.Table:
        """Return the instruments that it knows, with the columns of ``INSTRUMENT_SCHEMA``."""

    def prices(self, start: dt.date, end: dt.date) -> pa.Table:
        """Return the bars from start to end, both included, as ``PRICE_SCHEMA``.

        Raises
        ------
        SourceError
            The source cannot be read.
        """
