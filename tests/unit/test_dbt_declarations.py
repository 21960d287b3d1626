"""What dbt's YAML says is what models/ declares, and every model says everything of itself."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.advice_history import ADVICE_HISTORY
from models.declaration import ColumnType, Table
from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, RAW, UNIVERSE, quarantined
from models.panel import ANCHORED, LAST_BAR, PANEL, RANKS, SYMBOL_FEATURES
from models.store_inputs import CLIENT_IDENTITY, SNAPSHOT
from models.vocabulary import MARKET_SYMBOLS

MODELS = Path(__file__).parents[2] / "dbt" / "models"
SQL_FILES = sorted(MODELS.rglob("*.sql"))
MODEL_FILES = [*SQL_FILES, *sorted(MODELS.rglob("*.py"))]
TYPES = {
    ColumnType.TEXT: "varchar",
    ColumnType.INTEGER: "bigint",
    ColumnType.FLOAT: "double",
    ColumnType.SINGLE: "float",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date",
    ColumnType.TIMESTAMP: "timestamp with time zone",
}
DECLARED = {
    **{("lake", table.name): table for table in RAW},
    **{("lake", f"quarantined_{table.name}"): quarantined(table) for table in RAW},
    **{("clients", table.name): table for table in SNAPSHOT},
    **{("advice", table.name): table for table in ADVICE_HISTORY},
}
RUN = {("run", "cut"), ("run", "session"), ("run", "series"), ("run", "change")}
STAGED = {
    "stg_prices": PRICES,
    "stg_actions": ACTIONS,
    "stg_macro": MACRO,
    "stg_instruments": INSTRUMENTS,
    "stg_universe": UNIVERSE,
    "stg_clients": SNAPSHOT[0],
    "stg_risk_profiles": SNAPSHOT[1],
    "stg_goals": SNAPSHOT[2],
    "stg_preferences": SNAPSHOT[3],
    "stg_accounts": SNAPSHOT[4],
    "stg_holdings": SNAPSHOT[5],
    "stg_cash_flows": SNAPSHOT[6],
    "stg_transactions": SNAPSHOT[7],
    "stg_tax_lots": SNAPSHOT[8],
    "stg_feedback": SNAPSHOT[9],
    "stg_lot_sales": SNAPSHOT[10],
    "stg_wash_sales": SNAPSHOT[11],
    "stg_advice_runs": ADVICE_HISTORY[0],
    "stg_model_choices": ADVICE_HISTORY[1],
    "stg_model_scores": ADVICE_HISTORY[2],
    "stg_model_evidence": ADVICE_HISTORY[3],
    "stg_model_checks": ADVICE_HISTORY[4],
    "stg_outcomes": ADVICE_HISTORY[5],
    "stg_allocations": ADVICE_HISTORY[6],
    "stg_trades": ADVICE_HISTORY[7],
    "stg_forecasts": ADVICE_HISTORY[8],
}

KEYED_BY_ANOTHER = {"data_quality_day"}
"""Views with the rows of a model that tests the key; a test would read every bar again."""


def sources() -> dict[tuple[str, str], dict[str, Any]]:
    content = yaml.safe_load((MODELS / "staging" / "sources.yml").read_text("utf-8"))
    return {
        (source["name"], table["name"]): table
        for source in content["sources"]
        for table in source["tables"]
    }


def model_of(sql: Path) -> dict[str, Any]:
    [model] = yaml.safe_load(sql.with_suffix(".yml").read_text("utf-8"))["models"]
    return model


def is_view(sql: Path) -> bool:
    """Whether a model is a view over millions of bars, whose stored rows are tested instead."""
    return "materialized='view'" in sql.read_text("utf-8")


def rules_of(model: dict[str, Any]) -> dict[str, Any]:
    """What the one data test of a model asks of every row."""
    found = [test["is_sound"] for test in model.get("data_tests", []) if "is_sound" in test]
    if not found:
        return {}
    assert [test["name"] for test in found] == [f"{model['name']}_is_sound"]
    rules: dict[str, Any] = found[0]["arguments"]
    return rules


def test_every_declared_table_of_lake_clients_and_advice_is_a_source_and_no_other() -> None:
    assert set(sources()) == {*DECLARED, *RUN}


@pytest.mark.parametrize("key", DECLARED, ids=".".join)
def test_a_sources_columns_types_units_and_meanings_are_the_declared_ones(
    key: tuple[str, str],
) -> None:
    documented = {
        column["name"]: (
            column["data_type"],
            column.get("config", {}).get("meta", {}).get("unit"),
            column["description"],
        )
        for column in sources()[key]["columns"]
    }
    assert documented == {
        column.name: (TYPES[column.type], column.unit, column.meaning) for column in DECLARED[key]
    }


@pytest.mark.parametrize("name", STAGED)
def test_staging_keeps_declared_names_types_and_vocabularies(name: str) -> None:
    table: Table = STAGED[name]
    model = model_of(MODELS / "staging" / f"{name}.sql")
    staged = {column["name"]: column for column in model["columns"]}
    left_out = set(table.column_names) - set(staged)
    assert left_out <= {"recorded_by", "known_at_basis", "ingest_session", "adjusted_return_1d"}
    for column in table:
        if column.name in left_out:
            continue
        assert staged[column.name]["data_type"] == TYPES[column.type]
        if column.allowed is not None and column.name != "source" and name != "stg_prices":
            assert sorted(rules_of(model)["values"][column.name]) == sorted(column.allowed)


def test_the_panel_is_documented_as_it_is_declared() -> None:
    for name, table in (("int_panel.sql", PANEL), ("int_last_bar.py", LAST_BAR)):
        assert [
            (
                column["name"],
                column["data_type"],
                column.get("config", {}).get("meta", {}).get("unit"),
                column["description"],
            )
            for column in model_of(MODELS / "intermediate" / name)["columns"]
        ] == [(column.name, TYPES[column.type], column.unit, column.meaning) for column in table]


def test_views_over_the_panel_say_of_its_columns_what_it_says() -> None:
    stored = {column.name: column for column in PANEL}
    for mart in ("features", "price"):
        columns = {
            column["name"]: column
            for column in model_of(MODELS / "marts" / f"{mart}.sql")["columns"]
        }
        for name in columns.keys() & stored.keys():
            assert columns[name]["description"] == stored[name].meaning, name
            assert columns[name]["data_type"] == TYPES[stored[name].type], name
    features = {column["name"] for column in model_of(MODELS / "marts" / "features.sql")["columns"]}
    assert {column.name for column in (*ANCHORED[3:], *SYMBOL_FEATURES, *RANKS)} <= features


def test_features_end_with_those_of_the_session() -> None:
    shared = model_of(MODELS / "marts" / "session_features.sql")["columns"][1:]
    columns = model_of(MODELS / "marts" / "features.sql")["columns"][-len(shared) :]
    for ours, theirs in zip(columns, shared, strict=True):
        assert {key: ours[key] for key in ("name", "data_type", "description")} == {
            key: theirs[key] for key in ("name", "data_type", "description")
        }
        assert ours.get("config") == theirs.get("config")


def test_the_market_of_returns_is_that_of_betas() -> None:
    sql = (MODELS / "marts" / "daily_return.sql").read_text("utf-8")
    assert f"set market_symbols = {list(MARKET_SYMBOLS)} " in sql


def test_no_identity_reaches_the_warehouse() -> None:
    own = {"client_id", "recorded_at", "recorded_by"}
    personal = set(CLIENT_IDENTITY.column_names) - own
    columns = {
        column["name"]
        for described in (*sources().values(), *(model_of(sql) for sql in SQL_FILES))
        for column in described["columns"]
    }
    assert not columns & personal


@pytest.mark.parametrize("file", MODEL_FILES, ids=lambda path: path.stem)
def test_a_model_has_a_contract_a_grain_and_a_description_and_unit_for_every_column(
    file: Path,
) -> None:
    model = model_of(file)
    assert model["name"] == file.stem
    if file.suffix == ".sql":
        assert model["config"]["contract"]["enforced"]
    else:  # dbt refuses contracts of Python models
        assert any("has_types" in test for test in model["data_tests"])
    assert model["description"].startswith("Grain: one row")
    for column in model["columns"]:
        assert column["description"].strip(), column["name"]
        if column["data_type"] in ("double", "float", "bigint"):
            assert column["config"]["meta"]["unit"], column["name"]


def test_every_column_of_every_source_is_documented() -> None:
    for key, table in sources().items():
        assert table["description"].strip(), key
        for column in table["columns"]:
            assert column["description"].strip(), (key, column["name"])
            assert column["data_type"], (key, column["name"])


@pytest.mark.parametrize("sql", SQL_FILES, ids=lambda path: path.stem)
def test_a_model_of_more_than_one_row_tests_its_key(sql: Path) -> None:
    model = model_of(sql)
    rules = rules_of(model)
    named = {name for rule in rules.values() for name in rule}
    assert named <= {column["name"] for column in model["columns"]}
    assert (
        "key" in rules
        or is_view(sql)
        or model["description"].startswith("Grain: one row. ")
        or (model["description"].startswith("Grain: one row: "))
        or sql.stem in KEYED_BY_ANOTHER
    )


def test_every_model_has_a_unit_test_but_those_that_only_rename_or_join() -> None:
    untested = {
        sql.stem
        for sql in SQL_FILES
        if "unit_tests" not in yaml.safe_load(sql.with_suffix(".yml").read_text("utf-8"))
    }
    renaming = {name for name, table in STAGED.items() if table in (*SNAPSHOT, *ADVICE_HISTORY)}
    facts = {"stg_cut", "stg_rejections", "stg_series", "stg_sessions"}
    assert untested == renaming | facts | {"build", "corporate_action", "int_panel"}


@pytest.mark.parametrize("sql", SQL_FILES, ids=lambda path: path.stem)
def test_a_model_is_named_steps_and_a_select_from_the_last_in_the_order_of_its_key(
    sql: Path,
) -> None:
    text = sql.read_text("utf-8")
    ending = re.search(r"\n\)\n\nselect \* from \w+(\nwhere .+)?(\norder by .+)?\n$", text)
    assert ending is not None
    is_one_row = model_of(sql)["description"].startswith(("Grain: one row. ", "Grain: one row: "))
    assert bool(ending[2]) is not (is_view(sql) or is_one_row)


@pytest.mark.parametrize("sql", SQL_FILES, ids=lambda path: path.stem)
def test_no_model_reads_a_clock_or_chance(sql: Path) -> None:
    forbidden = r"\b(now|today|current_date|current_timestamp|get_current_\w+|random|uuid)\b"
    assert re.search(forbidden, sql.read_text("utf-8"), re.IGNORECASE) is None


def test_every_reader_outside_is_an_exposure_with_an_owner_and_reads_models_that_exist() -> None:
    exposures = yaml.safe_load((MODELS / "exposures.yml").read_text("utf-8"))["exposures"]
    models = {path.stem for path in MODEL_FILES}
    assert {"forecast", "rebalance"} <= {exposure["name"] for exposure in exposures}
    for exposure in exposures:
        assert exposure["description"].strip()
        assert exposure["owner"].keys() == {"name", "email"}
        read = [re.fullmatch(r"ref\('(\w+)'\)", ref) for ref in exposure["depends_on"]]
        assert read
        assert {match and match[1] for match in read} <= models


def test_every_source_that_arrives_by_itself_has_a_freshness_and_no_other() -> None:
    timed = {
        key
        for key, table in sources().items()
        if (config := table.get("config", {})).get("freshness") and config["loaded_at_field"]
    }
    assert timed == {("lake", "prices"), ("lake", "actions"), ("lake", "macro")}
