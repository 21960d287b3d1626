"""Airflow's own database is reached as the connection says, encrypted where it says so."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

VARIABLE = "AIRFLOW_CONN_AIRFLOW_METADATA"


@pytest.fixture(scope="module")
def connection(our_module: Callable[[str], Any]) -> Callable[[], str | None]:
    return our_module("metadata_connection").metadata_connection


def test_without_the_connection_nobody_reaches_it(
    connection: Callable[[], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert connection() is None


def test_the_whole_connection_is_used_also_what_it_says_of_encryption(
    connection: Callable[[], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "postgres://airflow:p%40ss@db:6432/airflow?sslmode=verify-full&sslrootcert=%2Fca.pem"
    monkeypatch.setenv(VARIABLE, given)
    url = sa.make_url(connection() or "")
    assert (url.drivername, url.username, url.password) == ("postgresql+psycopg", "airflow", "p@ss")
    assert (url.host, url.port, url.database) == ("db", 6432, "airflow")
    assert url.query == {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}
