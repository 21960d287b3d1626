"""Stores without rows: migrations take longer than most tests of a store, and run once."""

import tempfile
from functools import cache
from pathlib import Path

from pipelines.settings import Settings, load_settings
from pipelines.store import migrate
from pipelines.store.engine import sqlite_path


def make_store(settings: Settings) -> None:
    """Give the settings a store of the newest schema, as ``migrate`` makes it."""
    file = sqlite_path(settings)
    if file is not None and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_migrated())
    migrate(settings)


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({}, home=Path(folder))
        migrate(settings)
        file = sqlite_path(settings)
        assert file is not None
        # All that its log held is in it once its last connection is closed.
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        return file.read_bytes()
