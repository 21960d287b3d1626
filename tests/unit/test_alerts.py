"""What an alert says, that it is told once, and that nothing secret or personal is in it."""

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.alerts import (
    BY_A_TASK,
    Alert,
    Cause,
    Kind,
    Where,
    cause_of,
    forget_alerts,
    is_attempt_told,
    tell,
)
from pipelines.errors import StoreUnavailableError, WarehouseError
from pipelines.settings import Settings, load_settings

SESSION = dt.date(2022, 12, 28)
CAUSE = Cause("StoreError", "setting SMARTINVEST_STORE_URL", "x", "it is away", "Start it.")
ANNA = "anna.schmidt@example.com"


class _Receiver(ThreadingHTTPServer):
    """A webhook that answers with given codes, the last one for ever, and keeps what it got."""

    def __init__(self, *codes: int, seconds: float = 0.0) -> None:
        self.codes, self.seconds = list(codes), seconds
        self.got: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/T0KEN"


class _Answer(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        time.sleep(self.server.seconds)
        codes = self.server.codes
        self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that does not take an alert is asked again without a pause."""
    monkeypatch.setattr("pipelines.alerts.webhook._PAUSE_S", 0.0)


@pytest.fixture
def serve() -> Iterator[Any]:
    running: list[_Receiver] = []

    def start(*codes: int, seconds: float = 0.0) -> _Receiver:
        server = _Receiver(*codes, seconds=seconds)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def _settings(home: Path, **given: str) -> Settings:
    return load_settings({"SMARTINVEST_HOME": str(home), **given})


def _alert(kind: Kind = Kind.TASK_FAILED, cause: Cause = CAUSE, **where: Any) -> Alert:
    place = {
        "dag_id": "rebalance",
        "run_id": "asset__1",
        "session": SESSION,
        "task_id": "publish",
        "attempt": 2,
        "log_url": "http://airflow/log",
        **where,
    }
    return Alert(kind, cause, Where(**place))


def test_the_webhook_gets_cause_place_and_remedy_as_json(tmp_path: Path, serve: Any) -> None:
    server = serve(204)
    settings = _settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=server.url)
    assert tell(settings, _alert(map_index=3))
    [content] = server.got
    text = content.pop("text")
    assert {
        name: content[name] for name in ("kind", "severity", "dag_id", "run_id", "session")
    } == {
        "kind": "task_failed",
        "severity": "error",
        "dag_id": "rebalance",
        "run_id": "asset__1",
        "session": "2022-12-28",
    }
    assert (content["task_id"], content["map_index"], content["attempt"]) == ("publish", 3, 2)
    assert content["cause"]["remedy"] == "Start it."
    assert content["log_url"] == "http://airflow/log"
    for part in ("rebalance.publish", "it is away", "Start it.", "http://airflow/log"):
        assert part in text


def test_without_settings_an_alert_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert tell(_settings(tmp_path), _alert())
    assert "ALERT [error] rebalance.publish failed for 2022-12-28" in caplog.text
    assert "Start it." in caplog.text


@pytest.mark.parametrize("codes", [(503, 429, 200), (500, 204)])
def test_a_busy_webhook_is_asked_again(tmp_path: Path, serve: Any, codes: tuple[int, ...]) -> None:
    server = serve(*codes)
    tell(_settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=server.url), _alert())
    assert len(server.got) == len(codes)


def test_a_webhook_that_refuses_is_not_asked_again_and_its_url_is_not_told(
    tmp_path: Path, serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(403)
    assert tell(_settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=server.url), _alert())
    assert len(server.got) == 1
    assert "it answered 403" in caplog.text
    assert "T0KEN" not in caplog.text


def test_a_webhook_that_hangs_or_is_gone_costs_seconds_and_no_task(
    tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.alerts.webhook.TIMEOUT_S", 0.1)
    hanging = serve(200, seconds=1.0)
    began = time.monotonic()
    assert tell(_settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=hanging.url), _alert())
    gone = "http://127.0.0.1:1/x"
    assert tell(_settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=gone), _alert(run_id="2"))
    assert time.monotonic() - began < 10


def test_a_mail_server_that_fails_in_any_way_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def send(_addresses: list[str], _alert: Alert) -> None:
        raise RuntimeError("secret")

    assert tell(_settings(tmp_path, SMARTINVEST_ALERT_EMAIL="ops@example.com"), _alert(), send)
    assert "not mailed (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


def test_an_alert_that_reached_nobody_is_news_the_next_time_and_until_then_on_the_page(
    tmp_path: Path, serve: Any
) -> None:
    server = serve(503, 503, 503, 204)
    settings = _settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK=server.url)
    assert tell(settings, _alert())
    [note] = (settings.lake / "alerts").rglob("*.json")
    assert json.loads(note.read_text())["cause"]["remedy"] == "Start it."
    assert tell(settings, _alert(Kind.RUN_FAILED, cause_of(BY_A_TASK), task_id=""))
    assert tell(settings, _alert())
    assert not tell(settings, _alert())
    assert len(server.got) == 3 + 2


def test_an_attempt_whose_failure_reached_nobody_was_not_killed_for_that(tmp_path: Path) -> None:
    gone = _settings(tmp_path, SMARTINVEST_ALERT_WEBHOOK="http://127.0.0.1:1/x")
    failed = _alert(Kind.TASK_RETRIES)
    assert tell(gone, failed)
    assert is_attempt_told(gone, failed)
    assert tell(gone, failed)


def test_an_alert_that_one_of_two_ways_took_was_told(tmp_path: Path, serve: Any) -> None:
    mails: list[Alert] = []
    settings = _settings(
        tmp_path,
        SMARTINVEST_ALERT_WEBHOOK=serve(403).url,
        SMARTINVEST_ALERT_EMAIL="ops@example.com",
    )
    for _ in range(2):
        tell(settings, _alert(), lambda _to, alert: mails.append(alert))
    assert len(mails) == 1


def test_mapped_tasks_that_fail_for_the_same_reason_are_told_once(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    told = [tell(settings, _alert(map_index=index)) for index in range(5)]
    assert told == [True, False, False, False, False]
    other = Cause("LakeError", "lake", "x", "it is full", "Make room.")
    assert tell(settings, _alert(cause=other))


def test_a_run_that_failed_by_a_task_is_no_news_but_one_that_failed_by_itself_is(
    tmp_path: Path,
) -> None:
    settings = _settings(tmp_path)
    tell(settings, _alert())
    by_a_task = cause_of(BY_A_TASK)
    assert not tell(settings, _alert(Kind.RUN_FAILED, by_a_task, task_id=""))
    assert tell(settings, _alert(Kind.RUN_FAILED, by_a_task, task_id="", run_id="asset__2"))


def test_a_task_that_fails_again_after_its_run_was_cleared_is_news(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert tell(settings, _alert())
    assert tell(settings, _alert(beginning="1"))


def test_a_failure_after_a_warning_of_it_is_news(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert tell(settings, _alert(Kind.TASK_RETRIES))
    assert tell(settings, _alert())


def test_what_several_dags_notice_of_a_session_is_told_once(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    dags = ("ingest", "warehouse", "train")
    alerts = [
        Alert(Kind.DEADLINE_MISSED, CAUSE, Where(dag_id=dag, run_id=dag, session=SESSION), "advice")
        for dag in dags
    ]
    assert [tell(settings, alert) for alert in alerts] == [True, False, False]


def test_where_nothing_can_be_noted_an_alert_is_rather_told_twice(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("no folder")
    settings = _settings(tmp_path)
    assert [tell(settings, _alert()), tell(settings, _alert())] == [True, True]


def test_notes_of_old_alerts_are_forgotten_and_new_ones_kept(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    tell(settings, _alert(Kind.TASK_RETRIES))
    now = dt.datetime.now(dt.UTC)
    assert forget_alerts(settings, now - dt.timedelta(days=1)) == 0
    assert forget_alerts(settings, now + dt.timedelta(seconds=1)) == 2
    assert tell(settings, _alert(Kind.TASK_RETRIES))


def test_the_cause_is_our_own_error_behind_whatever_wraps_it() -> None:
    inner = StoreUnavailableError("store", "postgresql://***@db/x", "it is away", "Start it.")
    try:
        raise RuntimeError("task failed") from inner
    except RuntimeError as error:
        assert cause_of(error).error == "StoreUnavailableError"


def test_an_unforeseen_error_tells_its_class_and_not_its_text() -> None:
    cause = cause_of(ValueError(f"row (17, Anna Schmidt, {ANNA}) is odd"))
    assert cause.error == "ValueError"
    assert "Anna" not in "".join((cause.thing, cause.value, cause.problem, cause.remedy))


def test_a_full_disk_is_told_in_the_words_of_the_operating_system() -> None:
    cause = cause_of(OSError(28, "No space left on device", "/lake/x.parquet"))
    assert (cause.problem, cause.value) == ("No space left on device", "/lake/x.parquet")


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://pipeline:hunter2@db/smartinvest",
        "https://api.example.com/x?api_key=hunter2&y=1",
        "connection failed: host=db password=hunter2",
        "https://hooks.example.com/x?token=hunter2",
    ],
)
def test_no_password_or_key_in_an_error_reaches_an_alert(secret: str) -> None:
    cause = cause_of(WarehouseError("store", secret, secret, secret))
    alert = _alert(cause=cause)
    assert "hunter2" not in json.dumps(alert.content())
    assert "hunter2" not in alert.subject


def test_a_known_secret_without_any_sign_of_one_reaches_no_alert(
    tmp_path: Path, serve: Any
) -> None:
    server = serve(200)
    settings = _settings(
        tmp_path, SMARTINVEST_ALERT_WEBHOOK=server.url, SMARTINVEST_FRED_API_KEY="abcdef123456"
    )
    tell(settings, _alert(cause=cause_of(WarehouseError("x", "y", "abcdef123456 no", "z"))))
    assert "abcdef123456" not in json.dumps(server.got)


def test_a_mail_address_in_an_error_reaches_no_alert() -> None:
    cause = cause_of(WarehouseError("client", 17, f"{ANNA} is used twice", "Mend it."))
    assert ANNA not in json.dumps(_alert(cause=cause).content())


def test_a_subject_is_one_line_whatever_the_error_says() -> None:
    cause = cause_of(WarehouseError("a\r\nBcc: all@example.com", "x", "y", "z"))
    assert "\n" not in _alert(cause=cause).subject
    assert "\r" not in _alert(cause=cause).subject


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALERT_EMAIL", "nobody"), ("ALERT_EMAIL", "a@b, c d@e"), ("ALERT_WEBHOOK", "ftp://x")],
)
def test_a_wrong_place_to_tell_alerts_is_refused_at_start(name: str, value: str) -> None:
    from pipelines.errors import SettingError

    with pytest.raises(SettingError, match=name):
        load_settings({f"SMARTINVEST_{name}": value})


def test_child_processes_tell_alerts_to_the_same_place(tmp_path: Path) -> None:
    settings = _settings(
        tmp_path,
        SMARTINVEST_ALERT_EMAIL="a@b.c, d@e.f",
        SMARTINVEST_ALERT_WEBHOOK="https://h/T0KEN",
    )
    again = load_settings(settings.environment())
    assert again.alert_addresses == ["a@b.c", "d@e.f"]
    assert again.alert_webhook == settings.alert_webhook
    assert "T0KEN" not in repr(settings)
