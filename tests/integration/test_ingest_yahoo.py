"""The yahoo source on loopback: no scenario loses an accepted row or stores a wrong one."""

import datetime as dt
import socket
import time
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest
import requests
from loopback import spoilers
from loopback.scenarios import SCENARIOS, Scenario
from loopback.world import FIRST, QUICK, SESSION, SYMBOLS, world
from yfinance.data import YfData

from pipelines.errors import SourceError
from pipelines.ingest.fred import Fred
from pipelines.ingest.universe import read_universe
from pipelines.ingest.yahoo import YahooProvider

WAITING = {"slow"}
"""Scenarios that are over when a time limit is."""


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            scenario, id=scenario.name, marks=[pytest.mark.long] * (scenario.name in WAITING)
        )
        for scenario in SCENARIOS
    ],
)
def test_what_yahoo_does_neither_loses_a_row_nor_stores_a_wrong_one(
    scenario: Scenario, tmp_path: Path
) -> None:
    with world(tmp_path) as made_up:
        scenario.act(made_up)
    assert made_up.polls


def test_without_curl_the_plain_requests_session_is_understood_as_well(tmp_path: Path) -> None:
    with world(tmp_path) as made_up:
        YfData(session=requests.Session())
        ways = (spoilers.too_many_requests, spoilers.server_error, spoilers.cut_off)
        for symbol, way in zip(made_up.yahoo.listings, ways, strict=True):
            made_up.yahoo.spoil(symbol, iter([way] * 2))
        poll = made_up.poll()
    agents = {request.headers["user-agent"] for request, _ in made_up.internet.exchanged}
    assert all(agent.startswith("python-requests") for agent in agents)
    assert poll.problems == ()
    assert {symbol: len(made_up.stored(symbol)) for symbol in SYMBOLS} == dict.fromkeys(SYMBOLS, 42)


def test_what_came_instead_of_a_chart_is_kept_as_it_was_received(tmp_path: Path) -> None:
    with world(tmp_path) as made_up:
        made_up.yahoo.spoil("IRON", repeat(spoilers.server_error))
        delivery = made_up.provider.deliver(["BOLT", "IRON"], FIRST, SESSION)
    (problem,) = delivery.problems
    assert (problem.thing, problem.reason) == ("IRON", "Yahoo answered 500")
    assert "Internal Server Error" in problem.rows[0]


def test_batches_are_asked_for_with_a_pause_between(tmp_path: Path) -> None:
    policy = replace(QUICK, pause_s=0.6)
    with world(tmp_path, "BOLT", policy=policy) as made_up:
        made_up.provider.deliver(["BOLT"], FIRST, SESSION)
        before = time.monotonic()
        made_up.provider.deliver(["BOLT"], FIRST, SESSION)
    assert time.monotonic() - before > policy.pause_s / 2


def test_a_probe_that_reaches_nobody_opens_the_breaker_again(tmp_path: Path) -> None:
    with world(tmp_path) as made_up:
        for symbol in SYMBOLS:
            made_up.yahoo.spoil(symbol, repeat(spoilers.too_many_requests))
        made_up.poll()
        cooled = made_up.yahoo.now + dt.timedelta(seconds=made_up.policy.cool_down_s)
        for symbol in SYMBOLS:
            made_up.yahoo.spoil(symbol, repeat(spoilers.server_error))
        probed = made_up.poll(at=cooled)
    assert probed.asked == 2  # one probe, repeated by yfinance
    assert "left alone" in probed.refused


def test_what_yfinance_stores_lies_in_a_folder_of_the_process(tmp_path: Path) -> None:
    with world(tmp_path) as made_up:
        provider = YahooProvider(made_up.universe(), Fred(), QUICK, cache=tmp_path / "cache")
        provider.deliver(SYMBOLS, FIRST, SESSION)
        (folder,) = (tmp_path / "cache").iterdir()
        assert {path.name for path in folder.iterdir()} >= {"cookies.db"}


def test_a_source_that_cannot_be_reached_at_all_ends_with_an_error(tmp_path: Path) -> None:
    with world(tmp_path) as made_up, pytest.MonkeyPatch.context() as patch:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for name in ("HTTPS_PROXY", "https_proxy"):
            patch.setenv(name, nobody)
        with pytest.raises(SourceError, match="did not answer"):
            made_up.provider.deliver(SYMBOLS, FIRST, SESSION)


def test_symbols_are_asked_for_in_batches_once_they_exist(tmp_path: Path) -> None:
    provider = YahooProvider(read_universe(), Fred())
    assert provider.first_session() == dt.date(1990, 1, 2)
    (first,) = provider.batches(dt.date(1993, 1, 29))
    assert first == ("SPY", "^GSPC", "^VIX")
    today = provider.batches(dt.date(2024, 3, 1))
    assert [len(batch) for batch in today] == [20, 5]
    assert len({symbol for batch in today for symbol in batch}) == 25


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        ("2024-03-04T14:00Z", dt.date(2024, 3, 1)),  # a Monday before the opening
        ("2024-03-05T00:59Z", dt.date(2024, 3, 1)),  # 19:59 in New York
        ("2024-03-05T01:00Z", dt.date(2024, 3, 4)),
        ("2024-03-10T12:00Z", dt.date(2024, 3, 8)),  # a Sunday
        ("2023-11-24T21:59Z", dt.date(2023, 11, 22)),  # a half day, after a holiday
        ("2023-11-24T22:00Z", dt.date(2023, 11, 24)),
    ],
)
def test_a_session_is_complete_four_hours_after_its_close(moment: str, newest: dt.date) -> None:
    clock = dt.datetime.fromisoformat(moment)
    assert YahooProvider(read_universe(), Fred(), clock=lambda: clock).newest_session() == newest
