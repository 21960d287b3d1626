"""Accounts that nobody can advise on, and what all others are advised."""

from typing import Any

import sqlalchemy as sa

from models.store_inputs import HOLDING
from models.vocabulary import CASH
from pipelines.clients.versions import Recording, current_rows, record_changes
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction, utc_now

_MONSTROUS_MICROS = 9_000_000_000_000_000_000
"""Nearly the largest 64-bit integer: 9e12 shares, worth more than there is money."""


def poison(settings: Settings, run_id: str) -> str:
    """Give an account that was advised on a holding beyond all sums; return the account."""
    outcome = tables["client_outcome"]
    advised = sa.select(outcome.c.account_id).where(
        outcome.c.run_id == run_id, outcome.c.outcome == "rebalanced"
    )
    with transaction(settings) as store:
        holdings = current_rows(store, HOLDING, list(store.execute(advised).scalars()))
        # Some hold nothing but cash.
        account, held, symbol = next(
            (account, held, row["symbol"])
            for account, held in sorted(holdings.items())
            for row in held
            if row["symbol"] != CASH
        )
        rows = [
            {
                "account_id": account,
                "symbol": row["symbol"],
                "quantity_micros": (
                    _MONSTROUS_MICROS if row["symbol"] == symbol else row["quantity_micros"]
                ),
            }
            for row in held
        ]
        record_changes(store, HOLDING, rows, Recording(utc_now(), "fault injection"))
    return account


def outcome_of(settings: Settings, run_id: str, account: str) -> Any:
    """Return the outcome and the sentence that a run has for an account, or None."""
    outcome = tables["client_outcome"]
    query = sa.select(outcome.c.outcome, outcome.c.sentence).where(
        outcome.c.run_id == run_id, outcome.c.account_id == account
    )
    with connect(settings) as store:
        return store.execute(query).one_or_none()


def advice_of_others(settings: Settings, run_id: str, account: str) -> list[tuple[Any, ...]]:
    """Return every trade of a run but those of an account's client, in what no run's key is in."""
    trade, owner = tables["trade"], tables["account"]
    client = sa.select(owner.c.client_id).where(owner.c.account_id == account)
    own = sa.select(owner.c.account_id).where(owner.c.client_id.in_(client))
    columns = ("account_id", "symbol", "side", "quantity_micros", "price_micros", "fee_cents")
    query = sa.select(*(trade.c[name] for name in columns)).where(
        trade.c.run_id == run_id, trade.c.account_id.not_in(own)
    )
    with connect(settings) as store:
        return sorted(tuple(row) for row in store.execute(query))
