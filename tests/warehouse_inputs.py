"""A small lake and store for the warehouse tests."""

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from new_stores import make_store

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, PRICES, QUARANTINED_PRICES
from models.store_inputs import ACCOUNT, CLIENT, GOAL, HOLDING, PREFERENCE, RISK_PROFILE
from models.vocabulary import Arrival
from pipelines.lake import (
    add_rejections,
    append_versions,
    arrow_schema,
    mark_checked,
    unchecked_files,
)
from pipelines.sessions import available_at, session_after, sessions_between
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, transaction

SESSION = dt.date(2022, 12, 28)
SESSIONS = sessions_between(session_after(SESSION, -299), SESSION)
SYMBOLS = ("AAPL", "KO", "OLD", "QUAL", "XOM")
OLD_LAST_SESSION = SESSIONS[-20]
RECORDED_AT = dt.datetime(2022, 12, 1, 12, tzinfo=dt.UTC)
RULES = "0" * 64
OBSERVED_AT = dt.datetime(2022, 12, 30, 12, tzinfo=dt.UTC)


def closes(sessions: Sequence[dt.date] = SESSIONS, seed: int = 1) -> dict[str, list[float]]:
    """Random walks with all bits of a float64 in use, one per symbol."""
    steps = np.random.default_rng(seed).normal(0, 0.02, (len(SYMBOLS), len(sessions)))
    paths = np.exp(np.cumsum(steps, axis=1)) * np.geomspace(0.3, 3000, len(SYMBOLS))[:, None]
    return {symbol: path.tolist() for symbol, path in zip(SYMBOLS, paths, strict=True)}


def price_row(symbol: str, session: dt.date, close: float | None, **changes: Any) -> dict[str, Any]:
    """One row of the lake's prices, known when its session's bars are by assumption."""
    row = dict.fromkeys(PRICES.column_names) | {
        "source": "sample",
        "symbol": symbol,
        "session_date": session,
        "close": close,
        "price_basis": "total_return",
        "known_at": available_at(session),
        "known_at_basis": "assumed",
        "ingest_session": SESSION,
    }
    return row | changes


def price_rows(sessions: Sequence[dt.date] = SESSIONS, seed: int = 1) -> list[dict[str, Any]]:
    """Prices of all symbols; OLD vanishes weeks before the end."""
    return [
        price_row(symbol, session, close)
        for symbol, path in closes(sessions, seed).items()
        for session, close in zip(sessions, path, strict=True)
        if symbol != "OLD" or session <= OLD_LAST_SESSION
    ]


def action_row(symbol: str, session: dt.date, kind: str, amount: float) -> dict[str, Any]:
    """One row of the lake's actions, known with the bars of its ex-date."""
    return {
        "source": "sample",
        "symbol": symbol,
        "session_date": session,
        "kind": kind,
        "amount": amount,
        "known_at": available_at(session),
        "known_at_basis": "assumed",
        "ingest_session": SESSION,
    }


def actions(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as the lake's table of actions."""
    return pa.Table.from_pylist(list(rows), arrow_schema(ACTIONS))


def prices(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as the lake's table of prices."""
    return pa.Table.from_pylist(list(rows), arrow_schema(PRICES))


def make_home(home: Path, rows: Sequence[Mapping[str, Any]] | None = None) -> Settings:
    """A home with prices and instruments in the lake and a few telling clients in the store."""
    settings = load_settings({}, home=home)
    settings.home.mkdir(parents=True)
    instruments = pa.Table.from_pylist(
        [_instrument(symbol) for symbol in SYMBOLS], arrow_schema(INSTRUMENTS)
    )
    append(settings, INSTRUMENTS, instruments)
    add_prices(settings, price_rows() if rows is None else rows)
    make_store(settings)
    add_clients(settings)
    return settings


def proven_home(
    home: Path, proven: Settings, rows: Sequence[Mapping[str, Any]] | None = None
) -> Settings:
    """Such a home, with what dbt learnt in another one."""
    settings = make_home(home, rows)
    shutil.copytree(proven.warehouse / "dbt", settings.warehouse / "dbt")
    return settings


def append(settings: Settings, table: Table, rows: pa.Table, session: dt.date = SESSION) -> None:
    """Append rows to the lake as an ingest of the session that bulk history arrived with."""
    append_versions(settings, table, session, rows, arrival=Arrival.BULK, observed_at=OBSERVED_AT)


def add_prices(
    settings: Settings, rows: Sequence[Mapping[str, Any]], session: dt.date = SESSION
) -> None:
    """Append prices to the lake as if they had passed every expectation."""
    append(settings, PRICES, prices(rows), session)
    mark_checked(settings, PRICES, RULES, SESSION, unchecked_files(settings, PRICES, RULES))


def reject_price(settings: Settings, symbol: str, session: dt.date) -> None:
    """File a verdict on a bar that was known when its session's bars are by assumption."""
    row = {
        "source": "sample",
        "symbol": symbol,
        "session_date": session,
        "known_at": available_at(session),
        "rule": "price_is_right",
        "observed_value": None,
        "reason": "it is not right",
        "remedy": "none",
    }
    table = pa.Table.from_pylist([row], arrow_schema(QUARANTINED_PRICES))
    add_rejections(settings, PRICES, RULES, table)
    mark_checked(settings, PRICES, RULES, SESSION, unchecked_files(settings, PRICES, RULES))


def add_clients(settings: Settings) -> None:
    """Insert clients: ada has everything, bob no questionnaire, cy a goal in the past."""
    recorded = {"recorded_at": RECORDED_AT, "recorded_by": "test"}
    versioned = recorded | {"version": 1}
    goals = [
        ("ada-far", "ada", dt.date(2050, 1, 1)),
        ("ada-near", "ada", dt.date(2024, 1, 1)),
        ("bob-goal", "bob", dt.date(2040, 1, 1)),
        ("cy-past", "cy", dt.date(2020, 1, 1)),
    ]
    accounts = [
        ("ada-taxable", "ada", "ada-far"),
        ("ada-bare", "ada", "ada-far"),
        ("bob-account", "bob", "bob-goal"),
        ("cy-account", "cy", "cy-past"),
    ]
    holdings = [
        ("ada-taxable", "$CASH", 12_340_000),
        ("ada-taxable", "AAPL", 2_500_000),
        ("bob-account", "OLD", 1_000_000),
        ("cy-account", "$CASH", 1_000_000),
    ]
    with transaction(settings) as connection:
        insert(connection, CLIENT, [{"client_id": c, **recorded} for c in ("ada", "bob", "cy")])
        insert(connection, RISK_PROFILE, [answers(c) | versioned for c in ("ada", "cy")])
        insert(
            connection,
            GOAL,
            [
                {"goal_id": goal, "client_id": client, "target_date": date, "priority": 1}
                | {"kind": "wealth", "target_cents": 1_000_000, **versioned}
                for goal, client, date in goals
            ],
        )
        insert(
            connection,
            PREFERENCE,
            [
                {"client_id": "ada", "kind": "exclude_symbol", "subject": "XOM"}
                | {"limit_weight": None, **versioned}
            ],
        )
        insert(
            connection,
            ACCOUNT,
            [
                {"account_id": account, "client_id": client, "goal_id": goal}
                | {"tax_kind": "taxable", "share_kind": "whole", "cash_buffer_cents": 0}
                | versioned
                for account, client, goal in accounts
            ],
        )
        insert(
            connection,
            HOLDING,
            [
                {"account_id": account, "symbol": symbol, "quantity_micros": quantity, **versioned}
                for account, symbol, quantity in holdings
            ],
        )


def change_answers(settings: Settings, client: str, version: int, **changes: int) -> None:
    """Record a newer questionnaire of a client."""
    row = answers(client) | {"version": version, "recorded_at": RECORDED_AT, "recorded_by": "test"}
    with transaction(settings) as connection:
        insert(connection, RISK_PROFILE, [row | changes])


def answers(client: str) -> dict[str, Any]:
    """A middling questionnaire: finances 46, willingness 46, no contradiction."""
    return {
        "client_id": client,
        "annual_income_cents": 5_000_000,
        "annual_expenses_cents": 4_000_000,
        "liquid_assets_cents": 4_000_000,
        "income_stability": 3,
        "emergency_fund_months": 3,
        "max_loss_percent": 30,
        "reaction_to_fall": 3,
        "gamble_choice": 3,
        "stated_attitude": 2,
    }


def _instrument(symbol: str) -> dict[str, Any]:
    return {
        "source": "sample",
        "symbol": symbol,
        "name": symbol.title(),
        "asset_class": "energy" if symbol == "XOM" else "technology",
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": symbol,
        "reference_weight": 0.2,
        "tradable": True,
        "known_at": available_at(SESSIONS[0]),
        "known_at_basis": "assumed",
        "ingest_session": SESSION,
    }
