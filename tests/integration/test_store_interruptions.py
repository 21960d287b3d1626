"""A store that ends, or has no room left, in the middle of a transaction says so."""

import importlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.errors import StoreError
from pipelines.settings import Settings, load_settings
from pipelines.store import migrate, transaction
from pipelines.store.engine import migration, schema_version


def test_a_server_that_ends_the_connection_is_named_as_not_reached(postgresql_url: str) -> None:
    settings = load_settings({}, store_url=postgresql_url)
    migrate(settings)
    with pytest.raises(StoreError, match="cannot be reached"), transaction(settings) as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_store_that_is_not_what_its_version_says_is_refused_and_left_as_it_is(
    empty_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module in ("pipelines.store.migrate", "pipelines.store.engine"):
            patch.setattr(importlib.import_module(module), "SCHEMA_VERSION", "0008")
        migrate(empty_store)
    with migration(empty_store) as connection:
        connection.execute(sa.text("ALTER TABLE forecast ADD COLUMN validation_rmse FLOAT"))
    with pytest.raises(StoreError, match=r"not those of its schema version 0008.*a new store"):
        migrate(empty_store)
    with migration(empty_store) as connection:
        assert schema_version(connection) == "0008"
        assert not sa.inspect(connection).has_table("open_order")


def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path)
    migrate(settings)
    with pytest.raises(StoreError, match="no room"), transaction(settings) as connection:
        connection.execute(sa.text("PRAGMA max_page_count = 1"))
        connection.execute(sa.text("CREATE TABLE more AS SELECT zeroblob(100000000) AS bytes"))
