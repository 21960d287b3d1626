"""Datasets of the lake: what providers deliver, as received, and what quality rejects.

Client snapshots in the lake are the store's input tables themselves (``store_inputs.SNAPSHOT``).
"""

from models.declaration import Table, boolean, date, integer, number, text, timestamp
from models.vocabulary import AssetClass, KnownAtBasis, Source

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
        timestamp("known_at", "when this version could be known"),
        text("known_at_basis", "how known_at came about", allowed=KnownAtBasis),
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
        timestamp("known_at", "when this version could be known"),
        text("known_at_basis", "how known_at came about", allowed=KnownAtBasis),
    ),
)

QUARANTINED_PRICES = Table(
    name="prices",
    grain="one row per rejected price version and rule",
    key=("source", "symbol", "session_date", "known_at", "rule"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("symbol", "the provider's symbol"),
        date("session_date", "session of the rejected bar"),
        timestamp("known_at", "version that was rejected"),
        text("rule", "expectation that it failed"),
        text("observed_value", "the offending value as text", nullable=True),
        text("reason", "what is wrong, in a sentence"),
        text("remedy", "what to do about it"),
    ),
)

RAW = (PRICES, INSTRUMENTS)
