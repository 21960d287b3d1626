"""MLflow's client on one database or server, whose failures are told as a ``TrackingError``."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from mlflow import MlflowClient
from mlflow.environment_variables import (
    MLFLOW_HTTP_REQUEST_MAX_RETRIES,
    MLFLOW_SQLALCHEMYSTORE_POOLCLASS,
)
from mlflow.exceptions import MlflowException

from ml.errors import TrackingError
from ml.tracking.database import ensure_database
from models.credentials import secrets_in_url, without_credentials, without_secrets

EXPERIMENT = "smartinvest"

_HTTP_RETRIES = 3
"""About 15 seconds; MLflow's own seven are four minutes."""


class Connection:
    """MLflow's client and the experiment that all runs are in.

    Parameters
    ----------
    folder : of the database file and of artifacts.
    url : of a tracking server, which keeps artifacts by itself, or of another database. Empty: the
        file in the folder.

    Raises
    ------
    TrackingError
        It cannot be opened or made.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self._url = url.rstrip("/")
        self._name = _without_password(self._url) if url else str(folder)
        self._file = None if url else folder / "mlflow.db"
        self._identity: tuple[int, int] | None = None
        _configure(is_file=not url)
        with self._told_as_ours():
            uri = self._url or ensure_database(folder)
            self._identity = self._file_identity()
            self._client = MlflowClient(uri, uri)
        with self.use() as client:
            found = client.get_experiment_by_name(EXPERIMENT)
            if found is not None:
                self.experiment_id = str(found.experiment_id)
                return
            is_server = url.startswith(("http:", "https:"))
            location = None if is_server else (folder / "artifacts").resolve().as_uri()
            self.experiment_id = str(client.create_experiment(EXPERIMENT, location))

    @contextmanager
    def use(self) -> Iterator[MlflowClient]:
        """Yield the client for a few calls; nothing else belongs into the block.

        Raises
        ------
        TrackingError
            MLflow cannot be read or written, or its database is another file than before: SQLite
            makes a new one, without a word, where the file has vanished.
        """
        with self._told_as_ours():
            self._require_same_file()
            yield self._client
            self._require_same_file()

    @contextmanager
    def _told_as_ours(self) -> Iterator[None]:
        try:
            yield
        except (MlflowException, sa.exc.SQLAlchemyError, OSError) as error:
            told = " ".join(str(error).split())
            if self._url:
                told = without_secrets(
                    told.replace(self._url, self._name), secrets_in_url(self._url)
                )
            raise TrackingError(
                "MLflow",
                self._name,
                f"it cannot be used ({told[:300]})",
                "Check that it can be reached and written and that no other program holds its "
                "database, then run the command again: finished work is kept.",
            ) from error

    def _require_same_file(self) -> None:
        if self._file_identity() != self._identity:
            raise OSError(f"{self._file} was removed or replaced while it was in use")

    def _file_identity(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        status = self._file.stat()
        return status.st_dev, status.st_ino


def _configure(*, is_file: bool) -> None:
    """Set what MLflow reads from the environment, and keep its log from repeating our errors."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    if is_file:
        # A pool keeps a vanished file open, and what is written there is lost without an error.
        MLFLOW_SQLALCHEMYSTORE_POOLCLASS.set("NullPool")
    if not MLFLOW_HTTP_REQUEST_MAX_RETRIES.is_set():
        MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(_HTTP_RETRIES)


def _without_password(url: str) -> str:
    try:
        shown = sa.engine.make_url(url).render_as_string(hide_password=True)
    except (sa.exc.ArgumentError, ValueError):
        shown = url
    return without_credentials(shown)
