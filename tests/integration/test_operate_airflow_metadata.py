"""Airflow cleans its own database: what is old goes, of each DAG the last run stays."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import database_file, environment
from pipelines.operate.airflow_local import ensure_database
from pipelines.operate.airflow_metadata import clean_metadata, metadata_url
from pipelines.settings import Settings, load_settings

pytestmark = pytest.mark.long

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    environ = environment(settings, 0, schedules=False)
    ensure_database(settings, environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    # As in a task: Airflow hides its database there.
    hidden = "airflow-db-not-allowed:///"
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", hidden)
    monkeypatch.setenv("AIRFLOW__CORE__SQL_ALCHEMY_CONN", hidden)
    with closing(sqlite3.connect(database_file(settings))) as database, database:
        database.executemany(
            "INSERT INTO log (dttm, event) VALUES (?, 'x')",
            [(str(NOW - dt.timedelta(days=days)),) for days in (100, 95, 10)],
        )
    return settings


def logged(settings: Settings) -> int:
    with closing(sqlite3.connect(database_file(settings))) as database:
        found: int = database.execute("SELECT count(*) FROM log WHERE event = 'x'").fetchone()[0]
        return found


def test_old_rows_are_counted_in_a_dry_run_and_then_removed(settings: Settings) -> None:
    url = metadata_url(settings)
    assert url is not None
    before = NOW - dt.timedelta(days=90)
    assert clean_metadata(url, before, dry_run=True)["log"] == 2
    assert logged(settings) == 3
    assert clean_metadata(url, before, dry_run=False)["log"] == 2
    assert logged(settings) == 1


def test_a_database_that_cannot_be_used_is_told_without_its_password() -> None:
    url = "postgresql+psycopg://airflow:s3cret@127.0.0.1:1/airflow"
    with pytest.raises(ProcessError) as failed:
        clean_metadata(url, NOW, dry_run=True)
    assert "s3cret" not in str(failed.value)
