"""A registry with an empty database, which takes seconds to make and is made once."""

import tempfile
from functools import cache
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from ml.tracking import Registry, ensure_database


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        ensure_database(Path(folder))
        return (Path(folder) / "mlflow.db").read_bytes()


def new_registry(folder: Path) -> Registry:
    """A registry whose database is in a new folder of that name."""
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(_empty_database())
    return Registry(folder)


def client_of(folder: Path) -> MlflowClient:
    """MLflow's own client of the database in a folder."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def runs_of(folder: Path) -> list[Run]:
    """All runs, as MLflow itself finds them."""
    client = client_of(folder)
    return list(client.search_runs([each.experiment_id for each in client.search_experiments()]))


def statuses(folder: Path) -> list[str]:
    """Kind and status of every run."""
    return sorted(
        f"{run.data.tags['smartinvest.kind']} {run.info.status}" for run in runs_of(folder)
    )
