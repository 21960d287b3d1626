"""What every market data source offers, whatever it is behind."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from models.vocabulary import Arrival, Source
from pipelines.lake import arrow_schema

_STAMPED = ("source", "known_at", "known_at_basis", "ingest_session")


def delivered_schema(table: Table) -> pa.Schema:
    """Return the columns that a provider delivers: the declared ones that ingest does not stamp."""
    return pa.schema([field for field in arrow_schema(table) if field.name not in _STAMPED])


PRICE_SCHEMA = delivered_schema(PRICES)
ACTION_SCHEMA = delivered_schema(ACTIONS)
UNIVERSE_SCHEMA = delivered_schema(UNIVERSE)
INSTRUMENT_SCHEMA = delivered_schema(INSTRUMENTS).append(
    pa.field("first_session", pa.date32(), nullable=False)
)
"""Instruments come with the first session from which the source can price them."""
MACRO_SCHEMA = delivered_schema(MACRO).append(
    pa.field("released_at", pa.timestamp("us", tz="UTC"), nullable=True)
)
"""Macro values come with the moment of their release, where the source dates its vintages."""


@dataclass(frozen=True)
class Problem:
    """Something that a source could not deliver, without harm to the rest.

    ``thing`` is a symbol, a series or a file; ``rows`` holds undecodable text as it was received.
    """

    thing: str
    reason: str
    remedy: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """How many bars a source has of a symbol up to a session, and over which days."""

    symbol: str
    rows: int
    first_day: dt.date
    last_day: dt.date


def _nothing_to_note(landed: Collection[str]) -> None:
    """Do nothing: most sources remember nothing of what they delivered."""


@dataclass(frozen=True)
class Delivery:
    """What one request brought: bars as ``PRICE_SCHEMA``, actions as ``ACTION_SCHEMA``.

    ``origin`` says where the bytes came from, as text that is stored with the lake file: the
    request and library version, or the file's name and SHA-256. ``spans`` says what the source has
    of each symbol, where the delivery leaves out bars that it knows to be stored already; then
    ``stored`` is called with the paths of the lake's new files once all of it is stored and judged.
    """

    prices: pa.Table
    actions: pa.Table
    problems: tuple[Problem, ...] = ()
    origin: str = ""
    spans: tuple[Span, ...] = ()
    stored: Callable[[Collection[str]], None] = _nothing_to_note


class Provider(Protocol):
    """A source of market data.

    Rows are delivered as the source has them. What a source does not have is null, and a session
    that it has no bar for is no row: nothing is filled in.
    """

    @property
    def source(self) -> Source:
        """The name under which its data is stored."""

    @property
    def arrival(self) -> Arrival:
        """Whether its rows count as observed when they come, or as known since their session."""

    def first_session(self) -> dt.date:
        """Return the oldest session that it has prices for."""

    def newest_session(self) -> dt.date:
        """Return the newest session whose bars are complete."""

    def instruments(self) -> pa.Table:
        """Return the instruments that it knows, with the columns of ``INSTRUMENT_SCHEMA``."""

    def universe(self) -> pa.Table:
        """Return who was a member of which universe when, as ``UNIVERSE_SCHEMA``."""

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return the symbols to ask for in a session's ingest, in the groups to ask for them."""

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return bars and actions of some symbols from start to end, both included.

        A symbol that fails is a ``Problem`` and holds up no other.

        Raises
        ------
        SourceError
            The source as a whole cannot be read.
        """

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return macro observations from start to end, as ``MACRO_SCHEMA``; may be empty."""
