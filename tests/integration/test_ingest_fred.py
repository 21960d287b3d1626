"""FRED on loopback: every series that can be read is stored with the moment it was known."""

import datetime as dt
import logging
from itertools import repeat
from pathlib import Path

import pytest
from loopback.economy import FIRST, TODAY, economy
from loopback.fred import KEY, MOST_VINTAGES
from loopback.internet import Reply
from loopback.scenarios import FRED_SCENARIOS, FredScenario
from loopback.world import QUICK
from pydantic import SecretStr

from pipelines.ingest.fred import Fred, client

WAITING = {"FRED slow", "FRED drip"}
"""Scenarios that are over when a time limit is."""


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            scenario, id=scenario.name, marks=[pytest.mark.long] * (scenario.name in WAITING)
        )
        for scenario in FRED_SCENARIOS
    ],
)
def test_what_fred_does_neither_loses_a_value_nor_stores_a_wrong_one(
    scenario: FredScenario, tmp_path: Path
) -> None:
    with economy(tmp_path, scenario.key) as made_up:
        scenario.act(made_up)
    assert made_up.polls


def test_the_key_is_in_no_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), economy(tmp_path, KEY) as made_up:
        made_up.poll()
    assert caplog.records
    assert KEY not in caplog.text


@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_page_that_repeats_the_key_is_kept_without_it(tmp_path: Path, status: int) -> None:
    with economy(tmp_path, KEY) as made_up:
        page = Reply(status, f"<html>no access to ?api_key={KEY}</html>".encode(), "text/html")
        made_up.fred.spoil("UNRATE", repeat(lambda reply: page))
        now = dt.datetime(2024, 6, 28, 23, tzinfo=dt.UTC)
        _, problems = Fred(SecretStr(KEY), QUICK, lambda: now).observations(FIRST, TODAY)
    (problem,) = problems
    assert problem.rows == ("<html>no access to ?api_key=***</html>",)
    assert KEY not in problem.reason


def test_more_vintages_than_fred_answers_at_once_come_in_windows(tmp_path: Path) -> None:
    first = dt.date(2015, 1, 1)
    days = [first + dt.timedelta(days=number) for number in range(MOST_VINTAGES + 500)]
    today = days[-1] + dt.timedelta(days=1)
    with economy(tmp_path) as made_up:
        made_up.fred.today = today
        made_up.fred.series["DGS2"] = {
            day: [(day + dt.timedelta(days=1), f"{number}")] for number, day in enumerate(days)
        }
        now = dt.datetime.combine(today, dt.time(23), dt.UTC)
        rows, problems = Fred(SecretStr(KEY), QUICK, lambda: now).observations(first, today)
    assert problems == ()
    found = [row for row in rows.to_pylist() if row["series_id"] == "DGS2"]
    assert [row["observation_date"] for row in found] == days
    assert all(
        row["released_at"].date() == row["observation_date"] + dt.timedelta(days=1)
        for row in found[1:]
    )


def test_no_ingest_asks_more_often_than_fred_allows_in_a_minute(tmp_path: Path) -> None:
    now = dt.datetime(2026, 6, 28, 23, tzinfo=dt.UTC)
    with economy(tmp_path) as made_up:
        made_up.fred.today = now.date()
        Fred(SecretStr(KEY), QUICK, lambda: now).observations(dt.date(1950, 1, 3), now.date())
    assert len(made_up.internet.exchanged) < 120


def test_an_answer_with_the_key_in_a_number_is_told_without_it(tmp_path: Path) -> None:
    with economy(tmp_path) as made_up:
        body = f'{{"count": 1, "observations": [{{"date": "{KEY}"}}]}}'.encode()
        made_up.fred.spoil("UNRATE", repeat(lambda reply: Reply(200, body)))
        now = dt.datetime(2024, 6, 28, 23, tzinfo=dt.UTC)
        _, (problem,) = Fred(SecretStr(KEY), QUICK, lambda: now).observations(FIRST, TODAY)
    assert KEY not in repr(problem)


def test_a_long_answer_is_read_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with economy(tmp_path, KEY) as made_up:
        whole = made_up.poll()
        monkeypatch.setattr(client, "_ROWS_PER_PAGE", 50)
        paged = made_up.poll()
    assert paged.asked > whole.asked
    assert (paged.delivered, paged.new_rows) == (whole.delivered, 0)
