"""Personal data lies in one table and in nothing that we write or say."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from stored import read_current

from models.store_inputs import CLIENT_IDENTITY
from pipelines.clients import generate, import_csv
from pipelines.clients.importing import ImportReport
from pipelines.settings import Settings
from pipelines.store import connect, tables

WriteFile = Callable[..., Path]

GOOD = {
    "external_ref": "REF-GOOD",
    "full_name": "Wilhelmina Quackenbush",
    "email": "wilhelmina@quackenbush.example",
    "birth_date": "1961-02-03",
}
BAD = {
    "external_ref": "REF-BAD",
    "full_name": "Bartholomew Zwickel",
    "email": "bartholomew-at-zwickel",
    "birth_date": "3061-02-03",
}
SHIFTED = {
    "external_ref": "REF-SHIFTED",
    "full_name": "1970-01-01",
    "goal_kind": "Theodora Yelverton",
    "holdings": "YELVERTON:1",
    "exclusions": "class:theodora@yelverton.example",
}
PERSONAL_WORDS = ("quackenbush", "zwickel", "ref-good", "ref-bad", "ref-shifted", "3061-02-03")


def texts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every value outside ``client_identity`` as text, with its table."""
    with connect(settings) as connection:
        for name, table in tables.items():
            if name != CLIENT_IDENTITY.name:
                for row in connection.execute(sa.select(table)):
                    yield from ((name, str(value).lower()) for value in row)


@pytest.fixture
def imported(store: Settings, client_file: WriteFile) -> tuple[Settings, ImportReport]:
    return store, import_csv(store, client_file(GOOD, BAD, SHIFTED))


def test_no_table_but_the_identity_knows_an_imported_person(
    imported: tuple[Settings, ImportReport],
) -> None:
    found = list(texts(imported[0]))
    assert any(name == "client_issue" for name, _ in found)
    assert any(name == "risk_profile" for name, _ in found)
    words = (*PERSONAL_WORDS, "1961-02-03", "wilhelmina", "theodora", "yelverton")
    assert [(name, text) for name, text in found if any(word in text for word in words)] == []


def test_no_table_but_the_identity_knows_a_generated_person(store: Settings) -> None:
    generate(store, 60, seed=5)
    people = read_current(store, CLIENT_IDENTITY).to_pylist()
    personal = {
        str(person[name]).lower()
        for person in people
        for name in ("external_ref", "full_name", "email")
    }
    assert len(personal) > 150
    told = [(name, text) for name, text in texts(store) for word in personal if word in text]
    assert told == []


def test_the_report_shows_no_value_of_a_personal_column(
    imported: tuple[Settings, ImportReport],
) -> None:
    report = imported[1]
    shown = (str(report) + repr(report)).lower()
    assert [word for word in PERSONAL_WORDS if word in shown] == []
    assert "(personal, not shown)" in shown


def test_no_log_line_names_a_person(
    store: Settings, client_file: WriteFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    generate(store, 5, seed=5)
    import_csv(store, client_file(GOOD, BAD, SHIFTED))
    generated = read_current(store, CLIENT_IDENTITY).to_pylist()
    names = [person["full_name"].lower() for person in generated]
    assert "clients import: 3 rows" in caplog.text
    assert [w for w in (*PERSONAL_WORDS, "theodora", *names) if w in caplog.text.lower()] == []


def test_nothing_is_copied_into_the_home_but_the_store(
    imported: tuple[Settings, ImportReport],
) -> None:
    home = imported[0].home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in files if not path.name.startswith("smartinvest.db")] == []
