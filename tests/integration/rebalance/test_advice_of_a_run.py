"""What a run advises, on both databases, and that nothing but its inputs decides on it."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rebalance_runs import RECORDED, contents, copy_home, identify_run, make_run, query
from threadpoolctl import threadpool_limits
from warehouse_inputs import SESSION

from models.store_inputs import CLIENT, CLIENT_IDENTITY
from pipelines.lake import read_manifest
from pipelines.rebalance import POLICY, preparation, rebalance
from pipelines.settings import Settings
from pipelines.store import tables, transaction, upsert


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


def test_an_account_within_its_band_keeps_the_target_of_an_earlier_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What these accounts hold is mostly cash; where nothing must be invested, that is a target.
    lenient = dataclasses.replace(POLICY, minimum_invested_share=0.0)
    monkeypatch.setattr(preparation, "POLICY", lenient)
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
