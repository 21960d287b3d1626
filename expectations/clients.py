"""Rules for the snapshot of client inputs, one suite per table: what its declaration demands.

Numbers that nobody can have are asked of rows in force alone (``PLAUSIBLE``): what was put right,
by a newer version or a reversal, stays in the history.

The import of a client file checks far more and says it line by line; these suites are the gate in
front of a build, whatever wrote the store.
"""

from collections.abc import Iterator

from expectations.rules import Between, Present, Rule, Suite, Where, declared, is_not_below
from models.declaration import Table
from models.store_inputs import SNAPSHOT
from models.store_ledger import CASH_FLOW, LOT_SALE, TAX_LOT, TRANSACTION, WASH_SALE
from models.vocabulary import TransactionKind

_LEDGER_RULES = {
    CASH_FLOW.name: (is_not_below("last_date", "first_date"),),
    TRANSACTION.name: (
        is_not_below("settlement_date", "trade_date"),
        *(
            Rule(
                f"price_of_a_{kind}_is_present",
                Present("price_micros"),
                f"a {kind} has no price",
                shows=("price_micros",),
                where=Where("kind", kind),
            )
            for kind in (TransactionKind.BUY, TransactionKind.SELL)
        ),
    ),
    TAX_LOT.name: (is_not_below("acquired_date", "holding_period_start_date"),),
}
"""What rows of the ledger must satisfy besides."""

CLIENT_SUITES = {
    table.name: Suite(
        f"clients_{table.name}", (*declared(table), *_LEDGER_RULES.get(table.name, ()))
    )
    for table in SNAPSHOT
}
"""By name of the table."""

_MOST = {"cents": 10**14, "micros": 10**16}
"""By the end of a column's name: a thousand billion dollars; ten thousand million shares, which
are dollars where a holding is cash."""
_FOLLOWS = (LOT_SALE, WASH_SALE)  # from transactions, whose reversal does not change them


def _plausible(table: Table) -> Iterator[Rule]:
    for column in table if table not in _FOLLOWS else ():
        most = _MOST.get(column.name.rpartition("_")[2])
        if most is not None:
            yield Rule(
                f"{column.name}_is_plausible",
                Between(column.name, -most, most),
                f"the {column.name.replace('_', ' ')} is larger than anybody can have",
                shows=(column.name,),
            )


PLAUSIBLE = {
    table.name: Suite(f"plausible_{table.name}", tuple(_plausible(table))) for table in SNAPSHOT
}
"""By name of the table: what no row in force may exceed."""

OWNER_IS_KNOWN = Rule(
    "owner_is_known",
    Present("owner"),
    "it belongs to an account or client that is not in the store",
    "Add the account or client, or reverse the row; until then it counts for nobody.",
)
"""The rule of every row; ``owner`` is the number of its client, missing where there is none."""
