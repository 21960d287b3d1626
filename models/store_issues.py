"""Output tables of the SQL store: what could not be used, and what to do about it."""

from models.declaration import Table, date, integer, text, timestamp
from models.vocabulary import Source

CLIENT_ISSUE = Table(
    name="client_issue",
    grain="one row per client input file, line and field that could not be used",
    key=("issue_id",),
    columns=(
        text("issue_id", "digest of file, line and field"),
        text("client_id", "the client, where known", nullable=True),
        text("file_digest", "SHA-256 of the file that held it"),
        integer("line", "line in that file", "count", at_least=1),
        text("field", "field that is wrong"),
        text("cause", "what is wrong, without the value: a shifted column puts a name anywhere"),
        text("remedy", "what to do about it"),
        timestamp("since", "when it was first seen"),
    ),
)

QUARANTINE = Table(
    name="quarantine",
    grain="one row per rejected version of a row of market data that nobody released, and rule",
    key=("source", "dataset", "symbol", "session_date", "detail", "known_at", "rule"),
    columns=(
        text("source", "provider of the row", allowed=Source),
        text("dataset", "prices, actions, macro, instruments or universe"),
        text("symbol", "the provider's symbol, or the macro series"),
        date("session_date", "day that the row speaks of; of an instrument, when it was known"),
        text("detail", "kind of an action, universe of a membership; else empty"),
        timestamp("known_at", "version that was rejected"),
        text("rule", "expectation that it failed"),
        text("observed_value", "the offending value as text", nullable=True),
        text("reason", "what is wrong, in a sentence"),
        text("remedy", "what to do about it"),
        timestamp("since", "when it was first rejected"),
    ),
)
