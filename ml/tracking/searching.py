"""Runs in MLflow, found by what they are tagged with."""

from collections.abc import Mapping

from mlflow.entities import Run

from ml.tracking.connection import Connection
from ml.tracking.tags import KIND, TRAINING, condition


def trainings(connection: Connection, status: str, tags: Mapping[str, str]) -> list[Run]:
    """Return the parent runs of trainings that have a status and these tags.

    Raises
    ------
    TrackingError
        MLflow cannot be read.
    """
    conditions = [f"attributes.status = '{status}'", condition(KIND, "training")]
    conditions += [condition(name, value) for name, value in tags.items()]
    return _search(connection, " and ".join(conditions))


def runs_below(connection: Connection, training: str) -> list[Run]:
    """Return the runs below a training, by its run's number: of models, the search and its trials.

    Raises
    ------
    TrackingError
        MLflow cannot be read.
    """
    return _search(connection, condition(TRAINING, training))


def _search(connection: Connection, conditions: str) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    with connection.use() as client:
        while True:
            page = client.search_runs([connection.experiment_id], conditions, page_token=token)
            found += page
            token = page.token
            if not token:
                return found
