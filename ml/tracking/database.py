"""MLflow's database file, which a kill must not leave half-made."""

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

from mlflow import MlflowClient

_BUSY_SECONDS = 60
_NEW = "mlflow.db.new"


def ensure_database(folder: Path) -> str:
    """Return the URI of the database in a folder, made whole or not at all.

    MLflow's migrations cannot go on where a killed one stopped, since SQLite keeps the statements
    of an unfinished migration. So a new database is made under another name and copied to one that
    is renamed when it is complete.

    Raises
    ------
    OSError, MlflowException, SQLAlchemyError
        The folder cannot be written, or the database cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "mlflow.db"
    if not _is_there(database):
        with (folder / "mlflow.db.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_there(database):
                _make(database)
    return f"sqlite:///{database}?timeout={_BUSY_SECONDS}"


def _is_there(database: Path) -> bool:
    """Say whether there is more than the empty file that SQLite makes where one has vanished."""
    return database.exists() and database.stat().st_size > 0


def _make(database: Path) -> None:
    for remains in database.parent.glob(f"{_NEW}*"):
        remains.unlink()
    new = database.with_name(_NEW)
    complete = database.with_name(f"{_NEW}.complete")
    uri = f"sqlite:///{new}"
    MlflowClient(uri, uri).search_experiments(max_results=1)
    with closing(sqlite3.connect(new)) as source, closing(sqlite3.connect(complete)) as copy:
        source.backup(copy)
    complete.replace(database)
    new.unlink()
