"""Accounts that nobody can advise on, and what all others are advised."""

from typing import Any

import sqlalchemy as sa

from models.store_inputs import HOLDING
from models.vocabulary import CASH
from pipelines.clients.versions import Recording, current_rows, record_changes
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction, utc_now

_SYMBOLS = 5


def poison(settings: Settings, run_id: str, quantity_micros: int) -> Any:
    """Give an advised account so much of all that it holds; return its and its client's key."""
    outcome = tables["client_outcome"]
    advised = sa.select(outcome.c.account_id, outcome.c.client_id).where(
        outcome.c.run_id == run_id, outcome.c.outcome == "rebalanced"
    )
    with transaction(settings) as store:
        found = {row.account_id: row for row in store.execute(advised)}
        holdings = current_rows(store, HOLDING, list(found))
        # Of a single cheap symbol ten thousand million shares may be worth what there is.
        account, held = next(
            (account, held) for account, held in sorted(holdings.items()) if len(held) > _SYMBOLS
        )
        rows = [
            {
                "account_id": account,
                "symbol": row["symbol"],
                "quantity_micros": (
                    row["quantity_micros"] if row["symbol"] == CASH else quantity_micros
                ),
            }
            for row in held
        ]
        record_changes(store, HOLDING, rows, Recording(utc_now(), "fault injection"))
    return found[account]


def issues_of(settings: Settings, client: str) -> list[str]:
    """Return what is on record of a client's rows, by field and cause."""
    issue = tables["client_issue"]
    query = sa.select(issue.c.field, issue.c.cause).where(issue.c.client_id == client)
    with connect(settings) as store:
        return [f"{row.field}: {row.cause}" for row in store.execute(query)]


def outcome_of(settings: Settings, run_id: str, account: str) -> Any:
    """Return the outcome and the sentence that a run has for an account, or None."""
    outcome = tables["client_outcome"]
    query = sa.select(outcome.c.outcome, outcome.c.sentence).where(
        outcome.c.run_id == run_id, outcome.c.account_id == account
    )
    with connect(settings) as store:
        return store.execute(query).one_or_none()


def advice_of_others(settings: Settings, run_id: str, client: str) -> list[tuple[Any, ...]]:
    """Return every trade of a run but those of a client, in what no run's key is in."""
    trade, owner = tables["trade"], tables["account"]
    own = sa.select(owner.c.account_id).where(owner.c.client_id == client)
    columns = ("account_id", "symbol", "side", "quantity_micros", "price_micros", "fee_cents")
    query = sa.select(*(trade.c[name] for name in columns)).where(
        trade.c.run_id == run_id, trade.c.account_id.not_in(own)
    )
    with connect(settings) as store:
        return sorted(tuple(row) for row in store.execute(query))
