"""Datasets of the lake: what providers deliver, as received, and what quality rejects.

Client snapshots in the lake are the store's input tables themselves (``store_inputs.SNAPSHOT``).
"""

from models.declaration import Table, boolean, date, integer, number, text, timestamp
from models.vocabulary import ActionKind, AssetClass, KnownAtBasis, PriceBasis, Source

_INGESTED = (
    timestamp("known_at", "when this version could be known"),
    text("known_at_basis", "how known_at came about", allowed=KnownAtBasis),
    date("ingest_session", "session whose ingest brought this version"),
)
"""What ingest stamps on every row, besides its source."""

PRICES = Table(
    name="prices",
    grain="one row per source, symbol, session and version (known_at)",
    key=("source", "symbol", "session_date", "known_at"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("symbol", "the provider's symbol"),
        date("session_date", "exchange session the bar speaks of"),
        number("open", "first price as received", "USD per share", nullable=True),
        number("high", "highest price as received", "USD per share", nullable=True),
        number("low", "lowest price as received", "USD per share", nullable=True),
        number("close", "last price as received", "USD per share", nullable=True),
        number("volume", "shares traded as received", "shares", nullable=True),
        number(
            "adjusted_return_1d",
            "simple return since the bar before by the source's own adjusted close, a cross-check",
            "fraction",
            nullable=True,
        ),
        text("price_basis", "what the prices already contain", allowed=PriceBasis),
        *_INGESTED,
    ),
)

ACTIONS = Table(
    name="actions",
    grain="one row per source, symbol, ex-date, kind and version (known_at)",
    key=("source", "symbol", "session_date", "kind", "known_at"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("symbol", "the provider's symbol"),
        date("session_date", "ex-date: first session that trades without the right"),
        text("kind", "what happens", allowed=ActionKind),
        number(
            "amount",
            "cash per share as it was paid, or new shares per old share; null: withdrawn",
            "USD per share, or shares per share",
            nullable=True,
        ),
        *_INGESTED,
    ),
)

MACRO = Table(
    name="macro",
    grain="one row per source, series, observation date and version (known_at)",
    key=("source", "series_id", "observation_date", "known_at"),
    columns=(
        text("source", "source whose runs read the row", allowed=Source),
        text("series_id", "FRED's name of the series"),
        date("observation_date", "first day of the period that the value speaks of"),
        number("value", "value as published", "the series' own unit", nullable=True),
        *_INGESTED,
    ),
)

UNIVERSE = Table(
    name="universe",
    grain="one row per source, universe, symbol, start of membership and version (known_at)",
    key=("source", "universe", "symbol", "member_from", "known_at"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("universe", "name of the universe"),
        text("symbol", "the provider's symbol"),
        date("member_from", "first session of membership"),
        date("member_until", "last session of membership; null: still a member", nullable=True),
        *_INGESTED,
    ),
)

INSTRUMENTS = Table(
    name="instruments",
    grain="one row per source, symbol and version (known_at)",
    key=("source", "symbol", "known_at"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("symbol", "the provider's symbol"),
        text("name", "the instrument's usual name"),
        text("asset_class", "class that bounds and exclusions speak of", allowed=AssetClass),
        text("currency", "ISO 4217 code of its prices"),
        integer("expense_ratio_bps", "yearly cost of holding it", "basis points", at_least=0),
        text("substitute_group", "instruments that track the same thing share a group"),
        number("reference_weight", "share in the reference portfolio", "fraction", at_least=0),
        boolean("tradable", "whether client accounts may hold it"),
        *_INGESTED,
    ),
)

RAW = (PRICES, ACTIONS, MACRO, INSTRUMENTS, UNIVERSE)
"""Everything that providers deliver."""


def quarantined(table: Table) -> Table:
    """Return the declaration of what quality rejected of a raw dataset: keys, causes, remedies."""
    return Table(
        name=table.name,
        grain=f"one row per rejected version of {table.name} and rule",
        key=(*table.key, "rule"),
        columns=(
            *(table[name] for name in table.key),
            text("rule", "expectation that it failed"),
            text("observed_value", "the offending value as text", nullable=True),
            text("reason", "what is wrong, in a sentence"),
            text("remedy", "what to do about it"),
        ),
    )


QUARANTINED_PRICES = quarantined(PRICES)

RELEASES = Table(
    name="releases",
    grain="one row per decision of a person that verdicts on a symbol's rows do not count",
    key=("source", "dataset", "symbol", "released_at"),
    columns=(
        text("source", "provider of the rows", allowed=Source),
        text("dataset", "raw dataset of the rows"),
        text("symbol", "the provider's symbol, or the series"),
        date("first_session", "first session it speaks of; null: no bound", nullable=True),
        date("last_session", "last session it speaks of; null: no bound", nullable=True),
        text("rule", "rule that is overruled; null: every rule", nullable=True),
        text("released_by", "who decided"),
        text("reason", "why the rows are right"),
        timestamp("released_at", "when it was decided"),
    ),
)
