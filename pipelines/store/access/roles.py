"""The database and the roles of a PostgreSQL store, made by an administrator's connection."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from psycopg import sql

from models.credentials import secrets_in_url, without_credentials, without_secrets
from pipelines.errors import StoreError
from pipelines.store.access.role_plan import ADMIN_URL, Role, RolePlan

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 10
_TOO_MIGHTY = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")


def create_roles(plan: RolePlan) -> None:
    """Make the roles and the database, or bring those that are there to what is asked for.

    Passwords reach the server as SCRAM verifiers, so that its log of statements holds none.

    Raises
    ------
    StoreError
        The server cannot be reached, refuses, or one of the roles has rights beyond its own.
    """
    with _administrator(plan, None) as connection:
        for role in plan.roles:
            _refuse_mighty(connection, role.name)
            _refuse_member(connection, role.name)
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
    rows = connection.execute("SELECT name FROM pg_settings WHERE name = ANY(%s)", [[*role.limits]])
    known = {setting for (setting,) in rows}
    for setting, value in role.limits.items():
        if setting not in known:
            logger.warning(
                "%s has no limit of its %s: this PostgreSQL does not know that setting, 17 does",
                role.name,
                setting,
            )
            continue
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


def _refuse_member(connection: psycopg.Connection, name: str) -> None:
    found = connection.execute(
        "SELECT granted.rolname FROM pg_auth_members "
        "JOIN pg_roles AS granted ON granted.oid = roleid "
        "JOIN pg_roles AS holder ON holder.oid = member WHERE holder.rolname = %s ORDER BY 1",
        [name],
    ).fetchall()
    if found:
        groups = ", ".join(group for (group,) in found)
        raise StoreError(
            "database role",
            name,
            f"it has the rights of other roles, too ({groups})",
            f"Take them away (REVOKE {groups} FROM {name}), or name another role.",
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
