"""A store that ends, or has no room left, in the middle of a transaction says so."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.errors import StoreError
from pipelines.settings import load_settings
from pipelines.store import migrate, transaction


def test_a_server_that_ends_the_connection_is_named_as_not_reached(postgresql_url: str) -> None:
    settings = load_settings({}, store_url=postgresql_url)
    migrate(settings)
    with pytest.raises(StoreError, match="cannot be reached"), transaction(settings) as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_disk_without_room_is_named(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path)
    migrate(settings)
    with pytest.raises(StoreError, match="no room"), transaction(settings) as connection:
        connection.execute(sa.text("PRAGMA max_page_count = 1"))
        connection.execute(sa.text("CREATE TABLE more AS SELECT zeroblob(100000000) AS bytes"))
