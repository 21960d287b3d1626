"""Advice, fills and the next session's advice: what was done is not asked for again."""

import datetime as dt

import pytest
from rebalance_runs import make_run, query
from warehouse_inputs import SESSION, SYMBOLS, add_prices, closes, price_row

from pipelines.fills import paper_fills
from pipelines.rebalance import rebalance
from pipelines.sessions import session_after
from pipelines.settings import Settings
from pipelines.warehouse import transform

NEXT = session_after(SESSION)


@pytest.mark.long
def test_once_all_trades_are_filled_the_next_session_asks_for_none(
    sqlite_settings: Settings,
) -> None:
    settings = sqlite_settings
    advised = rebalance(settings, SESSION)
    assert advised.trades > 0
    assert paper_fills(settings).sent == advised.trades
    _open_the_next_session(settings)
    filled = paper_fills(settings, SESSION)
    assert (filled.filled, filled.partly_filled, filled.expired) == (advised.trades, 0, 0)
    transform(settings, NEXT)
    again = rebalance(make_run(settings, session=NEXT), NEXT)
    assert (again.accounts, again.trades) == (advised.accounts, 0)
    _assert_that_the_ledger_adds_up(settings)


def _open_the_next_session(settings: Settings) -> None:
    rows = [
        price_row(symbol, NEXT, closes()[symbol][-1] * 1.001, ingest_session=NEXT)
        for symbol in SYMBOLS
        if symbol != "OLD"
    ]
    add_prices(settings, rows, session=NEXT)


def _assert_that_the_ledger_adds_up(settings: Settings) -> None:
    [(paid,)] = query(settings, "SELECT -sum(cash_cents) FROM \"transaction\" WHERE kind = 'buy'")
    [(basis,)] = query(settings, "SELECT sum(basis_cents) FROM tax_lot WHERE symbol <> '$CASH'")
    assert basis == paid
    dates = query(settings, 'SELECT DISTINCT trade_date FROM "transaction"')
    assert {dt.date.fromisoformat(str(date)) for (date,) in dates} == {NEXT}
    differences = query(
        settings,
        """
        SELECT after.account_id FROM holding AS after
        JOIN holding AS before
            ON before.account_id = after.account_id AND before.symbol = after.symbol
        WHERE after.symbol = '$CASH' AND before.version = 1 AND after.version = 2
            AND after.quantity_micros - before.quantity_micros <> 10000 * (
                SELECT sum(cash_cents) FROM "transaction"
                WHERE "transaction".account_id = after.account_id
            )
        """,
    )
    assert differences == []
