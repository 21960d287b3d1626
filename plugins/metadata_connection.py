"""The connection by which the upkeep, and no other task, reaches Airflow's own database."""

import sqlalchemy as sa
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION = "airflow_metadata"


def metadata_connection() -> str | None:
    """Return the connection as a SQLAlchemy URL; None where nobody has defined it."""
    try:
        found = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return None
    url = sa.URL.create(
        # The driver that the rest of the house has; connections name the database alone.
        "postgresql+psycopg" if found.conn_type in ("postgres", "postgresql") else found.conn_type,
        found.login or None,
        found.password or None,
        found.host or None,
        found.port,
        found.schema or None,
        # Such as `sslmode`: without it, what must be encrypted would not be.
        {name: value for name, value in found.extra_dejson.items() if isinstance(value, str)},
    )
    return url.render_as_string(hide_password=False)
