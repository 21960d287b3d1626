"""Before Airflow's processes start, its database holds the pools and no plan of an earlier one."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.operate.airflow_config import database_file, environment
from pipelines.operate.airflow_local import _prepare_database, ensure_database
from pipelines.operate.pools import POOLS
from pipelines.settings import load_settings


def _plan(database: sqlite3.Connection, dag_id: str, moment: str) -> None:
    """Store a DAG with the moment of its next run, and with nothing in every other column."""
    columns = database.execute("PRAGMA table_info(dag)").fetchall()
    values = {name: 0 for _, name, _, required, default, _ in columns if required and not default}
    values |= {"dag_id": dag_id, "bundle_name": "dags-folder", "next_dagrun_create_after": moment}
    places = ", ".join(f":{name}" for name in values)
    database.execute(f"INSERT INTO dag ({', '.join(values)}) VALUES ({places})", values)


@pytest.mark.long
def test_pools_are_created_once_and_old_plans_are_forgotten(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    ensure_database(settings, environment(settings, 0, schedules=True))
    _prepare_database(settings)
    with closing(sqlite3.connect(database_file(settings))) as database:
        created = set(database.execute("SELECT pool, slots FROM slot_pool"))
        assert created >= {(pool.name, pool.slots) for pool in POOLS}
        with database:
            database.execute("UPDATE slot_pool SET slots = 9 WHERE pool = 'ingest_files'")
            database.execute(
                "INSERT INTO dag_bundle (name) VALUES ('dags-folder') ON CONFLICT DO NOTHING"
            )
            _plan(database, "ingest", "2026-11-20 01:00:00")
    _prepare_database(settings)
    with closing(sqlite3.connect(database_file(settings))) as database:
        kept = database.execute("SELECT slots FROM slot_pool WHERE pool = 'ingest_files'")
        assert kept.fetchall() == [(9,)]
        plans = database.execute("SELECT dag_id, next_dagrun_create_after FROM dag").fetchall()
    assert plans == [("ingest", None)]
