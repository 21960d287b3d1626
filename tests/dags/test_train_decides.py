"""The DAG `train` retrains where the session's check asks for it, as on drift, and else keeps."""

import datetime as dt
from collections.abc import Callable
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
def decide(our_module: Callable[[str], Any]) -> Callable[..., str]:
    """The function of the DAG file's own task."""
    function: Callable[..., str] = our_module("train").decide.function
    return function


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
