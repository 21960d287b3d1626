"""What is tried again and when: by what the error says that it needs."""

import datetime as dt
import errno
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from models.vocabulary import Source
from pipelines import errors
from pipelines.operate.due import runs_by_itself
from pipelines.recovery import recovery_of_output

REFUSED = errors.SourceError("source", "yahoo", "it refused", "Wait.")
CHANCE = [
    errors.ModelError("model", "lstm", "it does not converge", "Look at it."),
    RuntimeError("nobody foresaw it"),
    PermissionError(errno.EACCES, "Permission denied"),
]
PASSES = [
    errors.StoreUnavailableError("store", "postgresql://db/store", "it is away", "Wait."),
    errors.TrackingUnavailableError("MLflow", "http://mlflow", "it is away", "Wait."),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    OSError(errno.ENOSPC, "No space left on device"),
    httpx.ConnectError("refused"),
    TimeoutError(),
]
A_PERSON_MUST_MEND = [
    errors.SettingError("setting", "x", "it is wrong", "Mend it."),
    errors.SessionError("session", "x", "it is wrong", "Mend it."),
    errors.QualityError("prices", "x", "they are wrong", "Mend them."),
    errors.WarehouseTestError("dbt build", "x", "1 row fails", "Mend it."),
]

Arguments = Callable[[Source], dict[str, Any]]


@pytest.fixture(scope="module")
def arguments(our_module: Callable[[str], Any]) -> Arguments:
    """The arguments that decide how often the task `ingest` is tried, by its source."""
    policy = our_module("retry_policy")
    return lambda source: {**policy.recovers(), **policy.patience_with(source)}


def _waits(
    given: dict[str, Any], error: BaseException, tries_before: int = 0
) -> list[dt.timedelta]:
    """The waits between a task's attempts if every one of them fails with an error."""
    max_tries = tries_before + given["retries"]
    waits = []
    for try_number in range(tries_before + 1, max_tries + 1):
        decision = given["retry_policy"].evaluate(error, try_number, max_tries)
        if decision.action.value == "fail":
            break
        waits.append(decision.retry_delay or given["retry_delay"])
    return waits


def _minutes(waits: list[dt.timedelta]) -> list[float]:
    return [wait / dt.timedelta(minutes=1) for wait in waits]


@pytest.mark.parametrize("tries_before", [0, 1, 8])
def test_a_polled_source_that_refuses_is_asked_again_for_hours_also_after_a_clear(
    arguments: Arguments, tries_before: int
) -> None:
    waits = _waits(arguments(Source.YAHOO), REFUSED, tries_before)
    assert _minutes(waits) == [5, 10, 20, 40, 60, 60, 60]


def test_whoever_waits_for_one_session_is_told_soon(
    arguments: Arguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SMARTINVEST__SCHEDULE_SESSIONS", "False")
    assert _waits(arguments(Source.YAHOO), REFUSED) == []
    assert _minutes(_waits(arguments(Source.YAHOO), PASSES[0])) == [0.25]


@pytest.mark.parametrize("source", [source for source in Source if not runs_by_itself(source)])
def test_a_source_that_nobody_polls_is_not_waited_for(arguments: Arguments, source: Source) -> None:
    assert _waits(arguments(source), REFUSED) == []


@pytest.mark.parametrize("source", [Source.YAHOO, Source.SAMPLE])
@pytest.mark.parametrize("error", PASSES, ids=lambda error: type(error).__name__)
def test_what_is_away_is_waited_for_longer_and_longer(
    arguments: Arguments, source: Source, error: BaseException
) -> None:
    assert _minutes(_waits(arguments(source), error, tries_before=3)) == [0.25, 1, 5, 15, 30]


def test_a_full_disk_behind_an_error_of_ours_is_waited_for(arguments: Arguments) -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise errors.WarehouseError("folder", "x", "it is full", "Make room.") from None
    except errors.WarehouseError as error:
        assert len(_waits(arguments(Source.SAMPLE), error)) == 5


@pytest.mark.parametrize("source", [Source.YAHOO, Source.SAMPLE])
@pytest.mark.parametrize("tries_before", [0, 8])
@pytest.mark.parametrize("error", CHANCE, ids=lambda error: type(error).__name__)
def test_what_nobody_foresaw_is_tried_once_more_and_soon(
    arguments: Arguments, source: Source, tries_before: int, error: BaseException
) -> None:
    assert _minutes(_waits(arguments(source), error, tries_before)) == [0.25]


@pytest.mark.parametrize("error", A_PERSON_MUST_MEND, ids=lambda error: type(error).__name__)
def test_what_a_person_must_mend_is_not_retried(
    arguments: Arguments, error: errors.SmartInvestError
) -> None:
    assert _waits(arguments(Source.YAHOO), error) == []


@pytest.mark.parametrize(
    ("said", "recovery"),
    [
        (["10:00:00 load ...", "SettingError: setting X = 'y': wrong. Mend it."], "by_a_person"),
        (["StoreUnavailableError: x", "a second line of it"], "by_waiting"),
        (["Traceback (most recent call last):", "ValueError: no"], "by_chance"),
        ([], "by_chance"),
    ],
)
def test_the_last_words_of_a_stage_say_what_another_attempt_needs(
    said: list[str], recovery: str
) -> None:
    assert recovery_of_output(said) == recovery


def test_what_a_stage_needs_survives_the_way_between_processes() -> None:
    error = errors.StageProcessError("process", "train", "it ended", "Mend it.")
    error.recovery = errors.Recovery.BY_WAITING
    back = pickle.loads(pickle.dumps(error))
    assert (back.recovery, str(back)) == (errors.Recovery.BY_WAITING, str(error))
