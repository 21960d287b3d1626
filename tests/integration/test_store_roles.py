"""On a real server each role of the store may do what it must, and nothing else."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors, sql
from store_roles import (
    ACCOUNT,
    BY,
    CASH_FLOW,
    CLIENT,
    DAY,
    DEPOSIT,
    GOAL,
    HOLDING,
    PASSWORDS,
    RolesStore,
    add,
    add_client,
    apply_roles,
    make_roles_store,
)
from typer.testing import CliRunner

from models.declaration import Table
from models.store_audit import AUDIT_ENTRY
from models.store_inputs import CLIENT_IDENTITY, INPUTS
from models.store_outputs import OUTPUTS
from pipelines.cli import app as command
from pipelines.clients import generate
from pipelines.errors import SettingError, StoreError, StoreUnavailableError
from pipelines.lineage import REPOSITORY
from pipelines.settings import load_settings
from pipelines.store import connect, engine, transaction
from pipelines.store.access import create_roles, read_role_plan
from pipelines.store.access.grants import APP_ADDS
from pipelines.store.failures import BUSY_SECONDS
from pipelines.store.schema import DECLARED

Statement = Callable[[psycopg.Connection], Any]


@pytest.fixture(scope="module")
def made(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> RolesStore:
    return make_roles_store(
        postgresql_server, "roles_of_store", tmp_path_factory.mktemp("roles") / "home"
    )


@pytest.fixture
def store(made: RolesStore) -> RolesStore:
    """The store without clients, trades and audit."""
    with psycopg.connect(made.environ["STORE_ADMIN_URL"], dbname="roles_of_store") as admin:
        admin.execute("SET session_replication_role = replica")  # the audit refuses any other way
        for table in (*INPUTS, *OUTPUTS, AUDIT_ENTRY):
            admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return made


def publish(store: RolesStore, status: str = "published") -> None:
    """Write a run of the pipeline's with a trade for the app's client."""
    with transaction(store.settings) as connection:
        for statement in (
            "INSERT INTO advice_run VALUES "
            f"('r1', 'sample', '{DAY}', '{status}', 's', 'f', 'm', 1, 'u', 'c', 'h', 'v', now(), "
            "now(), NULL)",
            "INSERT INTO client_outcome (run_id, account_id, client_id, outcome, "
            "allocation_run_id, trigger, cash_before_cents, sells_cents, buys_cents, fees_cents, "
            "cash_after_cents, sentence) "
            "VALUES ('r1', 'a1', 'c1', 'rebalanced', 'r1', 'drift', 0, 0, 0, 0, 0, 'why')",
            "INSERT INTO trade "
            f"VALUES ('x1', 'r1', 'a1', 'AAA', 'buy', 9, 8, 7, 0, 1, 'proposed', '{DAY}')",
        ):
            connection.execute(sa.text(statement))


def audit(store: RolesStore) -> list[dict[str, Any]]:
    with connect(store.settings) as connection:
        rows = connection.execute(sa.text("SELECT * FROM audit_entry ORDER BY entry_id"))
        return [dict(row) for row in rows.mappings()]


def test_the_pipeline_migrates_and_writes_as_an_owner_without_rights_over_the_server(
    store: RolesStore,
) -> None:
    generate(store.settings, 3, seed=5)
    with store.connect("pipeline") as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False,) * 5
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE somebody")
    assert audit(store) == []  # what the pipeline writes is told by its runs


@pytest.mark.long
def test_the_whole_chain_runs_as_the_pipelines_role(store: RolesStore) -> None:
    environ = {name: value for name, value in os.environ.items() if "SMARTINVEST" not in name}
    environ |= {
        **store.settings.environment(),
        "SMARTINVEST_SOURCE": "simulated",
        "SMARTINVEST_SIMULATED_SYMBOLS": "12",
        "SMARTINVEST_SIMULATED_YEARS": "8",
    }
    generate = ("clients", "generate", "--count", "20", "--seed", "1")
    for arguments in (generate, ("run",), ("status",)):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            cwd=REPOSITORY,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert PASSWORDS["pipeline"] not in done.stdout + done.stderr
    with store.connect("app") as app:
        assert app.execute("SELECT count(*) FROM current_outcome").fetchone() != (0,)
    assert audit(store) == []


def test_the_pipelines_rows_keep_the_moment_and_the_writer_that_it_gives(store: RolesStore) -> None:
    with store.connect("pipeline") as connection:
        add(connection, "client", CLIENT)
        (row,) = connection.execute("SELECT recorded_by, recorded_at FROM client").fetchall()
    assert (row[0], row[1].year) == ("operator-17", 1999)


def test_making_the_roles_again_changes_nothing_that_anybody_may(store: RolesStore) -> None:
    def access() -> list[tuple[Any, ...]]:
        with store.connect("pipeline") as connection:
            return connection.execute(
                "SELECT relname, relacl::text, attname, attacl::text FROM pg_class "
                "JOIN pg_attribute ON attrelid = pg_class.oid "
                "WHERE relnamespace = 'public'::regnamespace ORDER BY 1, 3"
            ).fetchall()

    before = access()
    apply_roles(store)
    assert access() == before


def test_an_app_adds_clients_goals_accounts_holdings_and_flows(store: RolesStore) -> None:
    with store.connect("app") as app:
        add_client(app)
        add(app, "holding", HOLDING)
        add(app, "cash_flow", CASH_FLOW)
        add(app, "transaction", DEPOSIT)
        (who, year) = app.execute(
            "SELECT recorded_by, extract(year FROM recorded_at) FROM goal"
        ).fetchone() or (None, None)
    assert who == "roles_of_store_app:operator-17"
    assert year > 2000, "the database says when a row was recorded, not the app"


def test_an_app_reads_outputs_and_marks_a_published_trade_as_sent(store: RolesStore) -> None:
    with store.connect("app") as app:
        add_client(app)
    publish(store)
    with store.connect("app") as app:
        (trade,) = app.execute("SELECT trade_id, status FROM current_trade").fetchall()
        assert trade == ("x1", "proposed")
        app.execute("UPDATE trade SET status = 'sent' WHERE trade_id = 'x1'")
        add(app, "feedback", FEEDBACK)
    sent = [entry for entry in audit(store) if entry["table_name"] == "trade"]
    assert [(entry["action"], entry["changed_columns"]) for entry in sent] == [
        ("update", '["status"]')
    ]


FEEDBACK = {
    "feedback_id": "b1",
    "client_id": "c1",
    "run_id": "r1",
    "account_id": "a1",
    "trade_id": "x1",
    "verdict": "accepted",
    "given_at": DEPOSIT["executed_at"],
} | BY


PREFERENCE = {
    "client_id": "c1",
    "version": 1,
    "kind": "exclude_symbol",
    "subject": "AAA",
} | BY


def run(statement: str) -> Statement:
    return lambda connection: connection.execute(statement)


def insert(table: str, row: dict[str, Any], **changes: Any) -> Statement:
    return lambda connection: add(connection, table, row, **changes)


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DELETE FROM {table.name!r}".replace("'", '"') for table in INPUTS),
        *(f"TRUNCATE {table.name!r}".replace("'", '"') for table in INPUTS),
        *(f"DELETE FROM {table.name}" for table in OUTPUTS),
        "UPDATE goal SET priority = 2",
        "UPDATE client_identity SET client_id = 'c2'",
        "UPDATE trade SET quantity_micros = 1",
        "UPDATE trade SET status = 'sent', notional_cents = 1",
        "UPDATE advice_run SET status = 'published'",
        "INSERT INTO trade_reason SELECT * FROM trade_reason",
        "INSERT INTO forecast SELECT * FROM forecast",
        "INSERT INTO market_price SELECT * FROM market_price",
        "INSERT INTO lot_sale SELECT * FROM lot_sale",
        "INSERT INTO wash_sale SELECT * FROM wash_sale",
        "SELECT * FROM audit_entry",
        "INSERT INTO audit_entry (written_by) VALUES ('somebody')",
        "UPDATE audit_entry SET written_by = 'somebody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DROP TABLE audit_entry",
        "ALTER TABLE client DISABLE TRIGGER ALL",
        "DROP TRIGGER app_row_is_audited ON client",
        "ALTER TABLE client DROP CONSTRAINT pk_client CASCADE",
        "CREATE OR REPLACE FUNCTION public.audit_app_row() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "CREATE TABLE goal2 (x int)",
        "CREATE TEMPORARY TABLE goal (x int)",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER mine BEFORE INSERT ON client EXECUTE FUNCTION public.audit_app_row()",
        "SELECT pg_advisory_lock(1392967681)",
        "SELECT pg_advisory_xact_lock_shared(1392967681)",
        "LOCK TABLE trade IN EXCLUSIVE MODE",
        "SET ROLE roles_of_store_pipeline",
        "SET SESSION AUTHORIZATION roles_of_store_pipeline",
        "UPDATE alembic_version SET version_num = '0001'",
        "COPY client TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_an_app_may_not(made: RolesStore, statement: str) -> None:
    with made.connect("app") as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_an_app_hands_its_rights_to_nobody(made: RolesStore) -> None:
    with made.connect("app") as app:
        # PostgreSQL only warns where somebody who may read grants without the right to.
        app.execute("GRANT SELECT ON client_identity TO roles_of_store_analyst")
    with made.connect("analyst") as analyst, pytest.raises(errors.InsufficientPrivilege):
        analyst.execute("SELECT * FROM client_identity")


@pytest.mark.parametrize(
    ("attempt", "problem"),
    [
        (insert("goal", GOAL, version=3), "must be the next one"),
        (insert("goal", GOAL, version=1), "must be the next one"),
        (insert("goal", GOAL, version=2, client_id="c2"), "another client"),
        (insert("goal", GOAL, version=2, target_cents=0), "ck_goal_target_cents_at_least"),
        (insert("goal", GOAL, version=2, kind="yacht"), "ck_goal_kind_allowed"),
        (insert("account", ACCOUNT, version=2, goal_id="g9"), "has no such goal"),
        (insert("account", ACCOUNT, account_id="a2", client_id="c9"), "no such goal|fk_account"),
        (insert("holding", HOLDING, account_id="a9"), "no such account"),
        (insert("holding", HOLDING, symbol="NOPE"), "no such instrument"),
        (insert("cash_flow", CASH_FLOW, account_id="a9"), "no such account"),
        (insert("transaction", DEPOSIT, kind="buy"), "smartinvest fills import"),
        (insert("transaction", DEPOSIT, trade_id="x1"), "smartinvest fills import"),
        (insert("feedback", FEEDBACK, run_id="r9", trade_id=None), "fk_feedback_run_id|no advice"),
        (insert("feedback", FEEDBACK, client_id="c2"), "gave this client no advice"),
        (
            insert("client", CLIENT, client_id="c3", recorded_by="anna@bank.example"),
            "opaque key",
        ),
        (insert("client", CLIENT, client_id="c3", recorded_by="Anna Meier"), "opaque key"),
        (insert("client", CLIENT, client_id="anna@bank.example"), "client_id must be opaque"),
        (insert("goal", GOAL, goal_id="Anna's house"), "goal_id must be opaque"),
        (insert("preference", PREFERENCE, subject="Anna Meier"), "subject must be opaque"),
        (run("UPDATE trade SET status = 'filled'"), "from proposed to sent only"),
        (run("UPDATE client_identity SET email = 'x@y.example'"), "opaque key"),
    ],
)
def test_the_database_itself_refuses_an_app(
    published: RolesStore, attempt: Statement, problem: str
) -> None:
    with (
        published.connect("app") as app,
        pytest.raises(errors.IntegrityError, match=problem) as caught,
    ):
        attempt(app)
    for personal in ("quackenbush", "IBAN"):
        assert personal not in str(caught.value).lower()


@pytest.fixture
def published(store: RolesStore) -> RolesStore:
    with store.connect("app") as app:
        add_client(app)
        add(app, "client", CLIENT, client_id="c2")
    publish(store)
    return store


def test_a_trade_of_a_run_that_is_not_published_cannot_be_sent(store: RolesStore) -> None:
    with store.connect("app") as app:
        add_client(app)
    publish(store, "building")
    with store.connect("app") as app, pytest.raises(errors.CheckViolation, match="not published"):
        app.execute("UPDATE trade SET status = 'sent'")


def test_a_version_of_several_rows_is_written_in_one_transaction_and_by_one_app_only(
    published: RolesStore,
) -> None:
    with published.connect("app") as app:
        add(app, "preference", PREFERENCE)
        add(app, "preference", PREFERENCE, subject="BBB")
    with (
        published.connect("app") as app,
        pytest.raises(errors.CheckViolation, match="must be the next one"),
    ):
        add(app, "preference", PREFERENCE, subject="CCC")
    with published.connect("app") as app:
        add(app, "preference", PREFERENCE, version=2)
        with published.connect("app") as other:
            other.execute("SET statement_timeout = '300ms'")
            with pytest.raises(errors.QueryCanceled):  # it waits for the first one
                add(other, "preference", PREFERENCE, version=2, subject="CCC")


def test_an_app_waits_while_the_pipeline_writes_what_it_has_read(published: RolesStore) -> None:
    with transaction(published.settings), published.connect("app") as app:
        app.execute("SET statement_timeout = '300ms'")
        with pytest.raises(errors.QueryCanceled):
            add(app, "goal", GOAL, version=2)


def test_an_app_that_forgets_its_transaction_loses_it_before_the_pipeline_stops_waiting(
    made: RolesStore,
) -> None:
    limits = ("idle_in_transaction_session_timeout", "statement_timeout", "transaction_timeout")
    with made.connect("app") as app:
        rows = app.execute(
            "SELECT name, setting::int / 1000 FROM pg_settings WHERE name = ANY(%s)", [[*limits]]
        ).fetchall()
    assert {name for name, _ in rows} == set(limits)
    assert all(0 < seconds < BUSY_SECONDS for _, seconds in rows)


def test_who_keeps_the_pipeline_from_writing_is_named(
    published: RolesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.3)
    engine._engine.cache_clear()
    try:
        with published.connect("app") as app:
            add(app, "goal", GOAL, version=2)
            holder = f"roles_of_store_app, process {app.info.backend_pid}"
            with (
                pytest.raises(StoreUnavailableError, match=holder),
                transaction(published.settings),
            ):
                pass
    finally:
        engine._engine.cache_clear()


def test_inputs_are_not_written_from_an_old_view_of_them(published: RolesStore) -> None:
    with published.connect("app") as app:
        app.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with pytest.raises(errors.CheckViolation, match="read committed"):
            add(app, "goal", GOAL, version=2)


def test_every_write_of_an_app_is_audited_with_who_when_before_and_after(store: RolesStore) -> None:
    with store.connect("app") as app:
        add_client(app)
    with store.connect("app") as app:
        add(app, "goal", GOAL, version=2, target_cents=200)
        app.execute(
            "UPDATE client_identity SET email = 'w@new.example', recorded_by = 'operator-18'"
        )
    entries = audit(store)
    assert [entry["table_name"] for entry in entries] == [
        *("client", "client_identity", "goal", "account", "goal", "client_identity")
    ]
    assert {entry["written_by"] for entry in entries} == {"roles_of_store_app"}
    assert len({entry["transaction_id"] for entry in entries}) == 2
    goal, identity = entries[4], entries[5]
    assert json.loads(goal["row_key"]) == {"goal_id": "g1", "version": 2}
    assert json.loads(goal["new_row"])["target_cents"] == 200
    assert goal["old_row"] is None
    assert json.loads(identity["changed_columns"]) == ["email", "recorded_at", "recorded_by"]
    before, after = json.loads(identity["old_row"]), json.loads(identity["new_row"])
    assert before["recorded_by"].endswith(":operator-17")
    assert after["recorded_by"].endswith(":operator-18")
    assert before["email"] == after["email"] == "***"


def test_no_personal_value_gets_into_the_audit(published: RolesStore) -> None:
    with published.connect("app") as app:
        add(app, "transaction", DEPOSIT)
    text = json.dumps(audit(published), default=str).lower()
    assert '"transaction"' in text
    for value in ("quackenbush", "1961-02-03", "ref-1", "iban-4711"):
        assert value not in text


def test_a_write_that_is_rolled_back_leaves_no_entry_and_one_without_entry_is_impossible(
    store: RolesStore,
) -> None:
    with store.connect("app") as app:
        add(app, "client", CLIENT)
        app.rollback()
    assert audit(store) == []


def test_not_even_the_owner_changes_the_audit_by_mistake(store: RolesStore) -> None:
    for statement in (
        "UPDATE audit_entry SET written_by = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ):
        with (
            store.connect("pipeline") as owner,
            pytest.raises(errors.InsufficientPrivilege, match="append-only"),
        ):
            owner.execute(statement)


@pytest.mark.parametrize("table", DECLARED, ids=lambda table: table.name)
def test_an_analyst_reads_each_table_but_its_personal_columns(
    made: RolesStore, table: Table
) -> None:
    shown = [column.name for column in table if not column.personal]
    hidden = [column.name for column in table if column.personal]
    with made.connect("analyst") as analyst:
        analyst.execute(_select(table, shown))
        analyst.rollback()
        for name in hidden:
            with pytest.raises(errors.InsufficientPrivilege):
                analyst.execute(_select(table, [name]))
            analyst.rollback()


def _select(table: Table, names: list[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table.name))


def test_names_addresses_birth_dates_and_keys_of_other_systems_are_what_is_hidden() -> None:
    hidden = {(t.name, column.name) for t in DECLARED for column in t if column.personal}
    assert hidden == {
        ("client_identity", "external_ref"),
        ("client_identity", "full_name"),
        ("client_identity", "email"),
        ("client_identity", "birth_date"),
        ("transaction", "external_id"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM client_identity",
        "SELECT count(*) FROM client_identity WHERE email LIKE 'w%'",
        "SELECT client_id FROM client_identity ORDER BY birth_date",
        "TABLE transaction",
        "INSERT INTO feedback SELECT * FROM feedback",
        "UPDATE trade SET status = 'sent'",
        "DELETE FROM audit_entry",
        "CREATE TEMPORARY TABLE mine (x int)",
        "SELECT pg_advisory_lock(1)",
        "SET ROLE roles_of_store_app",
    ],
)
def test_an_analyst_may_not(made: RolesStore, statement: str) -> None:
    with made.connect("analyst") as analyst:
        analyst.execute("SET default_transaction_read_only = off")
        analyst.commit()
        with pytest.raises(errors.InsufficientPrivilege):
            analyst.execute(statement)


def test_an_analyst_sees_published_advice_through_the_views(published: RolesStore) -> None:
    with published.connect("analyst") as analyst:
        assert analyst.execute("SELECT trade_id FROM current_trade").fetchall() == [("x1",)]
        assert analyst.execute("SHOW transaction_read_only").fetchone() == ("on",)


def test_nobody_else_gets_into_the_database(made: RolesStore) -> None:
    with psycopg.connect(made.environ["STORE_ADMIN_URL"], autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS passer_by")
        admin.execute("CREATE ROLE passer_by LOGIN")
    url = sa.make_url(made.urls["app"]).set(username="passer_by", password=None)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url.render_as_string(hide_password=False))


def test_a_later_migration_grants_what_it_made(made: RolesStore) -> None:
    from pipelines.store.access import grant_access

    with transaction(made.settings) as connection:
        definition = connection.scalar(sa.text("SELECT pg_get_viewdef('current_trade'::regclass)"))
        connection.exec_driver_sql("DROP VIEW current_trade")
        connection.exec_driver_sql(f"CREATE VIEW current_trade AS {definition}")
    with made.connect("app") as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute("SELECT * FROM current_trade")
    with transaction(made.settings) as connection:
        grant_access(made.settings, connection)  # as `migrate` does
    with made.connect("app") as app:
        app.execute("SELECT * FROM current_trade")


def test_the_server_keeps_verifiers_and_never_saw_a_password(made: RolesStore) -> None:
    with psycopg.connect(made.environ["STORE_ADMIN_URL"]) as admin:
        kept = admin.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'roles_of_store_%'"
        ).fetchall()
    assert len(kept) == 3
    for (verifier,) in kept:
        assert re.match(r"SCRAM-SHA-256\$", verifier)
        assert not any(password in verifier for password in PASSWORDS.values())


def test_the_command_makes_roles_from_the_environment_and_shows_no_secret(
    made: RolesStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {
        **made.environ,
        "SMARTINVEST_HOME": str(made.settings.home),
        "SMARTINVEST_STORE_URL": made.urls["pipeline"],
        "SMARTINVEST_STORE_APP_ROLE": made.settings.store_app_role,
        "SMARTINVEST_STORE_ANALYST_ROLE": made.settings.store_analyst_role,
    }
    done = CliRunner().invoke(command, ["store", "roles"], env=environ)
    assert done.exit_code == 0, done.output
    assert "owned by roles_of_store_pipeline" in " ".join(done.output.split())
    assert not any(password in done.output for password in PASSWORDS.values())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"STORE_APP_PASSWORD": ""}, "secret STORE_APP_PASSWORD = '': it is not set"),
        ({"STORE_APP_PASSWORD": "changeme"}, "default or a placeholder"),
        ({"STORE_ANALYST_PASSWORD": "x7!k"}, "4 characters, fewer than 12"),
        ({"STORE_ANALYST_PASSWORD": PASSWORDS["app"]}, "same password"),
        ({"STORE_ADMIN_URL": ""}, "secret STORE_ADMIN_URL = '': it is not set"),
    ],
)
def test_a_missing_or_weak_secret_is_named_and_not_shown(
    made: RolesStore, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        read_role_plan(made.settings, {**made.environ, **changes})
    assert all(password not in str(caught.value) for password in PASSWORDS.values())


def test_a_secret_of_the_roles_may_be_a_file(made: RolesStore, tmp_path: Path) -> None:
    (tmp_path / "app").write_text(PASSWORDS["app"] + "\n")
    environ = {**made.environ, "STORE_APP_PASSWORD_FILE": str(tmp_path / "app")}
    del environ["STORE_APP_PASSWORD"]
    assert read_role_plan(made.settings, environ).app.password == PASSWORDS["app"]


def test_sqlite_says_that_it_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="SQLite has no roles"):
        read_role_plan(load_settings({}, home=tmp_path), {})


def test_a_superuser_is_refused_as_the_pipelines_role(made: RolesStore) -> None:
    url = sa.make_url(made.environ["STORE_ADMIN_URL"]).set(
        password=PASSWORDS["pipeline"], database="roles_of_store"
    )
    settings = load_settings(
        {}, home=made.settings.home, store_url=url.render_as_string(hide_password=False)
    )
    with pytest.raises(StoreError, match="rights over the whole server"):
        create_roles(read_role_plan(settings, made.environ))


def test_a_role_that_has_the_rights_of_another_one_is_refused(made: RolesStore) -> None:
    plan = read_role_plan(made.settings, made.environ)
    with psycopg.connect(made.environ["STORE_ADMIN_URL"], autocommit=True) as admin:
        admin.execute("GRANT pg_read_all_data TO roles_of_store_analyst")
        try:
            with pytest.raises(StoreError, match=r"rights of other roles, too \(pg_read_all_data"):
                create_roles(plan)
        finally:
            admin.execute("REVOKE pg_read_all_data FROM roles_of_store_analyst")
    create_roles(plan)


def test_an_administrator_who_is_refused_is_named_without_the_password(made: RolesStore) -> None:
    url = "postgresql://postgres:9c41f0e7a2d3-admin@127.0.0.1:9/postgres"
    with pytest.raises(StoreError, match=r"\*\*\*@127.0.0.1:9") as caught:
        create_roles(read_role_plan(made.settings, {**made.environ, "STORE_ADMIN_URL": url}))
    assert "9c41f0e7a2d3" not in str(caught.value)


def test_apps_add_to_every_input_but_what_follows_from_fills() -> None:
    assert {table.name for table in INPUTS} - {table.name for table in APP_ADDS} == {
        "lot_sale",
        "wash_sale",
    }
    assert CLIENT_IDENTITY in APP_ADDS
    assert os.environ.get("STORE_ADMIN_URL") is None
