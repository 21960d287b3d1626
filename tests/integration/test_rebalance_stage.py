"""The stage on a real warehouse and both databases: whole runs, once, with their lineage."""

import dataclasses
import datetime as dt
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from threadpoolctl import threadpool_limits
from warehouse_inputs import RECORDED_AT, SESSION, answers, make_home

from models.store_forecasts import FORECAST, MODEL_CHOICE
from models.store_inputs import ACCOUNT, CLIENT, CLIENT_IDENTITY, GOAL, HOLDING, RISK_PROFILE
from pipelines.errors import RebalanceError
from pipelines.forecast.run import begin, begin_with_known_forecasts, identify
from pipelines.lake import read_manifest
from pipelines.lineage import RunIdentity
from pipelines.model_choices import find_choice
from pipelines.rebalance import POLICY, RebalanceReport, publication, rebalance, stage
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, insert, migrate, tables, transaction, upsert
from pipelines.warehouse import build_for, transform

RECORDED = {"recorded_at": RECORDED_AT, "recorded_by": "test"}
WRITTEN = ("client_outcome", "target_allocation", "trade", "trade_reason", "snapshot_file")


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published warehouse of accounts that can trade, and some that cannot."""
    settings = make_home(tmp_path_factory.mktemp("rebalance") / "home")
    versioned = RECORDED | {"version": 1}
    people = [f"dee-{number}" for number in range(6)]
    with transaction(settings) as store:
        insert(store, CLIENT, [{"client_id": name, **RECORDED} for name in people])
        insert(store, RISK_PROFILE, [answers(name) | versioned for name in people])
        insert(
            store,
            GOAL,
            [
                {"goal_id": f"{name}-goal", "client_id": name, "kind": "wealth", "priority": 1}
                | {"target_cents": 10_000_000, "target_date": dt.date(2040, 1, 1), **versioned}
                for name in people
            ],
        )
        insert(
            store,
            ACCOUNT,
            [
                {"account_id": name, "client_id": name, "goal_id": f"{name}-goal"}
                | {"tax_kind": "taxable", "cash_buffer_cents": 10_000, **versioned}
                | {"share_kind": "whole" if number % 2 else "fractional"}
                for number, name in enumerate(people)
            ],
        )
        insert(
            store,
            HOLDING,
            [
                {"account_id": name, "symbol": symbol, "quantity_micros": quantity, **versioned}
                for number, name in enumerate(people)
                for symbol, quantity in (
                    ("$CASH", (5_000 + number) * 1_000_000),
                    ("KO", (100 + 7 * number) * 1_000_000),
                )
            ],
        )
    transform(settings, SESSION)
    return settings.home


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, built_home: Path, tmp_path: Path) -> Settings:
    """A copy of the home with forecasts in a store of its own, on each database."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    return make_run(copy_home(built_home, tmp_path / "home", url))


@pytest.fixture
def sqlite_settings(built_home: Path, tmp_path: Path) -> Settings:
    return make_run(copy_home(built_home, tmp_path / "home"))


def copy_home(built_home: Path, home: Path, store_url: str = "") -> Settings:
    shutil.copytree(built_home, home, symlinks=True)
    settings = load_settings({}, home=home, store_url=store_url)
    migrate(settings)
    return settings


def make_run(settings: Settings, version: int = 1, confidence: float = 0.2) -> Settings:
    """Choose a model version and write its forecasts, as the stages before do."""
    with transaction(settings) as store:
        upsert(
            store,
            MODEL_CHOICE,
            [
                {
                    "source": "sample",
                    "session_date": SESSION,
                    "decision": "retrained",
                    "role": "baseline",
                    "reason": "a test",
                    "model_name": "sma",
                    "model_version": version,
                    "mlflow_run_id": f"mlflow-{version}",
                    "training_run_id": "training",
                    "fitted_through": SESSION,
                    "trained_through": SESSION,
                    "decided_at": RECORDED_AT,
                }
            ],
        )
    identity = identify_run(settings)
    with transaction(settings) as store:
        known = sa.select(tables["advice_run"]).where(
            tables["advice_run"].c.run_id == identity.run_id
        )
        if store.execute(known).first() is not None:
            return settings
        begin(store, identity)
        insert(
            store,
            FORECAST,
            [
                forecast_row(identity.run_id, symbol, 0.01 * (number + 1), version, confidence)
                for number, symbol in enumerate(("AAPL", "KO", "QUAL", "XOM"))
            ],
        )
    return settings


def forecast_row(
    run_id: str, symbol: str, mean: float, version: int, confidence: float
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "symbol": symbol,
        "model_name": "sma",
        "horizon_sessions": 21,
        "model_version": version,
        "mlflow_run_id": f"mlflow-{version}",
        "expected_log_return": mean,
        "stdev_log_return": 0.08,
        "lower_80_log_return": mean - 0.1,
        "upper_80_log_return": mean + 0.1,
        "interval_note": "",
        "unit": "log return over the horizon",
        "confidence": confidence,
        "serves": True,
    }


def identify_run(settings: Settings):
    choice = find_choice(settings, SESSION)
    assert choice is not None
    return identify(settings, build_for(settings, SESSION), choice)


def query(settings: Settings, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connect(settings) as store:
        return [tuple(row) for row in store.execute(sa.text(sql), values)]


def contents(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a rebalance writes, without the moments at which it did."""
    with connect(settings) as store:
        found = {
            name: sorted(map(tuple, store.execute(sa.select(tables[name]))), key=repr)
            for name in (*WRITTEN, "instrument", "market_price")
        }
        run = tables["advice_run"]
        columns = [c for c in run.c if c.name not in ("started_at", "published_at")]
        found["advice_run"] = sorted(map(tuple, store.execute(sa.select(*columns))), key=repr)
    return found


def test_a_run_is_published_with_one_outcome_per_account(settings: Settings) -> None:
    report = rebalance(settings, SESSION)
    assert report.written
    assert report.accounts == 10
    assert sum(report.outcomes.values()) == 10
    assert report.outcomes["rebalanced"] == 6
    outcomes = dict(query(settings, "SELECT account_id, outcome FROM current_outcome"))
    accounts = {row[0] for row in query(settings, "SELECT DISTINCT account_id FROM account")}
    assert set(outcomes) >= accounts
    assert {outcomes[name] for name in ("ada-bare", "bob-account")} == {"held"}
    assert query(settings, "SELECT count(*) FROM current_trade") == [(report.trades,)]
    assert report.trades > 0


def test_the_identities_hold_in_sql(settings: Settings) -> None:
    rebalance(settings, SESSION)
    broken = """
        SELECT account_id FROM current_outcome
        WHERE cash_before_cents + sells_cents - buys_cents - fees_cents <> cash_after_cents
    """
    assert query(settings, broken) == []
    per_trade = """
        SELECT o.account_id, o.sells_cents, o.buys_cents, o.fees_cents,
            sum(CASE side WHEN 'sell' THEN notional_cents ELSE 0 END),
            sum(CASE side WHEN 'buy' THEN notional_cents ELSE 0 END), sum(fee_cents)
        FROM current_outcome o JOIN current_trade t ON t.account_id = o.account_id
        GROUP BY 1, 2, 3, 4
    """
    for _, sells, buys, fees, *summed in query(settings, per_trade):
        assert [sells, buys, fees] == [int(value) for value in summed]
    sums = """
        SELECT account_id, sum(weight), count(*) FROM current_target_allocation
        GROUP BY account_id HAVING abs(sum(weight) - 1) > 1e-12 OR count(*) <> 5
    """
    assert query(settings, sums) == []
    bounds = """
        SELECT symbol FROM current_target_allocation
        WHERE weight < lower_bound - 1e-9 OR weight > upper_bound + 1e-9
    """
    assert query(settings, bounds) == []
    causes = " + ".join(
        column.name for column in tables["trade_reason"].c if column.name.endswith("_micros")
    )
    unexplained = f"""
        SELECT t.trade_id FROM trade t LEFT JOIN trade_reason r ON r.trade_id = t.trade_id
        WHERE r.trade_id IS NULL
            OR {causes} <> CASE side WHEN 'buy' THEN quantity_micros ELSE -quantity_micros END
    """
    assert query(settings, unexplained) == []


def test_a_trade_leads_to_its_model_and_to_the_files_of_its_data(settings: Settings) -> None:
    rebalance(settings, SESSION)
    identity = identify_run(settings)
    joined = query(
        settings,
        """
        SELECT DISTINCT a.mlflow_run_id, f.path, f.digest, f.rows FROM current_trade t
        JOIN advice_run a ON a.run_id = t.run_id
        JOIN snapshot_file f ON f.data_snapshot = a.data_snapshot ORDER BY f.path
        """,
    )
    manifest = read_manifest(settings, identity.data_snapshot).content()["files"]
    assert joined == [("mlflow-1", file["path"], file["digest"], file["rows"]) for file in manifest]
    lineage = [column.name for column in tables["advice_run"].c if column.name != "supersedes"]
    missing = " OR ".join(f"{name} IS NULL" for name in lineage)
    assert query(settings, f"SELECT run_id FROM advice_run WHERE {missing}") == []


def test_trades_are_numbered_sells_first_and_end_with_the_next_session(settings: Settings) -> None:
    rebalance(settings, SESSION)
    trades = query(
        settings,
        "SELECT account_id, sequence, side, status, valid_until FROM trade ORDER BY 1, 2",
    )
    by_account: dict[str, list[tuple[Any, ...]]] = {}
    for account, *rest in trades:
        by_account.setdefault(account, []).append(tuple(rest))
    for rows in by_account.values():
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        sides = [row[1] for row in rows]
        assert sides == sorted(sides, reverse=True)
    assert {row[3] for row in trades} == {"proposed"}
    assert {str(row[4]) for row in trades} == {"2022-12-29"}


def test_a_second_call_writes_nothing(settings: Settings) -> None:
    first = rebalance(settings, SESSION)
    before = contents(settings), query(settings, "SELECT published_at FROM advice_run")
    second = rebalance(settings, SESSION)
    assert second == RebalanceReport(
        first.run_id, SESSION, False, first.accounts, first.trades, first.outcomes
    )
    assert (contents(settings), query(settings, "SELECT published_at FROM advice_run")) == before


@pytest.mark.parametrize("table", WRITTEN)
def test_a_crash_between_any_two_steps_leaves_nothing_and_a_rerun_completes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    def dying(write):
        def write_or_die(connection, declaration, rows):
            count = write(connection, declaration, rows)
            if declaration.name == table:
                raise KeyboardInterrupt
            return count

        return write_or_die

    with monkeypatch.context() as patch:
        patch.setattr(publication, "insert", dying(insert))
        patch.setattr(publication, "upsert", dying(upsert))
        with pytest.raises(KeyboardInterrupt):
            rebalance(settings, SESSION)
    assert [query(settings, f"SELECT count(*) FROM {name}") for name in WRITTEN] == [[(0,)]] * 5
    assert query(settings, "SELECT status FROM advice_run") == [("building",)]
    for view in ("current_outcome", "current_trade", "current_forecast"):
        assert query(settings, f"SELECT count(*) FROM {view}") == [(0,)]
    assert rebalance(settings, SESSION).written
    assert query(settings, "SELECT count(*) FROM current_outcome") == [(10,)]


def test_changed_inputs_supersede_and_the_same_inputs_again_reinstate(settings: Settings) -> None:
    first = rebalance(settings, SESSION)
    second = rebalance(make_run(settings, version=2, confidence=0.9), SESSION)
    assert second.written
    runs = "SELECT run_id, status, supersedes FROM advice_run ORDER BY status"
    assert query(settings, runs) == [
        (second.run_id, "published", first.run_id),
        (first.run_id, "superseded", None),
    ]
    shown = "SELECT DISTINCT run_id FROM current_outcome"
    assert query(settings, shown) == [(second.run_id,)]

    before = {name: contents(settings)[name] for name in WRITTEN}
    third = rebalance(make_run(settings, version=1), SESSION)
    assert (third.run_id, third.written) == (first.run_id, False)
    assert query(settings, shown) == [(first.run_id,)]
    assert {name: contents(settings)[name] for name in WRITTEN} == before


def test_a_run_advises_as_if_the_one_that_it_replaces_had_never_been(
    built_home: Path, tmp_path: Path
) -> None:
    replacing = make_run(copy_home(built_home, tmp_path / "one"))
    rebalance(replacing, SESSION)
    report = rebalance(make_run(replacing, version=2), SESSION)
    alone = make_run(copy_home(built_home, tmp_path / "two"), version=2)
    assert rebalance(alone, SESSION).run_id == report.run_id
    trades = "SELECT * FROM current_trade ORDER BY trade_id"
    assert query(replacing, trades) == query(alone, trades)


def publish_before(store: sa.Connection, identity: RunIdentity) -> None:
    """Publish a run of the session before, as a backfill does; it advises nobody."""
    earlier = dataclasses.replace(identity, session_date=dt.date(2022, 12, 27))
    begin(store, earlier)
    published = {"status": "published", "published_at": RECORDED_AT}
    run = tables["advice_run"]
    store.execute(run.update().where(run.c.run_id == earlier.run_id).values(published))


def test_a_session_filled_in_before_makes_the_next_run_a_new_one_that_supersedes(
    settings: Settings,
) -> None:
    first = rebalance(settings, SESSION)
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
    known = "SELECT symbol, expected_log_return, serves FROM forecast WHERE run_id = :run"
    second = rebalance(settings, SESSION)
    assert (second.written, second.run_id == first.run_id) == (True, False)
    both = [sorted(query(settings, known, run=run.run_id)) for run in (first, second)]
    assert both[0] == both[1] != []
    runs = "SELECT run_id, status, supersedes FROM advice_run WHERE session_date = '2022-12-28'"
    assert sorted(query(settings, runs), key=lambda row: row[1]) == [
        (second.run_id, "published", first.run_id),
        (first.run_id, "superseded", None),
    ]
    again = rebalance(settings, SESSION)
    assert (again.written, again.run_id) == (False, second.run_id)


def test_a_session_published_before_after_the_forecasts_were_made_needs_no_new_forecasts(
    settings: Settings,
) -> None:
    begun = identify_run(settings)
    with transaction(settings) as store:
        publish_before(store, begun)
    published = rebalance(settings, SESSION)
    assert (published.written, published.run_id == begun.run_id) == (True, False)
    runs = "SELECT run_id, status FROM advice_run WHERE session_date = '2022-12-28'"
    assert query(settings, runs) == [(published.run_id, "published")]
    forecasts = "SELECT run_id, count(*) FROM forecast WHERE symbol = 'KO' GROUP BY run_id"
    assert query(settings, forecasts) == [(published.run_id, 1)]


@pytest.mark.parametrize(
    "changed",
    [
        {"session_date": dt.date(2022, 12, 27)},
        {"data_snapshot": "another"},
        {"feature_hash": "another"},
        {"model_version": 2},
        {"mlflow_run_id": "another"},
        {"config_hash": "another"},
        {"code_version": "another"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_forecasts_made_from_anything_else_are_not_taken_over(
    sqlite_settings: Settings, changed: dict[str, Any]
) -> None:
    before = contents(sqlite_settings)
    other = dataclasses.replace(identify_run(sqlite_settings), history_hash="another", **changed)
    with transaction(sqlite_settings) as store:
        begin_with_known_forecasts(store, other)
    assert contents(sqlite_settings) == before


def test_without_forecasts_of_the_chosen_model_it_says_which_command_to_run(
    settings: Settings,
) -> None:
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
        store.execute(sa.text("UPDATE model_choice SET model_version = 2"))
    with pytest.raises(RebalanceError, match="no forecasts of sma 2"):
        rebalance(settings, SESSION)


def test_a_session_filled_in_before_while_a_run_is_made_stops_its_publication(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = publication.publish

    def filled_in_first(*arguments: Any) -> bool:
        publish_before(arguments[0], arguments[1])
        return publish(*arguments)

    monkeypatch.setattr(publication, "publish", filled_in_first)
    with pytest.raises(RebalanceError, match="published anew in the meantime"):
        rebalance(sqlite_settings, SESSION)
    assert query(sqlite_settings, "SELECT count(*) FROM client_outcome") == [(0,)]


def test_an_account_within_its_band_keeps_the_target_of_an_earlier_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What these accounts hold is mostly cash; where nothing must be invested, that is a target.
    lenient = dataclasses.replace(POLICY, minimum_invested_share=0.0)
    monkeypatch.setattr(stage, "POLICY", lenient)
    first = rebalance(settings, SESSION)
    with transaction(settings) as store:
        # As if the run had been the day before, and its targets were what is held today.
        store.execute(sa.text("UPDATE advice_run SET session_date = '2022-12-27'"))
        store.execute(sa.text("UPDATE target_allocation SET weight = current_weight"))
    report = rebalance(make_run(settings, version=2), SESSION)
    rows = query(
        settings,
        "SELECT account_id, outcome, allocation_run_id FROM current_outcome"
        " WHERE account_id LIKE 'dee%'",
    )
    assert {row[1:] for row in rows} == {("within_band", first.run_id)}
    own = "SELECT count(*) FROM target_allocation WHERE run_id = :run AND account_id LIKE 'dee%'"
    assert query(settings, own, run=report.run_id) == [(0,)]
    kept = "SELECT DISTINCT run_id FROM current_target_allocation WHERE account_id LIKE 'dee%'"
    assert query(settings, kept) == [(first.run_id,)]
    assert query(settings, "SELECT count(*) FROM current_trade") == [(0,)]


def test_who_the_clients_are_changes_no_bit_of_their_advice_nor_does_the_database(
    built_home: Path, tmp_path: Path, postgresql_url: str
) -> None:
    def advised(home: str, name: str, url: str = "") -> dict[str, list[tuple[Any, ...]]]:
        settings = make_run(copy_home(built_home, tmp_path / home, url))
        with transaction(settings) as store:
            upsert(store, CLIENT, [{"client_id": "ada", **RECORDED}])
            upsert(
                store,
                CLIENT_IDENTITY,
                [
                    {"client_id": "ada", "external_ref": name, "full_name": name}
                    | {"email": f"{name}@example.com", "birth_date": dt.date(1970, 1, 1)}
                    | RECORDED
                ],
            )
        rebalance(settings, SESSION)
        return contents(settings)

    first = advised("one", "Ada")
    assert advised("two", "Bertrand") == first
    assert advised("three", "Carla", postgresql_url) == first


def test_the_number_of_threads_changes_no_bit(built_home: Path, tmp_path: Path) -> None:
    found = []
    for threads in (1, 4):
        settings = make_run(copy_home(built_home, tmp_path / str(threads)))
        with threadpool_limits(limits=threads):
            rebalance(settings, SESSION)
        found.append(contents(settings))
    assert found[0] == found[1]


def test_two_rebalances_at_once_publish_once(settings: Settings) -> None:
    reports: list[RebalanceReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(rebalance(settings, SESSION)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.written for report in reports) == [False, True]
    assert query(settings, "SELECT count(*) FROM client_outcome") == [(10,)]


def test_older_sessions_do_not_turn_back_the_last_valuation(sqlite_settings: Settings) -> None:
    rebalance(sqlite_settings, SESSION)
    with transaction(sqlite_settings) as store:
        store.execute(sa.text("UPDATE advice_run SET session_date = '2022-12-29'"))
        store.execute(sa.text("UPDATE market_price SET price_micros = 77"))
    rebalance(make_run(sqlite_settings, version=2), SESSION)
    assert set(query(sqlite_settings, "SELECT price_micros FROM market_price")) == {(77,)}


def test_without_a_model_choice_it_says_which_command_to_run(
    built_home: Path, tmp_path: Path
) -> None:
    settings = copy_home(built_home, tmp_path / "home")
    with pytest.raises(RebalanceError, match="smartinvest train"):
        rebalance(settings, SESSION)


def test_without_forecasts_it_says_which_command_to_run(sqlite_settings: Settings) -> None:
    with transaction(sqlite_settings) as store:
        store.execute(sa.delete(tables["forecast"]))
        store.execute(sa.delete(tables["advice_run"]))
    with pytest.raises(RebalanceError, match="smartinvest forecast"):
        rebalance(sqlite_settings, SESSION)


def test_forecasts_that_serve_nobody_are_refused(sqlite_settings: Settings) -> None:
    with transaction(sqlite_settings) as store:
        store.execute(sa.update(tables["forecast"]).values(serves=False))
    with pytest.raises(RebalanceError, match="no forecast over 21 sessions serves it"):
        rebalance(sqlite_settings, SESSION)


def test_a_run_that_newer_forecasts_replaced_meanwhile_is_not_published(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = publication.publish

    def replaced_first(*arguments: Any) -> bool:
        connection = arguments[0]
        connection.execute(sa.delete(tables["forecast"]))
        connection.execute(sa.delete(tables["advice_run"]))
        return publish(*arguments)

    monkeypatch.setattr(publication, "publish", replaced_first)
    with pytest.raises(RebalanceError, match="no forecasts"):
        rebalance(sqlite_settings, SESSION)
    assert query(sqlite_settings, "SELECT count(*) FROM client_outcome") == [(0,)]
