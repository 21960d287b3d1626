"""What a warehouse build holds, and when nothing or nothing new is built."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from warehouse_inputs import (
    OLD_LAST_SESSION,
    RECORDED_AT,
    SESSION,
    SESSIONS,
    SYMBOLS,
    make_home,
    price_rows,
)

from ml.panel.feature_columns import columns_of
from ml.panel.features import SESSION_FEATURES
from models.panel import PANEL
from models.store_runs import ADVICE_RUN
from pipelines.errors import LakeError, StoreError, WarehouseError
from pipelines.lake import arrow_schema
from pipelines.lineage import file_digest
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, transaction
from pipelines.warehouse import build_for, connect, transform
from pipelines.warehouse.record import features_digest


def files(folder: Path) -> dict[Path, int]:
    """When each file and pointer under a folder was written."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*") if not path.is_dir()}


def run_of(source: str) -> dict[str, Any]:
    """A row of ``advice_run``."""
    texts = dict.fromkeys(ADVICE_RUN.column_names, "x")
    return texts | {
        "source": source,
        "session_date": SESSION,
        "status": "building",
        "model_version": 1,
        "started_at": RECORDED_AT,
        "published_at": None,
        "supersedes": None,
    }


def test_a_build_says_what_it_was_made_from(small_warehouse: Settings) -> None:
    build = build_for(small_warehouse, SESSION)

    manifest = small_warehouse.lake / "manifests" / f"{build.data_snapshot}.json"
    assert json.loads(manifest.read_text())["session_date"] == SESSION.isoformat()
    for part in build.panel:
        file = build.panel_path / part.name
        assert (part.digest, part.size_bytes) == (file_digest(file), file.stat().st_size)
    assert build.feature_hash == features_digest([*build.panel, build.session_features])
    assert sum(part.rows for part in build.panel) == len(price_rows())
    assert build.base is None
    assert build.rows["features"] == len(price_rows())
    assert build.rows["account"] == 4
    with connect(small_warehouse.warehouse / "current") as warehouse:
        [(source, session, snapshot)] = warehouse.sql(
            "select source, session_date, data_snapshot from build"
        ).fetchall()
    assert (source, session, snapshot) == ("sample", SESSION, build.data_snapshot)


def test_what_sessions_share_lies_beside_the_panel(small_warehouse: Settings) -> None:
    build = build_for(small_warehouse, SESSION)
    with connect(build.path) as warehouse:
        mart = warehouse.sql("select * from session_features order by session_date")
        expected = mart.to_arrow_table()
    file = build.session_features_path
    assert pq.read_table(file).cast(expected.schema) == expected
    assert (build.session_features.digest, build.session_features.rows) == (
        file_digest(file),
        build.rows["session_features"],
    )
    names = columns_of(SESSION_FEATURES)
    assert set(names) <= set(expected.column_names)


def test_each_part_of_the_panel_is_ordered_and_of_the_declared_types(
    small_warehouse: Settings,
) -> None:
    build = build_for(small_warehouse, SESSION)
    for part in build.panel:
        rows = pq.read_table(build.panel_path / part.name)
        keys = list(zip(*(rows[name].to_pylist() for name in PANEL.key), strict=True))
        assert keys == sorted(keys)
        assert rows.schema.equals(arrow_schema(PANEL).remove_metadata())


def test_a_stranger_reads_the_warehouse_from_any_folder(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    file = small_warehouse.warehouse / "current" / "warehouse.duckdb"
    code = (
        "import duckdb, sys\n"
        "warehouse = duckdb.connect(sys.argv[1], read_only=True)\n"
        "warehouse.execute('set threads = 1')\n"
        "print(warehouse.sql('select count(*), count(sma_21) from marts.features').fetchall())\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(file)], cwd=tmp_path, capture_output=True, check=True
    )
    rows, averages = len(price_rows()), len(price_rows()) - 20 * len(SYMBOLS)
    assert found.stdout.decode().strip() == f"[({rows}, {averages})]"


def test_a_build_says_how_many_rows_each_mart_has(small_warehouse: Settings) -> None:
    build = build_for(small_warehouse, SESSION)
    with connect(build.path) as warehouse:
        counted = {
            name: warehouse.sql(f"select count(*) from {name}").fetchall()[0][0]
            for name in build.rows
        }
    assert counted == build.rows
    assert {"features", "price", "daily_return", "instrument"} <= set(counted)


def test_every_mart_and_each_of_its_columns_is_described_in_the_file_itself(
    small_warehouse: Settings,
) -> None:
    with connect(small_warehouse.warehouse / "current") as warehouse:
        relations = warehouse.sql(
            "select table_name, comment from duckdb_tables() where schema_name = 'marts' "
            "union all select view_name, comment from duckdb_views() "
            "where schema_name in ('marts', 'intermediate')"
        ).fetchall()
        columns = warehouse.sql(
            "select table_name, column_name from duckdb_columns() "
            "where schema_name = 'marts' and comment is null"
        ).fetchall()
    assert {"features", "instrument", "int_panel"} <= {name for name, _ in relations}
    assert [name for name, comment in relations if not comment] == []
    assert columns == []


def test_nothing_of_a_build_reads_its_inputs_or_names_them(small_warehouse: Settings) -> None:
    build = build_for(small_warehouse, SESSION)
    assert not list(build.path.rglob("inputs"))
    with connect(build.path) as warehouse:
        views = warehouse.sql(
            "select schema_name || '.' || view_name, sql from duckdb_views() where not internal"
        ).fetchall()
        for name, sql in views:
            assert "inputs/" not in sql
            warehouse.execute(f"select * from {name} limit 1")
    assert {name for name, sql in views if str(build.path) in sql} == {"intermediate.int_panel"}


def test_the_first_build_of_a_code_runs_unit_tests_too_and_keeps_every_result(
    small_warehouse: Settings,
) -> None:
    build = build_for(small_warehouse, SESSION)
    results = json.loads((build.path / "run_results.json").read_text("utf-8"))["results"]
    kinds = {result["unique_id"].split(".")[0] for result in results}
    assert kinds == {"model", "test", "unit_test"}
    assert {result["status"] for result in results} == {"success", "pass"}


def test_clients_lacking_something_get_a_cash_like_score_and_a_reason(
    small_warehouse: Settings,
) -> None:
    with connect(small_warehouse.warehouse / "current") as warehouse:
        profiles = warehouse.sql(
            "select goal_id, risk_score, limiting_part, issue from client_profile order by goal_id"
        ).fetchall()
    assert profiles == [
        ("ada-far", 46, "finance", None),
        ("ada-near", 6, "horizon", "no_account"),
        ("bob-goal", 1, None, "no_risk_profile"),
        ("cy-past", 1, "horizon", "target_date_passed"),
    ]


def test_accounts_without_holdings_or_fresh_prices_are_there_and_say_so(
    small_warehouse: Settings,
) -> None:
    with connect(small_warehouse.warehouse / "current") as warehouse:
        accounts = warehouse.sql(
            "select account_id, cash_micros, unpriced_count, issue from account order by account_id"
        ).fetchall()
        old = warehouse.sql(
            "select price_session_date, price_is_fresh from instrument where symbol = 'OLD'"
        ).fetchall()
        weights = warehouse.sql(
            "select sum(weight) from account_holding where account_id = 'ada-taxable'"
        ).fetchall()
    assert accounts == [
        ("ada-bare", 0, 0, "empty"),
        ("ada-taxable", 12_340_000, 0, None),
        ("bob-account", 0, 1, "unpriced_holding"),
        ("cy-account", 1_000_000, 0, None),
    ]
    assert old == [(OLD_LAST_SESSION, False)]
    assert weights[0][0] == pytest.approx(1, abs=1e-12)


def test_a_second_transform_with_nothing_changed_writes_nothing(
    small_warehouse: Settings,
) -> None:
    before = files(small_warehouse.home)
    build = transform(small_warehouse, SESSION)
    assert build == build_for(small_warehouse, SESSION)
    assert files(small_warehouse.home) == before


def test_a_session_without_prices_is_refused(small_warehouse: Settings) -> None:
    with pytest.raises(LakeError, match="ingest"):
        transform(small_warehouse, SESSIONS[0] - dt.timedelta(days=365))


def test_a_partition_that_is_gone_is_named_and_the_last_build_stays(tmp_path: Path) -> None:
    settings = make_home(tmp_path / "home")
    year = next(settings.lake.rglob("raw/prices/*/year=2022"))
    [file] = year.iterdir()
    file.unlink()
    with pytest.raises(LakeError, match=rf"{file.name}.*it was there.*Restore it from a backup"):
        transform(settings, SESSION)


def test_a_session_that_was_never_built_names_the_command(small_warehouse: Settings) -> None:
    with pytest.raises(WarehouseError, match="smartinvest transform --session 2022-12-01"):
        build_for(small_warehouse, dt.date(2022, 12, 1))


def test_a_home_of_another_source_is_refused_before_anything_is_written(
    small_warehouse: Settings,
) -> None:
    other = load_settings({}, home=small_warehouse.home, source="simulated")
    before = files(small_warehouse.home)
    refused = r"source = 'simulated': .*built from sample.*own SMARTINVEST_HOME"
    with pytest.raises(WarehouseError, match=refused):
        build_for(other, SESSION)
    with pytest.raises(WarehouseError, match=refused):
        transform(other, SESSION)
    assert files(small_warehouse.home) == before


def test_a_store_of_another_source_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = make_home(tmp_path / "home")
    with transaction(settings) as connection:
        insert(connection, ADVICE_RUN, [run_of("yahoo")])
    before = files(settings.home)
    with pytest.raises(StoreError, match=r"source = 'sample': .*from yahoo.*SMARTINVEST_STORE_URL"):
        transform(settings, SESSION)
    assert files(settings.home) == before


def test_a_damaged_warehouse_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"no database")
    with pytest.raises(WarehouseError, match="cannot be opened"):
        connect(tmp_path)
    with pytest.raises(WarehouseError, match="there is none"):
        connect(tmp_path / "elsewhere")
