"""The page *Operations*, asked for over HTTP in Airflow's own application, under either login."""

import datetime as dt
import re
from typing import Any

import pytest
from asked_airflow import asked
from operations_examples import NOW, RUN, SESSION, operations_home

BASE = "/operations"
PAGE, ONE_RUN, DOCUMENT = f"{BASE}/", f"{BASE}/runs/{RUN}", f"{BASE}/docs/dbt/index.html"
SECRET = f"{BASE}/docs/..%2fairflow/credentials.json"
PAGES = [PAGE, ONE_RUN, DOCUMENT]
NOT_THERE = [f"{BASE}/runs/{'cd' * 32}", f"{BASE}/docs/none.html", SECRET]
STRANGE = [
    f"{BASE}/runs/..%2f..",
    f"{BASE}/docs/%2e%2e/store/smartinvest.db",
    f"{BASE}/openapi.json",
]


def run(dag_id: str, state: str, minutes: int, **said: Any) -> dict[str, Any]:
    began = NOW + dt.timedelta(minutes=minutes)
    ended = (
        {} if state == "running" else {"end_date": (began + dt.timedelta(minutes=1)).isoformat()}
    )
    said = {"partition_key": str(SESSION), "start_date": began.isoformat()} | ended | said
    return {"dag_id": dag_id, "state": state, "run_id": f"{dag_id}__{minutes}"} | said


RUNS = [
    run("ingest", "failed", 1),
    run("ingest", "success", 2),
    run("warehouse", "running", 3),
    run("rebalance", "success", 0, partition_key="2022-12-27"),
    run("replay", "failed", 5, partition_key=None),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the application answers to nobody and to its user, with the simple auth manager."""
    return _answers(tmp_path_factory, users=None)


@pytest.fixture(scope="module")
def answers_of_fab(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same with FAB, and what it answers to others: one who may look, one who may nothing."""
    users = {"admin": "Admin", "viewer": "Viewer", "stranger": "Nothing"}
    return _answers(tmp_path_factory, users=users)


def _answers(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, str] | None
) -> dict[str, Any]:
    settings = operations_home(tmp_path_factory.mktemp("operations") / "home")
    document = settings.home / "docs" / "dbt" / "index.html"
    document.parent.mkdir(parents=True)
    document.write_text("<p>dbt's own page</p>")
    paths = [*PAGES, *NOT_THERE, *STRANGE]
    return asked(
        tmp_path_factory,
        settings,
        "operations_page",
        "operations_pages",
        paths,
        runs=RUNS,
        users=users,
    )


def statuses(answers: dict[str, Any], who: str, paths: list[str]) -> set[int]:
    return {answers[who][path]["status"] for path in paths}


def page(answers: dict[str, Any], path: str) -> str:
    """The text of a page as a person sees it, in one line."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", answers["known"][path]["body"], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_nobody_sees_anything_without_a_user(answers: dict[str, Any]) -> None:
    assert statuses(answers, "anonymous", [*PAGES, *NOT_THERE]) == {401}
    assert statuses(answers, "anonymous", STRANGE) <= {401, 404}


def test_a_user_sees_every_page(answers: dict[str, Any]) -> None:
    assert statuses(answers, "known", PAGES) == {200}
    assert statuses(answers, "known", NOT_THERE) == {404}
    assert statuses(answers, "known", STRANGE) <= {404, 422}


def test_there_are_no_other_routes_than_the_pages(answers: dict[str, Any]) -> None:
    assert answers["routes"] == ["/", "/docs/{path:path}", "/runs/{run_id}"]
    assert BASE in answers["mounted"]


def test_the_pages_are_not_imported_until_one_is_asked_for(answers: dict[str, Any]) -> None:
    assert answers["early"] is False


def test_the_menu_has_an_entry_that_holds_behind_a_proxy(answers: dict[str, Any]) -> None:
    assert answers["views"] == [
        {"name": "Operations", "href": "operations/", "destination": "nav",
         "url_route": "operations"}
    ]  # fmt: skip


def test_the_chain_is_that_of_the_newest_session_with_the_last_run_of_each_dag(
    answers: dict[str, Any],
) -> None:
    said = page(answers, PAGE)
    body = answers["known"][PAGE]["body"]
    assert "ingest done ingest__2" in said
    assert "warehouse running warehouse__3" in said
    assert "rebalance not begun -" in said
    assert 'href="../dags/ingest/runs/ingest__2"' in body
    assert "failed, or rows differ" in said


def test_no_answer_may_load_anything_from_elsewhere_or_be_framed_by_others(
    answers: dict[str, Any],
) -> None:
    for path in PAGES:
        policy = answers["known"][path]["headers"]["content-security-policy"]
        assert policy.startswith("default-src ")
        assert "http" not in policy
        assert "frame-ancestors 'self'" in policy
    assert "sandbox" in answers["known"][DOCUMENT]["headers"]["content-security-policy"]


@pytest.mark.long
def test_under_fab_too_only_who_may_see_runs_sees_the_pages(
    answers_of_fab: dict[str, Any],
) -> None:
    assert statuses(answers_of_fab, "anonymous", [*PAGES, *NOT_THERE]) == {401}
    assert statuses(answers_of_fab["others"], "stranger", [*PAGES, *NOT_THERE]) == {403}
    assert statuses(answers_of_fab["others"], "viewer", PAGES) == {200}
    assert statuses(answers_of_fab["others"], "admin", PAGES) == {200}
    assert RUN[:16] not in answers_of_fab["others"]["stranger"][PAGE]["body"]
