"""What is told when advice is published: who got none, by key, and nobody else."""

import datetime as dt
from pathlib import Path

import pytest
from operations_examples import ISSUE, NOW, SESSION, advice_run, operations_home

from models.store_issues import CLIENT_ISSUE
from models.store_runs import ADVICE_RUN
from pipelines.alerts import Alert, Kind, Where, advice_alerts
from pipelines.quality.clients import FROM_STORE
from pipelines.settings import Settings
from pipelines.store import insert, transaction


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return operations_home(tmp_path)


def told(settings: Settings, session: dt.date = SESSION) -> list[Alert]:
    return advice_alerts(settings, Where(session=session))


def leave_out(settings: Settings, client: str | None) -> None:
    """Put on record that a row of the store breaks a rule, as the gate before a build does."""
    row = ISSUE | {"issue_id": f"of {client}", "client_id": client, "file_digest": FROM_STORE}
    with transaction(settings) as store:
        insert(store, CLIENT_ISSUE, [row])


def test_an_account_that_failed_is_told_by_key(settings: Settings) -> None:
    [alert] = told(settings)
    assert (alert.kind, alert.cause.value) == (Kind.ACCOUNTS_FAILED, "1")
    assert alert.cause.problem.startswith("account account-0000003:")


def test_a_client_left_out_of_the_newest_advice_is_told_beside_it(settings: Settings) -> None:
    leave_out(settings, "client-0000009")
    leave_out(settings, None)  # a row of nobody's leaves nobody out
    accounts, clients = told(settings)
    assert (accounts.cause.error, clients.cause.error) == ("AccountsFailed", "ClientsLeftOut")
    assert clients.cause.problem.startswith("client client-0000009:")
    assert accounts.subject_of != clients.subject_of


def test_who_is_left_out_today_is_not_told_of_an_earlier_session(settings: Settings) -> None:
    leave_out(settings, "client-0000009")
    earlier = SESSION - dt.timedelta(days=1)
    with transaction(settings) as store:
        insert(store, ADVICE_RUN, [advice_run("cd" * 32, earlier, NOW)])
    assert told(settings, earlier) == []


def test_nothing_is_told_of_a_session_without_a_published_run(settings: Settings) -> None:
    leave_out(settings, "client-0000009")
    assert told(settings, SESSION + dt.timedelta(days=1)) == []
