"""The tab *dbt results*, asked for over HTTP in Airflow's own application."""

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

import pytest
from asked_airflow import asked
from build_result_examples import FAILED_TEST, MODEL, SESSION, attempt, failed_attempt

from pipelines.build_results import keep
from pipelines.settings import load_settings

BASE = "/warehouse-results"
OWN_RUN = "asset_triggered__2022-12-28T21:04:00+00:00_abc"
AGAIN = "backfill__2022-12-27__abc"
GOOD = attempt(MODEL, minute=1)
FAILED = failed_attempt(minute=4, started_by=OWN_RUN)
WORDLESS = attempt(
    minute=5,
    session_date=SESSION - dt.timedelta(days=1),
    started_by=AGAIN,
    problem="dbt build = 'x': dbt failed outside of any model or test",
    output=("Traceback <most> recent", "MemoryError"),
)
RUNS = [
    {"dag_id": "warehouse", "run_id": OWN_RUN, "partition_key": "2022-12-28", "state": "failed"},
    {"dag_id": "warehouse", "run_id": AGAIN, "partition_key": "2022-12-27", "state": "running"},
    {"dag_id": "warehouse", "run_id": "ready", "partition_key": "2022-12-28", "state": "success"},
    {"dag_id": "warehouse", "run_id": "early", "partition_key": "2022-12-28", "state": "failed"},
    {"dag_id": "warehouse", "run_id": "none", "partition_key": "2022-12-20", "state": "failed"},
    {"dag_id": "train", "run_id": "later", "partition_key": "2022-12-28", "state": "success"},
    {"dag_id": "ingest", "run_id": "by-hand", "conf": {"session": "2022-12-28"}, "state": "queued"},
    {"dag_id": "other", "run_id": "unkeyed", "conf": {"session": "2022-02-31"}, "state": "queued"},
]
LIST = f"{BASE}/"
ONE = f"{BASE}/builds/{SESSION}/{FAILED.attempt_id}"
BY_SECONDS = f"{ONE}?sort=seconds"
MISSING = f"{BASE}/builds/{SESSION}/20000101T000000000000Z"
NOT_ASKED_FOR_IN_OUR_WORDS = [
    f"{BASE}/builds/{SESSION}/..%2f..%2f..%2fbuild",
    f"{BASE}/builds/..%2f..%2fstore/{FAILED.attempt_id}",
    f"{BASE}/builds/{SESSION}/%2e%2e",
    f"{ONE}?sort=drop",
    f"{BASE}/run",
]
UNKNOWN_RUN = f"{BASE}/run?dag_id=warehouse&run_id=%3Cb%3Ex"


def of_run(dag_id: str, run_id: str) -> str:
    return f"{BASE}/run?dag_id={dag_id}&run_id={quote(run_id)}"


PAGES = [LIST, ONE, BY_SECONDS, *(of_run(run["dag_id"], run["run_id"]) for run in RUNS)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the application answers to nobody and to its user."""
    settings = load_settings({}, home=tmp_path_factory.mktemp("pages") / "home")
    for kept in (GOOD, FAILED, WORDLESS):
        keep(settings, kept)
    (settings.warehouse / "current").symlink_to(f"builds/{GOOD.build}")
    paths = [*PAGES, MISSING, UNKNOWN_RUN, *NOT_ASKED_FOR_IN_OUR_WORDS]
    return asked(
        tmp_path_factory, settings, "warehouse_results", "warehouse_pages", paths, runs=RUNS
    )


def page(answers: dict[str, Any], path: str) -> str:
    """The text of a page as a person sees it, in one line."""
    answer = answers["known"][path]
    assert answer["status"] == 200, answer["body"]
    body = re.sub(r"<(style|script)>.*?</\1>", "", answer["body"], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_nobody_sees_anything_without_a_user(answers: dict[str, Any]) -> None:
    anonymous = answers["anonymous"]
    asked_properly = [*PAGES, MISSING, UNKNOWN_RUN]
    assert {path: anonymous[path]["status"] for path in asked_properly} == dict.fromkeys(
        asked_properly, 401
    )
    assert {anonymous[path]["status"] for path in NOT_ASKED_FOR_IN_OUR_WORDS} <= {401, 404}
    assert not any("stg_prices" in answer["body"] for answer in anonymous.values())


def test_there_are_no_other_routes_than_the_pages(answers: dict[str, Any]) -> None:
    assert answers["routes"] == ["/", "/builds/{session}/{attempt_id}", "/run"]
    assert BASE in answers["mounted"]


def test_the_pages_are_not_imported_until_one_is_asked_for(answers: dict[str, Any]) -> None:
    assert answers["early"] is False


def test_there_is_a_menu_entry_and_a_tab_on_runs_and_tasks(answers: dict[str, Any]) -> None:
    views = {view["destination"]: view for view in answers["views"]}
    assert set(views) == {"nav", "dag_run", "task_instance"}
    assert len({view["url_route"] for view in answers["views"]}) == 3
    assert f"/{views['nav']['href']}" == LIST
    # Relative, so that it holds behind a proxy with a path of its own.
    assert not any(view["href"].startswith("/") for view in answers["views"])
    filled = views["dag_run"]["href"].format(DAG_ID="warehouse", RUN_ID=quote(OWN_RUN))
    assert f"/{filled}" == of_run("warehouse", OWN_RUN)


def test_a_user_sees_each_page_which_may_load_nothing_from_elsewhere(
    answers: dict[str, Any],
) -> None:
    for path in PAGES:
        answer = answers["known"][path]
        assert answer["status"] == 200
        assert answer["headers"]["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer["headers"]["content-security-policy"]
        assert "frame-ancestors 'self'" in answer["headers"]["content-security-policy"]
        links = re.findall(r"(?:href|src)=\"([^\"]*)\"", answer["body"])
        assert all(link.startswith(f"{BASE}/") for link in links)


def test_the_list_has_every_build_newest_first_and_what_failed_in_it(
    answers: dict[str, Any],
) -> None:
    text = page(answers, LIST)
    builds = [WORDLESS, FAILED, GOOD]
    links = re.findall(rf"{BASE}/builds/([^\"]+)", answers["known"][LIST]["body"])
    assert links == [f"{build.session_date}/{build.attempt_id}" for build in builds]
    assert f"{FAILED_TEST.name}: 3 rows fail" in text
    assert "MemoryError" in text
    assert f"Readers see {GOOD.build}" in text


def test_a_failed_build_says_what_failed_which_rows_and_what_readers_see(
    answers: dict[str, Any],
) -> None:
    text = page(answers, ONE)
    assert f"Nothing was published. Readers still see the last good build, {GOOD.build}" in text
    assert "Mend the data or quarantine it, then clear the task" in text
    assert "3 rows fail" in text
    assert "-63.5 KO" in text
    assert "and 1 more" in text
    assert "where close &lt;= 0" in text
    assert "1 of 2 failed" in text
    assert text.index("stg_prices_is_sound") < text.index("Models")
    assert "12,345" in text


def test_values_of_the_data_are_text_and_never_markup(answers: dict[str, Any]) -> None:
    body = answers["known"][ONE]["body"]
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_models_can_be_ordered_by_seconds(answers: dict[str, Any]) -> None:
    assert "seconds, with tests ▾" in page(answers, BY_SECONDS)


def test_the_run_that_made_a_build_shows_it(answers: dict[str, Any]) -> None:
    text = page(answers, of_run("warehouse", OWN_RUN))
    assert text.startswith(f"Warehouse of {SESSION} Warehouse of {SESSION} failed")
    assert "1 other build of this session" in text


def test_a_run_that_tries_again_says_that_what_it_shows_is_the_attempt_before(
    answers: dict[str, Any],
) -> None:
    text = page(answers, of_run("warehouse", AGAIN))
    assert "The run goes on; here is its last dbt build that has ended." in text
    assert "MemoryError" in text


def test_a_run_that_found_its_build_ready_shows_how_that_was_made(answers: dict[str, Any]) -> None:
    text = page(answers, of_run("warehouse", "ready"))
    assert "found its session's build ready and made none; a later one failed" in text.replace(
        "&#39;", "'"
    )
    assert f"Warehouse of {SESSION} passed" in text


def test_a_run_that_failed_before_dbt_ended_says_where_to_look(answers: dict[str, Any]) -> None:
    assert "dbt has not ended in this run" in page(answers, of_run("warehouse", "early"))
    assert "No dbt build of session 2022-12-20" in page(answers, of_run("warehouse", "none"))


@pytest.mark.parametrize(("dag_id", "run_id"), [("train", "later"), ("ingest", "by-hand")])
def test_runs_of_other_dags_show_the_good_build_of_their_session(
    answers: dict[str, Any], dag_id: str, run_id: str
) -> None:
    text = page(answers, of_run(dag_id, run_id))
    assert f"The build of session {SESSION}, made by the DAG warehouse; a later one failed" in text
    assert f"Warehouse of {SESSION} passed" in text


def test_a_run_without_a_session_says_so(answers: dict[str, Any]) -> None:
    assert "no session" in page(answers, of_run("other", "unkeyed"))


def test_what_is_not_there_is_told_as_a_page(answers: dict[str, Any]) -> None:
    missing, unknown = answers["known"][MISSING], answers["known"][UNKNOWN_RUN]
    assert (missing["status"], unknown["status"]) == (404, 404)
    assert "no results are kept of it" in missing["body"]
    assert "has no run &lt;b&gt;x" in unknown["body"]


@pytest.mark.parametrize("path", NOT_ASKED_FOR_IN_OUR_WORDS)
def test_addresses_that_are_none_of_ours_lead_nowhere(answers: dict[str, Any], path: str) -> None:
    assert answers["known"][path]["status"] in (404, 422)
