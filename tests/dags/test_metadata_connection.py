"""Airflow's own database is reached as the connection says, encrypted where it says so."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

VARIABLE = "AIRFLOW_CONN_AIRFLOW_METADATA"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str | None]]:
    # Airflow writes its configuration to AIRFLOW_HOME when it is first imported.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2] / "plugins")])
        yield importlib.import_module("metadata_connection").metadata_connection


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
