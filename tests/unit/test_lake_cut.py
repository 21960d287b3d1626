"""The cut: a session's own ingest refreshes what its run knows, a later one changes nothing."""

import datetime as dt
from pathlib import Path

import pytest
from lake_examples import DAYS, HOUR, LATER, append, as_of, bars, lake_of

from models.vocabulary import Arrival
from pipelines.lake import known_at_cut
from pipelines.sessions import available_at
from pipelines.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return lake_of(tmp_path)


def test_history_that_came_in_bulk_is_known_since_its_own_evenings(home: Settings) -> None:
    append(home, DAYS[3], bars(("A", day, 1.0) for day in DAYS[:4]))
    for day in DAYS[:4]:
        assert known_at_cut(home, day) == available_at(day)


def test_a_restatement_polled_for_a_session_is_visible_to_its_run(home: Settings) -> None:
    append(home, DAYS[1], bars([("A", day, 1.0) for day in DAYS[:2]]))
    append(home, DAYS[1], bars([("A", DAYS[0], 2.0)]))
    assert known_at_cut(home, DAYS[1]) == LATER
    assert as_of(home, DAYS[1], None)["A", DAYS[0]] == 2.0
    assert known_at_cut(home, DAYS[0]) == available_at(DAYS[0])


def test_a_later_sessions_ingest_changes_nothing_of_an_earlier_run(home: Settings) -> None:
    for session in DAYS[:2]:
        moment = available_at(session) + HOUR
        append(home, session, bars([("A", session, 1.0)]), moment, Arrival.POLLED)
    before = {session: as_of(home, session, None) for session in DAYS[:2]}
    later = bars([("A", DAYS[0], 5.0), ("A", DAYS[1], 6.0), ("B", DAYS[1], 1.0)])
    append(home, DAYS[2], later, LATER, Arrival.POLLED)
    append(home, DAYS[2], bars([("A", DAYS[2], 7.0)]), LATER, Arrival.POLLED)
    after = {session: as_of(home, session, None) for session in DAYS[:2]}
    # A symbol's first load is history: it was there, nobody had asked.
    assert {key: close for key, close in after[DAYS[1]].items() if key[0] == "A"} == before[DAYS[1]]
    assert after[DAYS[0]] == before[DAYS[0]]
    assert as_of(home, DAYS[2], None)["A", DAYS[0]] == 5.0


def test_a_session_that_was_overtaken_is_cut_where_its_bars_came(home: Settings) -> None:
    """Ingest of the second session comes after that of the third, which brought both bars."""
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]), LATER, Arrival.POLLED)
    both = bars([("A", DAYS[1], 2.0), ("A", DAYS[2], 3.0)])
    append(home, DAYS[2], both, LATER + HOUR, Arrival.POLLED)
    assert append(home, DAYS[1], bars([("A", DAYS[1], 2.0)]), LATER + 2 * HOUR).files == ()
    assert known_at_cut(home, DAYS[1]) == LATER + HOUR
    assert as_of(home, DAYS[1], None)["A", DAYS[1]] == 2.0
    append(home, DAYS[3], bars([("A", DAYS[1], 9.0)]), LATER + 3 * HOUR, Arrival.POLLED)
    assert as_of(home, DAYS[1], None)["A", DAYS[1]] == 2.0


def test_a_session_without_any_bar_is_cut_when_it_could_have_been_known(home: Settings) -> None:
    append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
    assert known_at_cut(home, DAYS[2]) == available_at(DAYS[2])
    assert known_at_cut(home, DAYS[2]).tzinfo == dt.UTC
