"""A store with one client, two accounts and trades of one published run, for tests of fills."""

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from models.store_inputs import ACCOUNT, CLIENT, GOAL, HOLDING, INSTRUMENT
from models.store_ledger import TAX_LOT
from models.store_runs import ADVICE_RUN
from models.store_trades import TRADE, TRADE_LOT
from models.vocabulary import CASH, MICROS
from pipelines.settings import Settings
from pipelines.store import connect, insert, transaction

SESSION = dt.date(2022, 12, 20)
NEXT = dt.date(2022, 12, 21)
RECORDED = {"recorded_at": dt.datetime(2022, 12, 1, 12, tzinfo=dt.UTC), "recorded_by": "test"}
HEADER = (
    "external_id,trade_id,account_id,symbol,side,quantity,price,fee,executed_at,settlement_date\n"
)
STATE = ("transaction", "holding", "tax_lot", "trade", "lot_sale", "wash_sale", "client_issue")


def add_client(settings: Settings, session: dt.date = SESSION) -> None:
    """Ada holds 10 AAPL and 5 KO, taxable; her run sells 4 AAPL and buys 8 KO; 2 KO for her IRA."""
    with transaction(settings) as store:
        insert(store, CLIENT, [{"client_id": "ada", **RECORDED}])
        insert(store, GOAL, [_goal()])
        insert(store, ACCOUNT, [_account("taxable", "taxable"), _account("ira", "tax_deferred")])
        insert(
            store,
            HOLDING,
            [
                _holding("taxable", CASH, 5_000),
                _holding("taxable", "AAPL", 10),
                _holding("taxable", "KO", 5),
                _holding("ira", CASH, 500),
            ],
        )
        insert(
            store,
            TAX_LOT,
            [
                _lot("old", "AAPL", 6, dt.date(2020, 1, 2), 30_000),
                _lot("new", "AAPL", 4, dt.date(2022, 12, 1), 60_000),
                _lot("ko", "KO", 5, None, None),
            ],
        )
        insert(store, INSTRUMENT, [_instrument(symbol) for symbol in ("AAPL", "KO", "XOM")])
        insert(store, ADVICE_RUN, [_run(session)])
        insert(
            store,
            TRADE,
            [
                trade("sell-aapl", "AAPL", "sell", 4, session, sequence=1),
                trade("buy-ko", "KO", "buy", 8, session, sequence=2),
                trade("ira-ko", "KO", "buy", 2, session, account_id="ira"),
            ],
        )
        insert(
            store,
            TRADE_LOT,
            [
                {
                    "trade_id": "sell-aapl",
                    "lot_id": "new",
                    "quantity_micros": 4 * MICROS,
                    "proceeds_cents": 50_000,
                    "basis_cents": 60_000,
                    "is_long_term": False,
                    "disallowed_cents": 0,
                }
            ],
        )


def trade(
    trade_id: str, symbol: str, side: str, shares: int, session: dt.date, **changes: Any
) -> dict[str, Any]:
    row = {
        "trade_id": trade_id,
        "run_id": "run",
        "account_id": "taxable",
        "symbol": symbol,
        "side": side,
        "quantity_micros": shares * MICROS,
        "price_micros": 125 * MICROS,
        "notional_cents": shares * 12_500,
        "fee_cents": 5,
        "sequence": 1,
        "status": "proposed",
        "valid_until": session + dt.timedelta(days=1),
    }
    return row | changes


def write(tmp_path: Path, *lines: str, name: str = "fills.csv") -> Path:
    """A file of fills; a line leaves out settlement_date."""
    path = tmp_path / name
    path.write_text(HEADER + "".join(f"{line},\n" for line in lines), "utf-8")
    return path


def state(settings: Settings) -> dict[str, list[str]]:
    """Everything that fills may touch."""
    with connect(settings) as store:
        return {
            name: sorted(
                repr(tuple(row)) for row in store.execute(sa.text(f'SELECT * FROM "{name}"'))
            )
            for name in STATE
        }


def statuses(settings: Settings) -> dict[str, str]:
    with connect(settings) as store:
        return dict(map(tuple, store.execute(sa.text("SELECT trade_id, status FROM trade"))))


def _goal() -> dict[str, Any]:
    return {
        "goal_id": "goal",
        "version": 1,
        "client_id": "ada",
        "kind": "wealth",
        "target_cents": 1,
        "target_date": dt.date(2040, 1, 1),
        "priority": 1,
        **RECORDED,
    }


def _account(account_id: str, tax_kind: str) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "version": 1,
        "client_id": "ada",
        "goal_id": "goal",
        "tax_kind": tax_kind,
        "share_kind": "whole",
        "cash_buffer_cents": 0,
        **RECORDED,
    }


def _holding(account_id: str, symbol: str, shares: int) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "version": 1,
        "symbol": symbol,
        "quantity_micros": shares * MICROS,
        **RECORDED,
    }


def _lot(
    lot_id: str, symbol: str, shares: int, bought: dt.date | None, basis: int | None
) -> dict[str, Any]:
    return {
        "account_id": "taxable",
        "version": 1,
        "lot_id": lot_id,
        "symbol": symbol,
        "quantity_micros": shares * MICROS,
        "acquired_date": bought,
        "holding_period_start_date": bought,
        "basis_cents": basis,
        "carried_over_loss_cents": 0,
        **RECORDED,
    }


def _instrument(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "source": "sample",
        "name": symbol,
        "asset_class": "index",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": symbol,
        "reference_weight": 1.0,
        "tradable": True,
    }


def _run(session: dt.date) -> dict[str, Any]:
    return {
        "run_id": "run",
        "source": "sample",
        "session_date": session,
        "status": "published",
        "data_snapshot": "snapshot",
        "feature_hash": "features",
        "model_name": "sma",
        "model_version": 1,
        "mlflow_run_id": "mlflow",
        "config_hash": "config",
        "history_hash": "history",
        "code_version": "code",
        "started_at": RECORDED["recorded_at"],
        "published_at": RECORDED["recorded_at"],
    }
