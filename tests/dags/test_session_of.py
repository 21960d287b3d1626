"""Every task knows its session, or fails and says how to trigger the run properly."""

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

SessionOf = Callable[[Any], dt.date]


@pytest.fixture(scope="module")
def session_of(our_module: Callable[[str], Any]) -> SessionOf:
    return our_module("smartinvest_dags").session_of


def _context(partition_key: str | None, parameter: str | None) -> dict[str, Any]:
    run = SimpleNamespace(run_id="manual__1", partition_key=partition_key)
    return {"dag_run": run, "params": {"session": parameter}}


@pytest.mark.parametrize(
    ("partition_key", "parameter"),
    [("2022-12-28", None), (None, "2022-12-28"), ("2022-12-28", "2022-12-28")],
)
def test_the_session_is_the_partition_key_or_the_parameter(
    session_of: SessionOf, partition_key: str | None, parameter: str | None
) -> None:
    assert session_of(_context(partition_key, parameter)) == dt.date(2022, 12, 28)


@pytest.mark.parametrize(
    ("partition_key", "parameter", "problem"),
    [(None, None, "it has no session"), ("2022-12-28", "2022-12-27", "it names two sessions")],
)
def test_a_run_without_one_session_fails_clearly(
    session_of: SessionOf, partition_key: str | None, parameter: str | None, problem: str
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with pytest.raises(AirflowFailException, match=problem):
        session_of(_context(partition_key, parameter))
