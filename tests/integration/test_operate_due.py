"""What runs next by itself is what was neither run by Airflow nor published by hand."""

import datetime as dt

import pytest
from new_stores import make_store

from models.store_runs import ADVICE_RUN
from models.vocabulary import RunStatus, Source
from pipelines.errors import StoreError
from pipelines.ingest import provider_for
from pipelines.operate.due import CATCH_UP_SESSIONS, next_session, runs_by_itself
from pipelines.sessions import session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, transaction

SUNDAY = dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC)
WEEK = [dt.date(2026, 11, day) for day in (16, 17, 18, 19, 20)]
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = WEEK
NEXT_MONDAY = dt.date(2026, 11, 23)


def _publish(settings: Settings, session: dt.date, **changes: object) -> None:
    texts = dict.fromkeys(ADVICE_RUN.column_names, str(session))
    row = texts | {
        "source": settings.source,
        "session_date": session,
        "status": RunStatus.PUBLISHED,
        "model_version": 1,
        "started_at": SUNDAY,
        "published_at": SUNDAY,
        "supersedes": None,
    }
    with transaction(settings) as connection:
        insert(connection, ADVICE_RUN, [row | changes])


def test_a_session_published_by_hand_is_not_run_again(store: Settings) -> None:
    _publish(store, WEDNESDAY)
    assert next_session(store, None, SUNDAY, catchup=True) == THURSDAY
    assert next_session(store, MONDAY, SUNDAY, catchup=True) == THURSDAY


def test_what_was_run_since_counts_although_nothing_came_of_it(store: Settings) -> None:
    _publish(store, TUESDAY)
    assert next_session(store, THURSDAY, SUNDAY, catchup=True) == FRIDAY
    assert next_session(store, FRIDAY, SUNDAY, catchup=True) == NEXT_MONDAY


def test_after_the_newest_session_by_hand_the_next_one_is_waited_for(store: Settings) -> None:
    _publish(store, FRIDAY)
    assert next_session(store, None, SUNDAY, catchup=True) == NEXT_MONDAY


@pytest.mark.parametrize("changes", [{"status": RunStatus.BUILDING}, {"source": Source.SIMULATED}])
def test_only_published_runs_of_this_source_count(store: Settings, changes: dict) -> None:
    _publish(store, WEDNESDAY, **changes)
    assert next_session(store, None, SUNDAY, catchup=True) == FRIDAY


def test_catching_up_begins_a_month_back_at_most(store: Settings) -> None:
    _publish(store, dt.date(2010, 6, 1))
    first = next_session(store, None, SUNDAY, catchup=True)
    assert session_after(first, CATCH_UP_SESSIONS - 1) == FRIDAY


def test_a_home_without_a_store_begins_with_the_newest_session(tmp_path) -> None:
    settings = load_settings({}, home=tmp_path)
    assert next_session(settings, None, SUNDAY, catchup=True) == FRIDAY


def test_a_store_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path) -> None:
    settings = load_settings({}, home=tmp_path)
    make_store(settings)
    (tmp_path / "store" / "smartinvest.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError):
        next_session(settings, MONDAY, SUNDAY, catchup=True)


@pytest.mark.parametrize("source", Source)
def test_exactly_the_polled_sources_run_by_themselves(source: Source, tmp_path) -> None:
    settings = load_settings({}, home=tmp_path, source=source, files_folder=tmp_path)
    assert runs_by_itself(source) == (provider_for(settings).arrival == "polled")
