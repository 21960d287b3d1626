"""A PostgreSQL store with its three roles, and rows that an app may write into it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from pipelines.settings import Settings, load_settings
from pipelines.store import migrate, transaction
from pipelines.store.access import create_roles, grant_access, read_role_plan

PASSWORDS = {
    "pipeline": "7c1fd0be92a4-pipeline",
    "app": "e02b95d4471c-app",
    "analyst": "41d7a6c3f980-analyst",
}


@dataclass(frozen=True)
class RolesStore:
    """A store of a server: the pipeline's settings, and the addresses of all roles."""

    settings: Settings
    environ: dict[str, str]
    urls: dict[str, str]

    def connect(self, role: str) -> psycopg.Connection:
        """Log in as a role."""
        return psycopg.connect(self.urls[role])


def make_roles_store(server: str, name: str, home: Path) -> RolesStore:
    """Make a database and its roles on a server, whose URL is an administrator's."""
    admin = sa.make_url(server)
    urls = {
        role: admin.set(
            username=f"{name}_{role}", password=password, database=name
        ).render_as_string(hide_password=False)
        for role, password in PASSWORDS.items()
    }
    settings = load_settings(
        {},
        home=home,
        store_url=urls["pipeline"],
        store_app_role=f"{name}_app",
        store_analyst_role=f"{name}_analyst",
    )
    environ = {
        "STORE_ADMIN_URL": server,
        "STORE_APP_PASSWORD": PASSWORDS["app"],
        "STORE_ANALYST_PASSWORD": PASSWORDS["analyst"],
    }
    store = RolesStore(settings, environ, urls)
    apply_roles(store)
    return store


def apply_roles(store: RolesStore) -> None:
    """Do what ``smartinvest store roles`` does."""
    create_roles(read_role_plan(store.settings, store.environ))
    migrate(store.settings)
    with transaction(store.settings) as connection:
        grant_access(store.settings, connection)


DAY = dt.date(2024, 5, 31)
BY: dict[str, Any] = {"recorded_by": "operator-17"}
CLIENT = {"client_id": "c1"} | BY
IDENTITY = {
    "client_id": "c1",
    "external_ref": "REF-1",
    "full_name": "Wilhelmina Quackenbush",
    "email": "wilhelmina@quackenbush.example",
    "birth_date": dt.date(1961, 2, 3),
} | BY
GOAL = {
    "goal_id": "g1",
    "version": 1,
    "client_id": "c1",
    "kind": "retirement",
    "target_cents": 100,
    "target_date": dt.date(2040, 1, 2),
    "priority": 1,
} | BY
ACCOUNT = {
    "account_id": "a1",
    "version": 1,
    "client_id": "c1",
    "goal_id": "g1",
    "tax_kind": "taxable",
    "share_kind": "fractional",
    "cash_buffer_cents": 0,
} | BY
HOLDING = {"account_id": "a1", "version": 1, "symbol": "$CASH", "quantity_micros": 5} | BY
CASH_FLOW = {
    "cash_flow_id": "f1",
    "version": 1,
    "account_id": "a1",
    "kind": "deposit",
    "amount_cents": 7,
    "frequency": "monthly",
    "first_date": DAY,
    "status": "planned",
} | BY
DEPOSIT = {
    "transaction_id": "t1",
    "external_id": "IBAN-4711",
    "account_id": "a1",
    "kind": "deposit",
    "symbol": "$CASH",
    "quantity_micros": 0,
    "fee_cents": 0,
    "cash_cents": 7,
    "executed_at": dt.datetime(2024, 5, 31, 15, tzinfo=dt.UTC),
    "trade_date": DAY,
} | BY


def add(connection: psycopg.Connection, table: str, row: dict[str, Any], **changes: Any) -> None:
    """Insert a row as an app does, without the moment of recording."""
    values = {**row, **changes, "recorded_at": dt.datetime(1999, 1, 1, tzinfo=dt.UTC)}
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(sql.Placeholder() * len(values)),
        ),
        list(values.values()),
    )


def add_client(connection: psycopg.Connection) -> None:
    """Insert a client with a goal and an account."""
    for table, row in (
        ("client", CLIENT),
        ("client_identity", IDENTITY),
        ("goal", GOAL),
        ("account", ACCOUNT),
    ):
        add(connection, table, row)
