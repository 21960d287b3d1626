"""What published runs were made from: it stays, however old."""

import json
import re
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.lake import storage
from pipelines.settings import Settings
from pipelines.store import connect, tables
from pipelines.warehouse.publication import manifest_prefix

_BUILD = re.compile(r"\d{4}-\d{2}-\d{2}_[0-9a-f]+_[0-9a-f]+")


@dataclass(frozen=True)
class Lineage:
    """What is named by runs of the store and by builds.

    Attributes
    ----------
    data_snapshots : digests of manifests, by any run.
    manifest_prefixes : first digits of manifests, by builds and by pointers to them.
    mlflow_runs : by runs, forecasts, choices and scores.
    """

    data_snapshots: frozenset[str]
    manifest_prefixes: frozenset[str]
    mlflow_runs: frozenset[str]


def lineage_of(settings: Settings) -> Lineage:
    """Return what must stay.

    Raises
    ------
    StoreError, LakeError
        The store or the lake cannot be read; then nothing may be removed.
    """
    with connect(settings) as store:
        snapshots = _distinct(store, ("advice_run", "data_snapshot"))
        models = _distinct(
            store,
            ("advice_run", "mlflow_run_id"),
            ("forecast", "mlflow_run_id"),
            ("model_choice", "mlflow_run_id"),
            ("model_choice", "training_run_id"),
            ("model_rollback", "training_run_id"),
            ("model_rollback", "left_training_run_id"),
            ("model_score", "mlflow_run_id"),
            ("model_score", "training_run_id"),
            ("model_check", "training_run_id"),
        )
    return Lineage(
        frozenset(snapshots),
        frozenset(manifest_prefix(name) for name in _builds(settings)),
        frozenset(models),
    )


def _distinct(store: sa.Connection, *columns: tuple[str, str]) -> set[str]:
    found: set[str] = set()
    for table, column in columns:
        found |= set(store.execute(sa.select(tables[table].c[column]).distinct()).scalars())
    return found - {None}


def _builds(settings: Settings) -> set[str]:
    """Return the names of all builds that are there, or could be made again by their pointer."""
    local = settings.warehouse
    names = {path.name for path in (local / "builds").glob("*")}
    names |= {path.readlink().name for path in (local / "sessions").glob("*") if path.is_symlink()}
    place = storage(settings)
    for path in place.files("warehouse", ".json"):
        parts = path.split("/")
        if "builds" in parts[:-1]:
            names |= set(parts)
        elif "sessions" in parts[:-1]:
            names.add(json.loads(place.read(path).to_pybytes())["build"])
    return {name for name in names if _BUILD.fullmatch(name)}
