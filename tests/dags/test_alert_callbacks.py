"""What Airflow's callbacks tell, over real mail and web servers on the loopback."""

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipelines.errors import StoreUnavailableError
from pipelines.replay import Difference, Replay, difference_of

SESSION = "2022-12-28"
AWAY = StoreUnavailableError("store", "postgresql://db/x", "it is away", "Start it.")


class _Mailbox:
    """Keeps the messages that a mail server gets."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture(scope="module")
def plugin(our_module: Callable[[str], Any]) -> ModuleType:
    return our_module("alerts")


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Mailbox]:
    box = _Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", _connection(port))
    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTINVEST_ALERT_EMAIL", "ops@example.com, night@example.com")
    yield box
    controller.stop()


def _connection(port: int) -> str:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


def _context(error: BaseException | None = AWAY, **run: Any) -> dict[str, Any]:
    """What a task's process gives a callback."""
    return {
        "dag_run": SimpleNamespace(
            dag_id="rebalance",
            run_id="asset__1",
            partition_key=SESSION,
            conf=None,
            clear_number=0,
            **run,
        ),
        "ti": SimpleNamespace(
            task_id="publish",
            map_index=-1,
            try_number=6,
            log_url="http://airflow/dags/rebalance/runs/asset__1/tasks/publish?try_number=6",
        ),
        "params": {},
        "exception": error,
    }


def _deadline_context(started: dt.datetime | None, state: str = "running") -> dict[str, Any]:
    """What the scheduler gives a deadline's callback: JSON of the run, and no task."""
    run: dict[str, Any] = {
        "dag_id": "rebalance",
        "dag_run_id": "asset__1",
        "partition_key": SESSION,
        "conf": {},
        "state": state,
        "start_date": started.isoformat() if started else None,
    }
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2022-12-29T09:00:00Z"}}


def _text(message: Message) -> str:
    parts = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    return "\n".join(part.decode() for part in parts if isinstance(part, bytes))


def test_a_failed_task_is_mailed_with_cause_place_log_and_remedy(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.task_failed(_context())
    [message] = mailbox.messages
    assert message["To"] == "ops@example.com, night@example.com"
    assert message["From"] == "airflow@example.com"
    assert message["Subject"].replace("\n", "") == (
        "[error] rebalance.publish failed for 2022-12-28: StoreUnavailableError, store"
    )
    text = _text(message)
    for part in ("it is away", "Start it.", "asset__1", SESSION, "tasks/publish?try_number=6"):
        assert part in text


def test_a_task_that_is_tried_again_warns_once(plugin: ModuleType, mailbox: _Mailbox) -> None:
    plugin.task_retries(_context())
    plugin.task_retries(_context())
    assert [message["Subject"][:9] for message in mailbox.messages] == ["[warning]"]


def test_a_killed_task_is_told_although_nobody_knows_its_error(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.task_failed(_context(error=None))
    assert "its worker was killed" in _text(mailbox.messages[0])


def _attempt(number: int, retries: int = 5, max_tries: int = 5) -> dict[str, Any]:
    context = _context(None)
    context["ti"].try_number, context["ti"].max_tries = number, max_tries
    context["ti"].task = SimpleNamespace(retries=retries, outlets=[])
    return context


def test_an_attempt_that_was_killed_without_a_word_is_told_when_the_next_one_begins(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.attempt_begins(_attempt(1))
    assert mailbox.messages == []
    plugin.attempt_begins(_attempt(2))
    assert "killed" in _text(mailbox.messages[0])


def test_an_attempt_whose_failure_was_told_is_not_told_again(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    failed = _attempt(1)
    failed["exception"] = AWAY
    plugin.task_retries(failed)
    plugin.attempt_begins(_attempt(2))
    assert len(mailbox.messages) == 1


def test_the_attempt_before_a_clear_is_no_failure(plugin: ModuleType, mailbox: _Mailbox) -> None:
    plugin.attempt_begins(_attempt(2, max_tries=6))
    assert mailbox.messages == []


def test_a_run_that_failed_by_no_task_is_told_with_airflows_reason(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.run_failed(
        {"run_id": "r", "dag": SimpleNamespace(dag_id="train"), "reason": "timed_out"}
    )
    assert "timed_out" in _text(mailbox.messages[0])


def test_late_advice_is_told_once_whichever_dag_notices(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    now = dt.datetime.now(dt.UTC)
    for _ in range(2):
        plugin.deadline_missed(_deadline_context(now), what="advice")
    [message] = mailbox.messages
    assert "12 hours after the session's close" in _text(message)
    assert "asset__1" in _text(message)


def test_the_watch_tells_of_no_source_that_nobody_polls(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.tell_lateness(_context(None))
    assert mailbox.messages == []


def test_a_run_is_late_by_how_long_it_ran_not_by_how_long_it_waited(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    now = dt.datetime.now(dt.UTC)
    for started in (None, now - dt.timedelta(hours=1)):
        plugin.deadline_missed(_deadline_context(started), what="run", hours=6)
    assert mailbox.messages == []
    plugin.deadline_missed(_deadline_context(now - dt.timedelta(hours=7)), what="run", hours=6)
    assert "over 6 hours" in _text(mailbox.messages[0])


def test_a_run_that_failed_early_is_not_called_late_hours_after(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    failed = _deadline_context(dt.datetime.now(dt.UTC) - dt.timedelta(hours=7), state="failed")
    plugin.deadline_missed(failed, what="run", hours=6)
    assert mailbox.messages == []
    plugin.deadline_missed(failed, what="advice")
    assert "AdviceLate" in mailbox.messages[0]["Subject"]


def test_a_run_that_airflow_gives_up_is_told_although_a_batch_of_it_had_failed(
    plugin: ModuleType, mailbox: _Mailbox
) -> None:
    plugin.task_failed(_context())
    for reason in ("task_failure", "timed_out"):
        plugin.run_failed({**_context(None), "ti": None, "reason": reason})
    assert len(mailbox.messages) == 2
    assert "timed_out" in _text(mailbox.messages[1])


def test_a_replay_that_differs_is_told(plugin: ModuleType, mailbox: _Mailbox) -> None:
    differences = tuple(Difference(name, 0, 0, 2, ()) for name in ("trade", "target_allocation"))
    found = Replay("abc123", dt.date(2022, 12, 28), 7, (), differences)
    plugin.task_failed(_context(difference_of(found)))
    plugin.run_failed(_context(None))
    [message] = mailbox.messages
    assert "4 rows of trade, target_allocation" in _text(message)
    assert "smartinvest replay abc123" in _text(message)
    assert "a replay differs" in message["Subject"]


def test_without_a_mail_server_a_callback_ends_soon_and_quietly(
    plugin: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", _connection(1))
    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path))
    monkeypatch.setenv("SMARTINVEST_ALERT_EMAIL", "ops@example.com")
    plugin.task_failed(_context())
    assert "the alert was not mailed" in caplog.text
