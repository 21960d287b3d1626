"""FRED on loopback: every series that can be read is stored with the moment it was known."""

import datetime as dt
import logging
from pathlib import Path

import pytest
from loopback.economy import economy
from loopback.fred import KEY, MOST_VINTAGES
from loopback.scenarios import FRED_SCENARIOS, FredScenario
from loopback.world import QUICK
from pydantic import SecretStr

from pipelines.ingest import fred
from pipelines.ingest.fred import Fred


@pytest.mark.parametrize("scenario", FRED_SCENARIOS, ids=lambda scenario: scenario.name)
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


def test_a_long_answer_is_read_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with economy(tmp_path, KEY) as made_up:
        whole = made_up.poll()
        monkeypatch.setattr(fred, "_ROWS_PER_PAGE", 50)
        paged = made_up.poll()
    assert paged.asked > whole.asked
    assert (paged.delivered, paged.new_rows) == (whole.delivered, 0)
