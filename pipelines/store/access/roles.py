"""The database and the roles of a PostgreSQL store, made by an administrator's connection."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa
from psycopg import sql

from models.credentials import secrets_in_url, without_credentials, without_secrets
from pipelines.errors import SettingError, StoreError
from pipelines.secrets import read_secret, require_strong
from pipelines.settings import Settings
from pipelines.store.engine import sqlite_path

logger = logging.getLogger(__name__)

ADMIN_URL = "STORE_ADMIN_URL"
APP_PASSWORD = "STORE_APP_PASSWORD"  # noqa: S105 - the variable's name
ANALYST_PASSWORD = "STORE_ANALYST_PASSWORD"  # noqa: S105
"""Variables without our prefix: the pipeline's own processes never get them."""

_STORE_URL = "SMARTINVEST_STORE_URL"
_CONNECT_SECONDS = 10
_TOO_MIGHTY = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
_APP_LIMITS = {"idle_in_transaction_session_timeout": "30s", "statement_timeout": "60s"}
_ANALYST_LIMITS = {
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "15min",
    "statement_timeout": "15min",
}


@dataclass(frozen=True)
class Role:
    """A role that logs in; ``limits`` are its sessions' settings unless it sets others."""

    name: str
    password: str | None = field(repr=False)
    limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RolePlan:
    """What is to be made: the database, its owner the pipeline, the app and the analyst."""

    admin_url: str = field(repr=False)
    database: str
    pipeline: Role
    app: Role
    analyst: Role

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles, the owner first."""
        return self.pipeline, self.app, self.analyst

    @property
    def readers(self) -> tuple[str, str]:
        """Names of those who may connect without owning anything."""
        return self.app.name, self.analyst.name


def read_role_plan(settings: Settings, environ: Mapping[str, str]) -> RolePlan:
    """Return what the settings and the environment ask for.

    The pipeline's role, its password and the database are those of ``SMARTINVEST_STORE_URL``; the
    passwords of the others come by ``STORE_APP_PASSWORD`` and ``STORE_ANALYST_PASSWORD``, the
    administrator's URL by ``STORE_ADMIN_URL``; each may be a file (``..._FILE``).

    Raises
    ------
    SettingError
        The store is no PostgreSQL database, or a secret is missing or weak.
    StoreError
        The URL names no store.
    """
    url = sa.make_url(settings.store_url) if sqlite_path(settings) is None else None
    if url is None:
        raise SettingError(
            f"setting {_STORE_URL}",
            without_credentials(settings.store_url),
            "SQLite has no roles: whoever may open the file may do anything",
            "Use PostgreSQL where apps or analysts reach the store, and keep the file's folder "
            "to yourself.",
        )
    if not url.username or not url.database:
        raise SettingError(
            f"setting {_STORE_URL}",
            without_credentials(settings.store_url),
            "it names no user or no database",
            "Use postgresql://smartinvest_pipeline:PASSWORD@HOST:PORT/smartinvest.",
        )
    admin_url = read_secret(environ, ADMIN_URL)
    if not admin_url:
        raise SettingError(
            f"secret {ADMIN_URL}",
            "",
            "it is not set",
            "Set it to the URL of a superuser of that server; it is needed here only.",
        )
    pipeline = Role(url.username, require_strong(f"{_STORE_URL} (its password)", _password(url)))
    app = Role(
        settings.store_app_role,
        require_strong(APP_PASSWORD, read_secret(environ, APP_PASSWORD)),
        _APP_LIMITS,
    )
    analyst = Role(
        settings.store_analyst_role,
        require_strong(ANALYST_PASSWORD, read_secret(environ, ANALYST_PASSWORD)),
        _ANALYST_LIMITS,
    )
    plan = RolePlan(admin_url, url.database, pipeline, app, analyst)
    _require_different(plan)
    return plan


def create_roles(plan: RolePlan) -> None:
    """Make the roles and the database, or bring those that are there to what is asked for.

    Passwords reach the server as SCRAM verifiers, so that its log of statements holds none.

    Raises
    ------
    StoreError
        The server cannot be reached, refuses, or has a role of that name with rights over others.
    """
    with _administrator(plan, None) as connection:
        for role in plan.roles:
            _refuse_mighty(connection, role.name)
            make_role(connection, role)
        make_database(connection, plan.database, plan.pipeline.name)
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(
                *(sql.Identifier(name) for name in (plan.database, *plan.readers))
            )
        )
    with _administrator(plan, plan.database) as connection:
        _close_to_public(connection, plan)
    logger.info(
        "database %s with roles %s", plan.database, ", ".join(role.name for role in plan.roles)
    )


def _password(url: sa.URL) -> str | None:
    return None if url.password is None else str(url.password)


def _require_different(plan: RolePlan) -> None:
    names = {role.name for role in plan.roles}
    passwords = {role.password for role in plan.roles}
    for what, different in (("name", len(names)), ("password", len(passwords))):
        if different < len(plan.roles):
            raise SettingError(
                "roles of the store",
                ", ".join(role.name for role in plan.roles),
                f"two of them have the same {what}",
                f"Give each a {what} of its own.",
            )


def make_role(connection: psycopg.Connection, role: Role) -> None:
    """Make a role that may log in, or give the one that is there this password and these limits.

    Parameters
    ----------
    connection : an administrator's.
    """
    name = sql.Identifier(role.name)
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    verifier = connection.pgconn.encrypt_password(
        (role.password or "").encode(), role.name.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOINHERIT PASSWORD {}").format(
            name, sql.Literal(verifier.decode())
        )
    )
    for setting, value in role.limits.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                name, sql.Identifier(setting), sql.Literal(value)
            )
        )


def _refuse_mighty(connection: psycopg.Connection, name: str) -> None:
    rights = ", ".join(_TOO_MIGHTY)
    found = connection.execute(
        sql.SQL("SELECT {} FROM pg_roles WHERE rolname = %s").format(sql.SQL(rights)), [name]
    ).fetchone()
    if found is not None and any(found):
        held = [right for right, has in zip(_TOO_MIGHTY, found, strict=True) if has]
        raise StoreError(
            "database role",
            name,
            f"it has rights over the whole server ({', '.join(held)})",
            "Take them away (ALTER ROLE ... NOSUPERUSER NOCREATEROLE NOCREATEDB), or name another.",
        )


def make_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    """Make a database for its owner alone, or give the one that is there to this owner.

    Parameters
    ----------
    connection : an administrator's, in autocommit mode.
    """
    database, its_owner = sql.Identifier(name), sql.Identifier(owner)
    found = connection.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, its_owner))
    elif found[0] != owner:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, its_owner))
    # PostgreSQL lets every role into every database unless it is told otherwise.
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))


def _close_to_public(connection: psycopg.Connection, plan: RolePlan) -> None:
    """Leave nothing in the database to everybody: no schema, and no lock that writers wait for."""
    owner = sql.Identifier(plan.pipeline.name)
    connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    locks = connection.execute(
        "SELECT oid::regprocedure::text FROM pg_proc "
        "WHERE pronamespace = 'pg_catalog'::regnamespace "
        "AND proname ~ '^pg_(try_)?advisory_' ORDER BY 1"
    ).fetchall()
    names = sql.SQL(", ").join(sql.SQL(signature) for (signature,) in locks)
    connection.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(names))
    connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(names, owner))


@contextmanager
def _administrator(plan: RolePlan, database: str | None) -> Iterator[psycopg.Connection]:
    """Yield the administrator's connection, to the database that its URL names or to another."""
    try:
        url = sa.make_url(plan.admin_url).set(drivername="postgresql")
        if database is not None:
            url = url.set(database=database)
        with psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="smartinvest store roles",
        ) as connection:
            yield connection
    except (psycopg.Error, sa.exc.ArgumentError, ValueError) as error:
        told = without_secrets(" ".join(str(error).split()), secrets_in_url(plan.admin_url))
        raise StoreError(
            f"secret {ADMIN_URL}",
            without_credentials(plan.admin_url),
            f"the roles cannot be made with it ({told})",
            "Name a superuser of the store's server, and check that the server runs.",
        ) from None
