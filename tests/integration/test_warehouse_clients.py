"""Which version of its clients' inputs a session advises on."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from new_stores import make_store
from warehouse_inputs import RECORDED_AT, SESSION, SESSIONS, add_clients, answers, make_home

from models.store_inputs import ACCOUNT, HOLDING, RISK_PROFILE, SNAPSHOT
from models.store_issues import CLIENT_ISSUE
from pipelines.lake import declared, read_file
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, insert, read, tables, transaction
from pipelines.warehouse.snapshot import snapshot_clients

KNOWN_LATER = SESSIONS[SESSIONS.index(SESSION) - 10]
"""A session after the clients were recorded."""

LAST_MOMENT = available_at(session_after(KNOWN_LATER))
"""From when the bars of the session after it count as known."""

BEFORE_ANYBODY = max(
    session for session in SESSIONS if available_at(session_after(session)) < RECORDED_AT
)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Clients who were all recorded on one day of the lake's history, on each database."""
    settings = make_home(tmp_path / "home")
    if request.param == "sqlite":
        return settings
    url = request.getfixturevalue("postgresql_url")
    settings = load_settings({}, home=settings.home, store_url=url)
    make_store(settings)
    add_clients(settings)
    return settings


def answer_anew(settings: Settings, recorded_at: datetime, **changes: int) -> None:
    row = answers("ada") | {"version": 2, "recorded_at": recorded_at, "recorded_by": "test"}
    with transaction(settings) as connection:
        insert(connection, RISK_PROFILE, [row | changes])


def versions(settings: Settings, session) -> dict[str, int]:
    """The version of each client's questionnaire that a session sees."""
    files = dict(zip([t.name for t in SNAPSHOT], snapshot_clients(settings, session), strict=True))
    rows = read_file(settings, RISK_PROFILE, files[RISK_PROFILE.name].path)
    found = declared(rows, RISK_PROFILE).to_pylist()
    return {row["client_id"]: row["version"] for row in found}


def test_the_newest_session_of_the_lake_advises_on_what_is_recorded_by_now(home: Settings) -> None:
    answer_anew(home, available_at(SESSION) + timedelta(days=900))
    assert versions(home, SESSION) == {"ada": 2, "cy": 1}


def test_an_earlier_session_knows_what_was_recorded_until_the_next_ones_bars(
    home: Settings,
) -> None:
    answer_anew(home, LAST_MOMENT - timedelta(microseconds=1))
    assert versions(home, KNOWN_LATER) == {"ada": 2, "cy": 1}


def test_an_earlier_session_does_not_see_what_was_recorded_after_it(
    home: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    before = snapshot_clients(home, KNOWN_LATER)
    answer_anew(home, LAST_MOMENT)
    with transaction(home) as connection:
        recorded = {"version": 2, "recorded_at": LAST_MOMENT, "recorded_by": "test"}
        sold = {"account_id": "ada-taxable", "symbol": "$CASH", "quantity_micros": 1}
        insert(connection, HOLDING, [sold | recorded])
    assert snapshot_clients(home, KNOWN_LATER) == before
    assert versions(home, SESSION) == {"ada": 2, "cy": 1}
    assert caplog.messages == []


def test_a_session_before_anybody_had_an_account_advises_the_clients_of_today(
    home: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    answer_anew(home, LAST_MOMENT)
    assert versions(home, BEFORE_ANYBODY) == {"ada": 2, "cy": 1}
    assert snapshot_clients(home, BEFORE_ANYBODY) == snapshot_clients(home, SESSION)
    assert f"when the session after {BEFORE_ANYBODY} was known" in caplog.text
    assert "the clients of today, not those of the time" in caplog.text


def test_who_became_a_client_later_is_not_advised_for_an_earlier_session(home: Settings) -> None:
    account = tables[ACCOUNT.name]
    with transaction(home) as connection:
        connection.execute(
            account.update()
            .where(account.c.client_id == "cy")
            .values(recorded_at=available_at(SESSION))
        )
    files = dict(zip([t.name for t in SNAPSHOT], snapshot_clients(home, KNOWN_LATER), strict=True))
    accounts = read_file(home, ACCOUNT, files[ACCOUNT.name].path)
    assert set(declared(accounts, ACCOUNT)["client_id"].to_pylist()) == {"ada", "bob"}


def test_a_mistake_of_once_is_left_out_of_its_session_and_no_issue_of_today(
    home: Settings,
) -> None:
    with transaction(home) as connection:
        connection.execute(
            sa.delete(tables[ACCOUNT.name]).where(tables[ACCOUNT.name].c.client_id == "bob")
        )
        recorded = {"version": 1, "recorded_at": RECORDED_AT, "recorded_by": "test"}
        orphan = {"account_id": "nobodys", "symbol": "$CASH", "quantity_micros": 1}
        insert(connection, HOLDING, [orphan | recorded])
    snapshot_clients(home, KNOWN_LATER)
    with connect(home) as connection:
        assert read(connection, CLIENT_ISSUE).num_rows == 0
    snapshot_clients(home, SESSION)
    with connect(home) as connection:
        assert read(connection, CLIENT_ISSUE).num_rows > 0
