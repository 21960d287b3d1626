"""The migrations, the declarations and both databases agree."""

import datetime as dt
import importlib
import re
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from models.declaration import ColumnType
from models.store_inputs import INSTRUMENT
from pipelines.errors import StoreError
from pipelines.settings import Settings
from pipelines.store import connect, insert, migrate, transaction
from pipelines.store.engine import migration
from pipelines.store.migrate import MIGRATIONS
from pipelines.store.schema import DECLARED, SCHEMA_VERSION, metadata, tables

_COUNTERFACTUALS = "counterfactual_allocation"
TABLE_OF_VIEW = {
    "current_forecast": "forecast",
    "current_goal_projection": "goal_projection",
    "current_outcome": "client_outcome",
    "current_target_allocation": "target_allocation",
    "current_trade": "trade",
    "current_trade_lot": "trade_lot",
    "current_trade_reason": "trade_reason",
}


def test_migrations_make_exactly_what_is_declared(store: Settings) -> None:
    with connect(store) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_alembic_notices_a_column_that_no_migration_made(store: Settings) -> None:
    changed = sa.MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed)
    changed.tables["trade"].append_column(sa.Column("venue", sa.Text, nullable=True))
    with connect(store) as connection:
        context = MigrationContext.configure(connection)
        (difference,) = compare_metadata(context, changed)
    assert difference[0] == "add_column"


def test_migrations_make_every_check_key_and_null_rule_that_is_declared(store: Settings) -> None:
    with migration(store) as connection:
        migrated = {name: _constraints(connection, name) for name in tables}
        for view in (*TABLE_OF_VIEW, "current_counterfactual_allocation", _COUNTERFACTUALS):
            connection.execute(sa.text(f"DROP VIEW {view}"))
        metadata.drop_all(connection)
        metadata.create_all(connection)
        declared = {name: _constraints(connection, name) for name in tables}
    assert migrated == declared
    assert sum(len(constraints["checks"]) for constraints in declared.values()) > 100


def _constraints(connection: sa.Connection, table: str) -> dict[str, object]:
    inspector = sa.inspect(connection)
    return {
        "checks": {
            check["name"]: re.sub(r'[\s"()]', "", check["sqltext"])
            for check in inspector.get_check_constraints(table)
        },
        "key": inspector.get_pk_constraint(table)["constrained_columns"],
        "nullable": {column["name"]: column["nullable"] for column in inspector.get_columns(table)},
        "unique": sorted(
            tuple(unique["column_names"]) for unique in inspector.get_unique_constraints(table)
        ),
    }


def test_the_views_exist_with_the_columns_of_their_tables(store: Settings) -> None:
    with connect(store) as connection:
        inspector = sa.inspect(connection)
        assert set(inspector.get_view_names()) == {
            *TABLE_OF_VIEW,
            "current_counterfactual_allocation",
            _COUNTERFACTUALS,
        }
        for view, table in TABLE_OF_VIEW.items():
            assert [c["name"] for c in inspector.get_columns(view)] == list(tables[table].c.keys())


def test_a_view_shows_the_weights_of_each_target_that_was_not_taken(store: Settings) -> None:
    weights = '{"$CASH":999999999,"A\\"B":1}'
    with transaction(store) as connection:
        for statement in _ROWS_OF_0006[:1]:
            connection.execute(sa.text(statement))
        connection.execute(
            tables["counterfactual_target"].insert(),
            {"run_id": "r", "account_id": "a", "view": "ma", "weights": weights},
        )
        connection.execute(
            tables["client_outcome"].insert(),
            {"run_id": "r", "account_id": "a", "client_id": "c", "outcome": "rebalanced"}
            | {"allocation_run_id": "r", "trigger": "drift", "sentence": "why"}
            | dict.fromkeys((f"{cash}_cents" for cash in _CASH), 0),
        )
        for view in (_COUNTERFACTUALS, "current_counterfactual_allocation"):
            rows = connection.execute(sa.text(f"SELECT * FROM {view} ORDER BY symbol")).all()
            assert [tuple(row) for row in rows] == [
                ("r", "a", "$CASH", "ma", 0.999999999),
                ("r", "a", 'A"B', "ma", 1e-9),
            ]


_CASH = ("cash_before", "sells", "buys", "fees", "cash_after")


def test_a_second_migration_changes_nothing(store: Settings) -> None:
    migrate(store)
    with connect(store) as connection:
        versions = connection.execute(sa.text("SELECT version_num FROM alembic_version")).all()
    assert versions == [(SCHEMA_VERSION,)]


def test_a_store_that_is_current_is_not_waited_for(store: Settings) -> None:
    with transaction(store):
        migrate(store)


def test_migrations_at_once_do_it_once(empty_store: Settings) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate(empty_store)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect(empty_store) as connection:
        assert sa.inspect(connection).has_table("trade_reason")


def test_a_migration_that_fails_leaves_nothing_behind(
    empty_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import alembic.op

    def fail(statement: str) -> None:
        raise RuntimeError("killed in the last migration")

    with monkeypatch.context() as patch:
        patch.setattr(alembic.op, "execute", fail)
        with pytest.raises(RuntimeError, match="killed"):
            migrate(empty_store)
    with migration(empty_store) as connection:
        assert sa.inspect(connection).get_table_names() == []
    migrate(empty_store)


def test_a_store_of_the_release_before_keeps_its_instruments_and_takes_new_classes(
    empty_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = dict.fromkeys(("symbol", "source", "name", "currency", "substitute_group"), "x")
    row |= {"expense_ratio_bps": 3, "reference_weight": 0.5, "tradable": True}
    with monkeypatch.context() as patch:
        for module in ("pipelines.store.migrate", "pipelines.store.engine"):
            patch.setattr(importlib.import_module(module), "SCHEMA_VERSION", "0003")
        migrate(empty_store)
        with transaction(empty_store) as connection:
            insert(connection, INSTRUMENT, [row | {"asset_class": "energy"}])
    migrate(empty_store)
    with transaction(empty_store) as connection:
        insert(connection, INSTRUMENT, [row | {"symbol": "y", "asset_class": "bond"}])
    with connect(empty_store) as connection:
        kept = connection.execute(sa.select(tables["instrument"])).mappings().all()
    assert [dict(found) for found in kept] == [
        row | {"asset_class": "energy"},
        row | {"symbol": "y", "asset_class": "bond"},
    ]


def test_a_store_of_the_release_before_keeps_its_forecasts_choices_and_scores(
    empty_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module in ("pipelines.store.migrate", "pipelines.store.engine"):
            patch.setattr(importlib.import_module(module), "SCHEMA_VERSION", "0005")
        migrate(empty_store)
        with transaction(empty_store) as connection:
            for statement in _ROWS_OF_0005:
                connection.execute(sa.text(statement))
    migrate(empty_store)
    with connect(empty_store) as connection:
        kept = {
            name: dict(connection.execute(sa.select(tables[name])).mappings().one())
            for name in ("forecast", "model_choice", "model_score", "forecast_attribution")
        }
        seen = connection.execute(sa.text("SELECT upper_80_log_return FROM current_forecast")).all()
    forecast, choice, score = kept["forecast"], kept["model_choice"], kept["model_score"]
    assert (forecast["lower_80_log_return"], forecast["upper_80_log_return"]) == (-0.1, 0.3)
    assert forecast["lower_95_log_return"] is None
    assert forecast["serves"] is True
    assert (choice["role"], choice["decision"], choice["method"]) == ("baseline", "kept", None)
    assert choice["decided_at"] == dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert (score["period"], score["rmse_to_naive"], score["sessions"]) == ("test", 0.75, None)
    assert (score["period_start"], score["period_end"]) == (
        dt.date(2019, 1, 2),
        dt.date(2019, 12, 31),
    )
    assert kept["forecast_attribution"]["method"] == "linear_terms"
    assert seen == [(0.3,)]


_ROWS_OF_0005 = (
    "INSERT INTO advice_run VALUES ('r', 'sample', '2020-01-02', 'published', 's', 'f', "
    "'smartinvest-ema', 1, 'm', 'c', 'h', 'v', '2020-01-02 03:04:05', '2020-01-02 03:04:05', NULL)",
    "INSERT INTO forecast VALUES ('r', 'AAA', 'smartinvest-ema', 21, 1, 'm', 0.1, 0.2, -0.1, 0.3, "
    "'log return', 0.5, TRUE)",
    "INSERT INTO forecast_attribution VALUES ('r', 'AAA', 'smartinvest-ema', 21, '$BASELINE', 1, "
    "'linear_terms', NULL, 0.1, 'log return')",
    "INSERT INTO model_choice VALUES ('sample', '2020-01-02', 'kept', 'why', 'smartinvest-ema', 1, "
    "'m', 't', '2018-01-02', '2020-01-02', '2020-01-02 03:04:05')",
    "INSERT INTO model_score VALUES ('sample', '2020-01-02', 'smartinvest-ema', 21, 't', 1, 'm', "
    "'2019-01-02', '2019-12-31', 100, 0.01, 0.02, 0.7, 0.75, -0.1, 0.8, 0.5, TRUE)",
)


def test_a_store_of_the_release_before_keeps_its_advice_and_takes_the_new_words(
    empty_store: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module in ("pipelines.store.migrate", "pipelines.store.engine"):
            patch.setattr(importlib.import_module(module), "SCHEMA_VERSION", "0006")
        migrate(empty_store)
        with transaction(empty_store) as connection:
            for statement in _ROWS_OF_0006:
                connection.execute(sa.text(statement))
    migrate(empty_store)
    with connect(empty_store) as connection:
        kept = {
            name: [dict(row) for row in connection.execute(sa.select(tables[name])).mappings()]
            for name in ("client_outcome", "target_allocation", "trade", "trade_reason")
        }
        executed = connection.execute(sa.select(tables["transaction"].c.trade_id)).scalars().all()
        indexes = {
            index["name"] for name in kept for index in sa.inspect(connection).get_indexes(name)
        }
    (outcome,), (target,) = kept["client_outcome"], kept["target_allocation"]
    (trade,), (reason,) = kept["trade"], kept["trade_reason"]
    assert (outcome["trigger"], outcome["drift"], outcome["wealth_cents"]) == ("drift", 0.25, 77)
    assert (target["weight"], target["bound_binds"]) == (0.5, True)
    assert (target["binding_constraint"], target["no_trade"]) == (None, None)
    assert (trade["quantity_micros"], trade["valid_until"]) == (9, dt.date(2020, 1, 3))
    assert (reason["rounding_micros"], reason["sentence"]) == (9, "why")
    assert executed == ["t"]
    assert indexes >= {"ix_client_outcome_account_id", "ix_trade_run_id_account_id"}
    with transaction(empty_store) as connection:
        for statement in (
            "UPDATE client_outcome SET trigger = 'harvest'",
            "UPDATE target_allocation SET binding_constraint = 'turnover', no_trade = 'cooldown'",
        ):
            connection.execute(sa.text(statement))
    for refused in (
        "UPDATE client_outcome SET trigger = 'boredom'",
        "UPDATE target_allocation SET no_trade = 'boredom'",
        "UPDATE target_allocation SET weight = 2",
        "DELETE FROM trade",
    ):
        with pytest.raises(sa.exc.IntegrityError), transaction(empty_store) as connection:
            connection.execute(sa.text(refused))


_ROWS_OF_0006 = (
    "INSERT INTO advice_run VALUES ('r', 'sample', '2020-01-02', 'published', 's', 'f', "
    "'smartinvest-ema', 1, 'm', 'c', 'h', 'v', '2020-01-02 03:04:05', '2020-01-02 03:04:05', NULL)",
    "INSERT INTO client_outcome VALUES ('r', 'a', 'c', 'rebalanced', 'r', 'drift', 50, 0.25, 0.1, "
    "1e-9, 'clarabel', NULL, 77, 10, 0, 5, 0, 5, 'why')",
    "INSERT INTO target_allocation VALUES ('r', 'a', 'AAA', 0.5, 0.25, 0.0, 0.5, TRUE)",
    "INSERT INTO trade VALUES ('t', 'r', 'a', 'AAA', 'buy', 9, 8, 7, 0, 1, 'sent', '2020-01-03')",
    "INSERT INTO trade_reason VALUES ('t', 0, 0, 0, 0, 0, 0, 0, 0, 9, 'why')",
    "INSERT INTO \"transaction\" VALUES ('x', 'e', 'a', 'buy', 't', NULL, 'AAA', 9, 8, 0, -7, "
    "'2020-01-03 15:00:00', '2020-01-03', NULL, NULL, '2020-01-03 16:00:00', 'broker')",
)


def test_a_store_without_schema_says_what_to_do(empty_store: Settings) -> None:
    with migration(empty_store):
        pass
    with (
        pytest.raises(StoreError, match=r"schema is at version none.*migrates the store"),
        connect(empty_store),
    ):
        pass


def test_a_store_of_a_newer_release_is_refused_and_left_alone(store: Settings) -> None:
    with transaction(store) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999 is newer than this code"):
        migrate(store)
    with pytest.raises(StoreError, match="9999"), transaction(store):
        pass


def test_the_code_names_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == SCHEMA_VERSION


def test_every_money_quantity_and_price_column_is_a_64_bit_integer() -> None:
    for declaration in DECLARED:
        for column in declaration:
            if column.name.endswith(("_cents", "_micros")):
                assert column.type is ColumnType.INTEGER, f"{declaration.name}.{column.name}"
                assert isinstance(tables[declaration.name].c[column.name].type, sa.BigInteger)
