"""A run is published whole and once; a newer one takes its place."""

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rebalance_runs import (
    WRITTEN,
    contents,
    copy_home,
    identify_run,
    make_run,
    order_of_the_run_before,
    publish_before,
    query,
)
from warehouse_inputs import SESSION

from pipelines.errors import RebalanceError
from pipelines.rebalance import RebalanceReport, rebalance
from pipelines.rebalance.output import publication
from pipelines.settings import Settings
from pipelines.store import tables, transaction, upsert
from pipelines.store.run_rows import delete_runs

CURRENT_VIEWS = (
    *("current_forecast", "current_outcome", "current_trade", "current_trade_reason"),
    *("current_trade_lot", "current_target_allocation", "current_counterfactual_allocation"),
    "current_goal_projection",
)


def test_a_second_call_writes_nothing(settings: Settings) -> None:
    first = rebalance(settings, SESSION)
    before = contents(settings), query(settings, "SELECT published_at FROM advice_run")
    second = rebalance(settings, SESSION)
    assert second == RebalanceReport(
        first.run_id, SESSION, False, first.accounts, first.trades, first.outcomes
    )
    assert (contents(settings), query(settings, "SELECT published_at FROM advice_run")) == before


def test_a_crash_while_publishing_shows_nothing_and_a_rerun_completes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(connection: Any, declaration: Any, rows: Any) -> None:
        upsert(connection, declaration, rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publication, "upsert", dying)
        with pytest.raises(KeyboardInterrupt):
            rebalance(settings, SESSION)
    for table in ("instrument", "market_price", "snapshot_file"):
        assert query(settings, f"SELECT count(*) FROM {table}") == [(0,)]
    assert query(settings, "SELECT status FROM advice_run") == [("building",)]
    for view in CURRENT_VIEWS:
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

    written = tuple(name for name in WRITTEN if name != "trade")  # whose status moves
    before = {name: contents(settings)[name] for name in written}
    third = rebalance(make_run(settings, version=1), SESSION)
    assert (third.run_id, third.written) == (first.run_id, False)
    assert query(settings, shown) == [(first.run_id,)]
    assert {name: contents(settings)[name] for name in written} == before


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
    assert query(sqlite_settings, "SELECT count(*) FROM current_outcome") == [(0,)]


def test_an_order_sent_while_shards_are_read_stops_the_publication_and_a_rerun_counts_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
        order = order_of_the_run_before(store)
    publish = publication.publish

    def sent_first(*arguments: Any) -> bool:
        arguments[0].execute(sa.text("UPDATE trade SET status = 'sent'"))
        return publish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish", sent_first)
        with pytest.raises(RebalanceError, match="orders of earlier advice were sent"):
            rebalance(settings, SESSION)
    assert query(settings, "SELECT count(*) FROM current_outcome") == [(0,)]
    with transaction(settings) as store:
        store.execute(sa.text("UPDATE trade SET status = 'sent' WHERE trade_id = 'early'"))
    report = rebalance(settings, SESSION)
    assert query(settings, "SELECT * FROM open_order") == [
        (report.run_id, order["account_id"], "early", order["quantity_micros"])
    ]


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


def test_a_run_that_newer_forecasts_replaced_meanwhile_is_not_published(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, run = publication.publish, tables["advice_run"]

    def replaced_first(*arguments: Any) -> bool:
        connection = arguments[0]
        delete_runs(connection, list(connection.execute(sa.select(run.c.run_id)).scalars()))
        return publish(*arguments)

    monkeypatch.setattr(publication, "publish", replaced_first)
    with pytest.raises(RebalanceError, match="no forecasts"):
        rebalance(sqlite_settings, SESSION)
    assert query(sqlite_settings, "SELECT count(*) FROM current_outcome") == [(0,)]
