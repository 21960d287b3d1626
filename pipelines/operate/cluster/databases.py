"""Create the databases of Airflow, MLflow and the searches, and the roles that own them.

``python -m pipelines.operate.cluster.databases``, run by the service ``airflow-init`` as
PostgreSQL's superuser, after ``smartinvest store roles`` has made the store. It checks every secret
first. Run again, it creates what is missing and sets each password to the one that the environment
names now.
"""

import os

import psycopg
import sqlalchemy as sa

from pipelines.operate.cluster.strong_secrets import require_strong_secrets
from pipelines.secrets import with_secrets_of_files
from pipelines.store.access import Role, make_database, make_role

PASSWORDS = {"airflow": "AIRFLOW_DB_PASSWORD", "mlflow": "MLFLOW_DB_PASSWORD"}
"""Roles, and the variable of each one's password."""

OWNERS = {"airflow": "airflow", "mlflow": "mlflow", "search": "smartinvest_pipeline"}
"""Databases and who owns each. ``search`` holds Optuna's tables: in the store's database both would
keep their schema's version in one table ``alembic_version``."""

_OTHER_PASSWORDS = ("STORE_APP_PASSWORD", "STORE_ANALYST_PASSWORD")
_ADMIN_URL, _STORE_URL = "STORE_ADMIN_URL", "SMARTINVEST_STORE_URL"
_MAY_BE_FILES = (*PASSWORDS.values(), *_OTHER_PASSWORDS, _ADMIN_URL, _STORE_URL)


def ensure_databases(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Create roles and databases that are missing, and let each role into its own only.

    Parameters
    ----------
    connection : of a superuser, in autocommit mode: a database is created outside of transactions.
    passwords : of every role of :data:`PASSWORDS`.
    """
    for role in PASSWORDS:
        make_role(connection, Role(role, passwords[role]))
    for database, owner in OWNERS.items():
        make_database(connection, database, owner)


def main() -> None:
    """Check the secrets, connect as superuser and do it.

    Raises
    ------
    SettingError
        The environment lacks a secret, or one is weak.
    """
    environ = with_secrets_of_files(os.environ, _MAY_BE_FILES)
    require_strong_secrets(environ, (*PASSWORDS.values(), "ADMIN_PASSWORD", *_OTHER_PASSWORDS))
    passwords = {role: environ[variable] for role, variable in PASSWORDS.items()}
    url = sa.make_url(environ[_ADMIN_URL])
    with psycopg.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        ensure_databases(connection, passwords)


if __name__ == "__main__":
    main()
