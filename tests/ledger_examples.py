"""What moved in ada's account of ``warehouse_inputs``, small enough to follow by hand."""

import datetime as dt
from typing import Any

from warehouse_inputs import closes

from models.store_ledger import TRANSACTION
from models.vocabulary import CASH
from pipelines.settings import Settings
from pipelines.store import insert, transaction

OPENED = dt.date(2022, 12, 1)
"""Session on which ada's 12.34 dollars and 2.5 AAPL were recorded."""
DEPOSITED = dt.date(2022, 12, 10)
"""A Saturday: the 100 dollars count on Monday, the 12th."""
BOUGHT = dt.date(2022, 12, 14)
WITHDRAWN = dt.date(2022, 12, 20)
FEE_CENTS = 100


def add_ledger(settings: Settings) -> None:
    """Write a deposit of 100, a purchase of 3 KO for 10 and a fee of 1, a withdrawal of 20."""
    rows = [
        _transaction("deposit", DEPOSITED, cash_cents=10_000),
        _transaction(
            "buy",
            BOUGHT,
            symbol="KO",
            quantity_micros=3_000_000,
            price_micros=3_333_333,
            fee_cents=FEE_CENTS,
            cash_cents=-1_000 - FEE_CENTS,
        ),
        _transaction("withdrawal", WITHDRAWN, cash_cents=-2_000),
    ]
    with transaction(settings) as store:
        insert(store, TRANSACTION, rows)


def close_of(symbol: str, sessions: list[dt.date], session: dt.date) -> float:
    """The close as the warehouse values it: rounded to millionths."""
    return round(closes()[symbol][sessions.index(session)], 6)


def _transaction(kind: str, day: dt.date, **changes: Any) -> dict[str, Any]:
    row = {
        "transaction_id": f"{kind}-{day}",
        "external_id": f"broker-{kind}-{day}",
        "account_id": "ada-taxable",
        "kind": kind,
        "symbol": CASH,
        "quantity_micros": 0,
        "fee_cents": 0,
        "cash_cents": 0,
        "executed_at": dt.datetime.combine(day, dt.time(15), dt.UTC),
        "trade_date": day,
        "recorded_at": dt.datetime.combine(day, dt.time(22), dt.UTC),
        "recorded_by": "test",
    }
    return row | changes
