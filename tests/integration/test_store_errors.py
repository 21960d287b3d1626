"""A store that cannot be used says what is wrong with it and what to do."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from new_stores import make_store
from permissions import obey_permissions

from pipelines.errors import StoreError
from pipelines.lineage import REPOSITORY
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, engine, transaction


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    return settings


def open_store(settings: Settings) -> None:
    with connect(settings):
        pass


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a database URL"),
        ("postgresql://u:p@h:port/d", r"'\*\*\*@h:port/d': it is not a database URL"),
        ("postgresql:/u:p@h/d", r"'\*\*\*@h/d': it is not a database URL"),
        ("mysql://u@h/d", "mysql is not supported"),
        ("sqlite://", "lost between stages"),
        ("sqlite:////nonexistent/folder/store.db", "there is no such file"),
    ],
)
def test_a_wrong_url_is_named_with_what_is_allowed(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(load_settings({}, home=tmp_path, store_url=url))


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://anna:secret@127.0.0.1:9/smartinvest"
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_store(load_settings({}, home=tmp_path, store_url=url))
    assert "secret" not in str(caught.value)


def test_a_missing_database_is_named(postgresql_url: str, tmp_path: Path) -> None:
    url = postgresql_url.replace("/store_", "/missing_")
    with pytest.raises(StoreError, match=r"cannot be reached.*missing_"):
        open_store(load_settings({}, home=tmp_path, store_url=url))


def test_a_damaged_file_is_named(sqlite_store: Settings) -> None:
    path = engine.sqlite_path(sqlite_store)
    assert path is not None
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreError, match="damaged"):
        open_store(sqlite_store)


def test_a_writer_gives_up_when_another_one_stays(
    sqlite_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    engine._engine.cache_clear()
    other = sqlite3.connect(str(engine.sqlite_path(sqlite_store)), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        open_store(sqlite_store)  # a reader does not wait
        with pytest.raises(StoreError, match="another process held it"), transaction(sqlite_store):
            pass
    finally:
        other.close()
        engine._engine.cache_clear()


def test_a_store_that_is_read_only_can_be_read_but_not_written(postgresql_url: str) -> None:
    settings = load_settings({}, store_url=postgresql_url)
    make_store(settings)
    with engine.migration(settings) as connection:
        connection.execute(sa.text("CREATE ROLE guest LOGIN"))
        connection.execute(sa.text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest"))
    guest = load_settings({}, store_url=postgresql_url.replace("postgres:", "guest:"))
    open_store(guest)
    with pytest.raises(StoreError, match="cannot be written"), transaction(guest) as connection:
        connection.execute(sa.text("DELETE FROM client"))


WRITE = """
import sys
from pathlib import Path
from pipelines.errors import StoreError
from pipelines.settings import load_settings
from pipelines.store import transaction
try:
    with transaction(load_settings({}, home=Path(sys.argv[1]))):
        print("it was written")
except StoreError as error:
    print(error)
"""


@pytest.mark.usefixtures("permissions_bind")
def test_a_read_only_sqlite_file_is_named(sqlite_store: Settings) -> None:
    path = engine.sqlite_path(sqlite_store)
    assert path is not None
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        writer = subprocess.run(
            [sys.executable, "-c", WRITE, str(sqlite_store.home)],
            cwd=REPOSITORY,
            preexec_fn=obey_permissions,
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        path.parent.chmod(0o700)
    assert "cannot be written" in writer.stdout
    assert "smartinvest.db" in writer.stdout
