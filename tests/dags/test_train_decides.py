"""The DAG `train` retrains where the session's check asks for it, as on drift, and else keeps."""

import datetime as dt
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from new_stores import make_store

from models.store_scores import MODEL_CHECK
from pipelines.monitor.check import nothing_in_service
from pipelines.settings import load_settings
from pipelines.store import transaction, upsert

SESSION = dt.date(2022, 12, 28)


@pytest.fixture(scope="module")
def decide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """The function of the DAG file's own task."""
    # Airflow writes its configuration to AIRFLOW_HOME when it is first imported.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        folders = [str(Path(__file__).parents[2] / name) for name in ("dags", "plugins")]
        patch.setattr(sys, "path", [*sys.path, *folders])
        module: Any = importlib.import_module("train")
        yield module.decide.function


@pytest.mark.parametrize(("due", "way"), [(True, "retrain"), (False, "keep")])
def test_what_the_check_of_the_session_says_is_done(
    decide: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    due: bool,
    way: str,
) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    check = vars(nothing_in_service("sample", SESSION))
    said = {"retraining_due": due, "reason": "features drifted" if due else "nothing to see"}
    with transaction(settings) as store:
        upsert(store, MODEL_CHECK, [check | said])
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    run = SimpleNamespace(run_id="asset__1", partition_key=SESSION.isoformat())
    assert decide(dag_run=run, params={}) == way
