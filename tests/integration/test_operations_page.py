"""The operations page over a real store and a real lake: what it says, and what it does not."""

import datetime as dt
import os
import re
import time
from pathlib import Path

import pytest
from operations_examples import MARKUP, NOW, RUN, SESSION, many_runs, operations_home

from pipelines.alerts.alert import Alert, Kind, Where
from pipelines.alerts.causes import Cause
from pipelines.alerts.telling import tell
from pipelines.operations import (
    AirflowState,
    DagRunState,
    Heartbeat,
    Panel,
    Verdict,
    gather,
    lineage_page,
    operations_page,
)
from pipelines.operations.advice_panel import advice_panel
from pipelines.operations.airflow_state import UNFINISHED
from pipelines.operations.alert_panel import alert_panel
from pipelines.operations.chain_panels import airflow_panel, chain_panel, replay_panel
from pipelines.settings import Settings
from pipelines.store.engine import sqlite_path

CHAIN = ("ingest", "warehouse", "rebalance")
NOTHING = AirflowState(None, {})


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    # A busy machine must not make these tests speak of what is not known yet.
    monkeypatch.setattr("pipelines.operations.gathering.FIRST_WAIT_S", 60.0)
    return operations_home(tmp_path / "home")


def run(dag_id: str, state: str, minutes: int = 30, **said: object) -> DagRunState:
    """A run that began some minutes ago and ended one minute later, unless it goes on."""
    began = NOW - dt.timedelta(minutes=minutes)
    ended = None if state in UNFINISHED else began + dt.timedelta(minutes=1)
    run = {"run_id": f"{dag_id}__1", "session": SESSION, "queued_at": began, **said}
    return DagRunState(dag_id=dag_id, state=state, started_at=began, ended_at=ended, **run)  # type: ignore[arg-type]


def states(settings: Settings, *runs: DagRunState, paused: str = "") -> Panel:
    known = AirflowState(SESSION, {each.dag_id: each for each in runs}, paused=frozenset([paused]))
    return chain_panel(settings, known, CHAIN, NOW)


def text(html: str) -> str:
    """What a person reads, in one line."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_tells_what_was_published_and_what_became_of_the_accounts(
    settings: Settings,
) -> None:
    panels = gather(settings, NOTHING, NOW)
    said = text(operations_page(panels, NOW, "sample"))
    assert f"1 account failed; {SESSION}, 4 accounts, published 2 h 0 min ago" in said
    assert "rebalanced 2 2.00 2.00" in said
    assert "7 proposed; of these none sent yet" in said
    assert "2 rows, the newest 1 d 2 h ago; 1 client input" in said
    assert "smartinvest-ridge, version 3, as champion" in said
    assert "smartinvest-naive 700 -2.50 0.012 beaten" in said
    assert "no prices of sample yet" in said


def test_values_are_text_and_the_page_loads_nothing(settings: Settings) -> None:
    html = operations_page(gather(settings, NOTHING, NOW), NOW, "sample")
    assert MARKUP not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)
    assert "url(" not in html


def test_no_personal_data_and_no_account_is_on_the_page(settings: Settings) -> None:
    html = operations_page(gather(settings, NOTHING, NOW), NOW, "sample")
    assert "client-0" not in html
    assert "account-0" not in html


@pytest.mark.parametrize(
    ("runs", "paused", "verdict", "said"),
    [
        ([("ingest", "success", 30), ("warehouse", "success", 20), ("rebalance", "success", 5)],
         "", Verdict.GOOD, "done"),
        ([("ingest", "success", 30), ("warehouse", "failed", 20)],
         "", Verdict.BAD, "warehouse failed"),
        ([("ingest", "success", 3)], "", Verdict.ATTENTION, "1 of 3 done"),
        ([("ingest", "success", 30)], "", Verdict.BAD, "warehouse late: not begun"),
        ([("ingest", "success", 30)], "warehouse", Verdict.BAD,
         "warehouse late, paused: not begun"),
        ([("ingest", "running", 30)], "", Verdict.ATTENTION, "ingest running"),
    ],
)  # fmt: skip
def test_each_stage_is_done_under_way_late_or_failed(
    settings: Settings,
    runs: list[tuple[str, str, int]],
    paused: str,
    verdict: Verdict,
    said: str,
) -> None:
    panel = states(settings, *(run(*each) for each in runs), paused=paused)
    assert (panel.verdict, panel.headline) == (verdict, f"{SESSION}: {said}")


def test_a_run_that_missed_its_deadline_is_late_and_failed_tasks_are_named(
    settings: Settings,
) -> None:
    late = states(settings, run("ingest", "running", deadline_missed=True))
    assert late.headline == f"{SESSION}: ingest late: running"
    frozen = states(settings, run("ingest", "success", 2, failed_tasks=("ingest",)))
    assert frozen.headline == f"{SESSION}: ingest done, with failed tasks"


def test_a_polled_source_without_a_run_of_its_newest_session_is_late(settings: Settings) -> None:
    polled = settings.model_copy(update={"source": "yahoo"})
    known = AirflowState(SESSION, {"ingest": run("ingest", "success")})
    a_day_later = NOW + dt.timedelta(days=1)
    panel = chain_panel(polled, known, CHAIN, a_day_later)
    assert panel.verdict is Verdict.BAD
    assert panel.headline == "2022-12-29: ingest late: not begun"


def test_what_never_ran_is_unknown_and_not_good(settings: Settings) -> None:
    panels = {panel.key: panel for panel in gather(settings, NOTHING, NOW)}
    assert panels["chain"].verdict is Verdict.UNKNOWN
    assert panels["replay"].verdict is Verdict.UNKNOWN
    assert panels["freshness"].verdict is Verdict.UNKNOWN
    differs = AirflowState(SESSION, {}, {"replay": run("replay", "failed")})
    assert replay_panel(differs, NOW).verdict is Verdict.BAD


def test_a_process_without_a_heartbeat_is_bad_and_one_never_started_is_not() -> None:
    dead = Heartbeat("scheduler", False, NOW - dt.timedelta(minutes=5))
    none = Heartbeat("triggerer", None, None)
    assert airflow_panel(AirflowState(None, {}, heartbeats=(dead, none)), NOW).headline == (
        "scheduler: no heartbeat"
    )
    assert airflow_panel(AirflowState(None, {}, heartbeats=(none,)), NOW).verdict is Verdict.GOOD


def test_a_store_that_is_away_leaves_the_rest_of_the_page(settings: Settings) -> None:
    file = sqlite_path(settings)
    assert file is not None
    file.unlink()
    panels = {panel.key: panel for panel in gather(settings, NOTHING, NOW)}
    for key in ("advice", "quarantine", "model"):
        assert panels[key].verdict is Verdict.UNKNOWN
        assert "there is no such file" in panels[key].notes[0]
    assert panels["alerts"].verdict is Verdict.GOOD


def test_an_answer_that_takes_long_is_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.operations import gathering

    def slow(_settings: Settings, _now: dt.datetime) -> Panel:
        time.sleep(0.8)
        return Panel("advice", "Slow", Verdict.GOOD, "there it is")

    monkeypatch.setattr(gathering, "_ASKED", (("advice", "Slow", slow), *gathering._ASKED[1:]))
    monkeypatch.setattr(gathering, "FIRST_WAIT_S", 0.3)
    began = time.monotonic()
    panels = {panel.key: panel for panel in gather(settings, NOTHING, NOW)}
    assert time.monotonic() - began < 0.7
    assert panels["advice"].verdict is Verdict.UNKNOWN
    time.sleep(0.6)
    later = {panel.key: panel for panel in gather(settings, NOTHING, NOW)}
    assert later["advice"].headline == "there it is"


def test_alerts_that_were_told_are_shown_newest_first(settings: Settings) -> None:
    for hours, dag_id in ((3, "warehouse"), (1, "train")):
        cause = Cause("StoreError", "the store", "x", "it is full", "make room")
        where = Where(dag_id=dag_id, run_id="r", session=SESSION, task_id="t")
        tell(settings, Alert(Kind.TASK_FAILED, cause, where, at=NOW - dt.timedelta(hours=hours)))
    panel = next(each for each in gather(settings, NOTHING, NOW) if each.key == "alerts")
    assert (panel.verdict, panel.headline) == (Verdict.BAD, "2 alerts in the last day")
    subjects = [str(row[2]) for row in panel.grids[0].rows]
    assert ["train" in subjects[0], "warehouse" in subjects[1]] == [True, True]


def test_a_heap_of_old_alerts_without_a_session_hides_no_new_one(settings: Settings) -> None:
    def told(session: dt.date | None, run_id: str, days: int) -> None:
        cause = Cause("StoreError", "the store", "x", "it is full", "make room")
        where = Where(dag_id="replay", run_id=run_id, session=session, task_id="t")
        at = NOW - dt.timedelta(days=days)
        tell(settings, Alert(Kind.TASK_FAILED, cause, where, at=at))

    for number in range(40):
        told(None, f"old {number}", 20)
    old = (NOW - dt.timedelta(days=20)).timestamp()
    for note in (settings.lake / "alerts").rglob("*.json"):
        os.utime(note, (old, old))
    told(SESSION, "new", 0)
    panel = alert_panel(settings, NOW)
    assert (panel.verdict, panel.headline) == (Verdict.BAD, "1 alert in the last day")


def test_a_store_of_many_runs_and_accounts_is_read_in_less_than_a_second(
    settings: Settings,
) -> None:
    newest = many_runs(settings, runs=2000, accounts=20_000)
    began = time.monotonic()
    panel = advice_panel(settings, NOW)
    assert time.monotonic() - began < 1
    assert "20,000 accounts" in panel.headline
    assert newest[:16] in str(panel.grids[0].rows[0][1])
    began = time.monotonic()
    advice_panel(settings, NOW)  # what became of a published run's accounts is counted once
    assert time.monotonic() - began < 0.2


def test_the_page_of_a_run_that_ran_without_airflow_says_that_no_task_is_noted(
    settings: Settings,
) -> None:
    page = lineage_page(settings, RUN, "/operations", NOW)
    assert page is not None
    assert "it ran without Airflow, or the store was away" in page
    assert lineage_page(settings, "cd" * 32, "/operations", NOW) is None
