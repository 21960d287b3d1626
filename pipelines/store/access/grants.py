"""What apps and analysts may read and write, as the declarations say, and what guards it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa

from models.declaration import Table
from models.store_audit import AUDIT_ENTRY
from models.store_inputs import CLIENT_IDENTITY, INPUTS
from models.store_ledger import LOT_SALE, WASH_SALE
from models.store_trades import TRADE
from pipelines.settings import Settings
from pipelines.store.schema import DECLARED
from pipelines.store.writers import WRITERS

APP_ADDS = tuple(table for table in INPUTS if table not in (LOT_SALE, WASH_SALE))
"""Tables that apps add rows to; the other inputs follow from fills, which our import books."""

APP_CHANGES: Mapping[str, tuple[str, ...]] = {
    CLIENT_IDENTITY.name: (
        *(column.name for column in CLIENT_IDENTITY if column.personal),
        "recorded_by",
    ),
    TRADE.name: ("status",),
}
"""Columns that apps change: everything else is versioned, or a fact."""

_OWNERS = 0x5317_0003
"""Advisory locks of this kind keep two versions of one owner from being written at once."""

_FUNCTIONS = Path(__file__).with_name("app_writes.sql")
_BELONGS = {"goal", "account", "holding", "tax_lot", "cash_flow", "transaction", "feedback"}


def grant_access(settings: Settings, connection: sa.Connection) -> None:
    """Give the app's and the analyst's role, where they exist, what they may, and nothing else.

    Runs as the owner of the tables, in the caller's transaction, as often as one likes; after each
    migration, since that makes views anew. On SQLite it does nothing.
    """
    if connection.dialect.name != "postgresql":
        return
    app, analyst = (
        _existing(connection, name)
        for name in (settings.store_app_role, settings.store_analyst_role)
    )
    statements: list[str] = []
    if app or analyst:
        statements += _guards(connection)
    if app:
        statements += _app_grants(connection, app)
    if analyst:
        statements += _analyst_grants(connection, analyst)
    for statement in statements:
        # Not through SQLAlchemy's text: it would take colons and percent signs for its own.
        connection.exec_driver_sql(statement.replace("%", "%%"))


def _existing(connection: sa.Connection, role: str) -> str | None:
    """Return a role's name as an identifier, or None where there is no such role."""
    found = connection.scalar(
        sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    )
    return _quoted(connection, role) if found else None


def _guards(connection: sa.Connection) -> list[str]:
    """Return what makes the functions and the triggers anew; they leave the owner's rows alone.

    The owner's name stands in each trigger's condition: calling a function for each of millions of
    rows that the pipeline copies would take longer than writing them.
    """
    owner = connection.scalar(sa.text("SELECT quote_literal(current_user)"))
    functions = _FUNCTIONS.read_text("utf-8")
    for name, lock in {"writers": WRITERS, "owners": _OWNERS}.items():
        functions = functions.replace(f"{{{name}}}", str(lock))
    statements = [functions]
    for table in APP_ADDS:
        versioned = "version" in table.column_names
        statements.append(
            _trigger(
                connection,
                owner,
                table,
                "app_row_is_guarded",
                "BEFORE INSERT OR UPDATE",
                f"guard_app_row('{str(versioned).lower()}', '{table.key[0]}')",
            )
        )
        if table.name in _BELONGS:
            statements.append(
                _trigger(
                    connection,
                    owner,
                    table,
                    "app_row_belongs",
                    "AFTER INSERT",
                    "guard_app_belonging()",
                )
            )
    statements.append(
        _trigger(
            connection, owner, TRADE, "app_order_is_guarded", "BEFORE UPDATE", "guard_app_order()"
        )
    )
    for table in (*INPUTS, TRADE):
        personal = [column.name for column in table if column.personal]
        statements.append(
            _trigger(
                connection,
                owner,
                table,
                "app_row_is_audited",
                "AFTER INSERT OR UPDATE OR DELETE",
                f"audit_app_row('{_array(table.key)}', '{_array(personal)}')",
            )
        )
    return statements


def _trigger(
    connection: sa.Connection, owner: str, table: Table, name: str, when: str, call: str
) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER {name} {when} ON public.{_quoted(connection, table.name)} "
        f"FOR EACH ROW WHEN (current_user <> {owner}) EXECUTE FUNCTION public.{call}"
    )


def _array(names: Iterable[str]) -> str:
    return "{" + ",".join(names) + "}"


def _app_grants(connection: sa.Connection, app: str) -> list[str]:
    """Return grants to read all but the audit, and to write what :data:`APP_ADDS` says."""
    readable = [table.name for table in DECLARED if table is not AUDIT_ENTRY]
    names = _tables(connection, [*readable, *_views(connection), "alembic_version"])
    statements = [
        *_clean_slate(app),
        f"GRANT SELECT ON {names} TO {app}",
        f"GRANT INSERT ON {_tables(connection, (table.name for table in APP_ADDS))} TO {app}",
    ]
    for table, columns in APP_CHANGES.items():
        changed = ", ".join(_quoted(connection, column) for column in columns)
        statements.append(f"GRANT UPDATE ({changed}) ON {_tables(connection, [table])} TO {app}")
    return statements


def _analyst_grants(connection: sa.Connection, analyst: str) -> list[str]:
    """Return grants to read everything but personal columns."""
    whole = [table for table in DECLARED if not any(column.personal for column in table)]
    names = [*(table.name for table in whole), *_views(connection), "alembic_version"]
    statements = [
        *_clean_slate(analyst),
        f"GRANT SELECT ON {_tables(connection, names)} TO {analyst}",
    ]
    for table in DECLARED:
        if table not in whole:
            shown = ", ".join(_quoted(connection, c.name) for c in table if not c.personal)
            statements.append(
                f"GRANT SELECT ({shown}) ON {_tables(connection, [table.name])} TO {analyst}"
            )
    return statements


def _clean_slate(role: str) -> list[str]:
    """Return what takes away whatever an earlier release or a person has granted."""
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
    ]


def _views(connection: sa.Connection) -> list[str]:
    """Return the store's views; none shows a personal column, since they are made of outputs."""
    return sorted(sa.inspect(connection).get_view_names("public"))


def _tables(connection: sa.Connection, names: Iterable[str]) -> str:
    return ", ".join(f"public.{_quoted(connection, name)}" for name in names)


def _quoted(connection: sa.Connection, name: str) -> str:
    return str(connection.dialect.identifier_preparer.quote_identifier(name))
