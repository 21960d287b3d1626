"""A polled source that refuses is asked again for hours, and nothing else is."""

import datetime as dt
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.vocabulary import Source
from pipelines import errors
from pipelines.operate.due import runs_by_itself

REFUSED = errors.SourceError("source", "yahoo", "it refused", "Wait.")
PASSES = errors.StoreError("store", "sqlite", "it is locked", "Wait.")
A_PERSON_MUST_MEND = [
    errors.SettingError("setting", "x", "it is wrong", "Mend it."),
    errors.SessionError("session", "x", "it is wrong", "Mend it."),
    errors.QualityError("prices", "x", "they are wrong", "Mend them."),
    errors.WarehouseTestError("dbt build", "x", "1 row fails", "Mend it."),
]

Arguments = Callable[[Source], dict[str, Any]]


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arguments]:
    """The arguments that decide how often the task `ingest` is tried, by its source."""
    # Airflow writes its configuration to AIRFLOW_HOME when it is first imported.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        folders = [str(Path(__file__).parents[2] / name) for name in ("dags", "plugins")]
        patch.setattr(sys, "path", [*sys.path, *folders])
        usual = importlib.import_module("smartinvest_dags").POLICY["default_args"]
        patience_with = importlib.import_module("source_retries").patience_with
        yield lambda source: {**usual, **patience_with(source, usual)}


def _attempts(given: dict[str, Any], error: Exception, tries_before: int = 0) -> list[dt.timedelta]:
    """The waits between a task's attempts if every one of them fails with an error."""
    max_tries = tries_before + given["retries"]
    waits = []
    for try_number in range(tries_before + 1, max_tries + 1):
        decision = given["retry_policy"].evaluate(error, try_number, max_tries)
        if decision.action.value == "fail":
            break
        waits.append(decision.retry_delay or given["retry_delay"])
    return waits


@pytest.mark.parametrize("tries_before", [0, 1, 8])
def test_a_polled_source_that_refuses_is_asked_again_for_hours_also_after_a_clear(
    arguments: Arguments, tries_before: int
) -> None:
    waits = _attempts(arguments(Source.YAHOO), REFUSED, tries_before)
    assert [wait / dt.timedelta(minutes=1) for wait in waits] == [5, 10, 20, 40, 60, 60, 60]


def test_whoever_waits_for_one_session_is_told_at_once(
    arguments: Arguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMARTINVEST__SCHEDULE_SESSIONS", "False")
    assert _attempts(arguments(Source.YAHOO), REFUSED) == []


@pytest.mark.parametrize("source", [source for source in Source if not runs_by_itself(source)])
def test_a_source_that_nobody_polls_is_not_waited_for(arguments: Arguments, source: Source) -> None:
    assert _attempts(arguments(source), REFUSED) == []


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("tries_before", [0, 8])
def test_what_may_pass_by_itself_is_retried_once_and_soon(
    arguments: Arguments, source: Source, tries_before: int
) -> None:
    waits = _attempts(arguments(source), PASSES, tries_before)
    assert waits == [dt.timedelta(seconds=15)]


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("error", A_PERSON_MUST_MEND, ids=lambda error: type(error).__name__)
def test_what_a_person_must_mend_is_not_retried(
    arguments: Arguments, source: Source, error: Exception
) -> None:
    assert _attempts(arguments(source), error) == []
