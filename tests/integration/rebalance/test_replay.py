"""A past run is made again from what was recorded of it, whatever came later."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from dag_tasks import call_task
from rebalance_runs import (
    contents,
    copy_home,
    identify_run,
    make_run,
    order_of_the_run_before,
    publish_before,
    query,
)
from typer.testing import CliRunner
from warehouse_inputs import SESSION, SESSIONS, add_prices, price_row

from models.store_trades import TRADE
from pipelines.cli import app
from pipelines.errors import ReplayError
from pipelines.lake import arrow_schema
from pipelines.rebalance import rebalance
from pipelines.replay import Difference, replay
from pipelines.replay.comparison import Comparison, comparison
from pipelines.settings import Settings
from pipelines.store import insert_arrow, transaction
from pipelines.warehouse import transform

LATER = dt.datetime(2022, 12, 28, 23, tzinfo=dt.UTC)


def test_a_run_is_made_again_to_the_bit_after_a_restatement_a_new_model_and_an_earlier_run(
    sqlite_settings: Settings,
) -> None:
    settings = sqlite_settings
    first = rebalance(settings, SESSION)
    restated = price_row("KO", SESSIONS[-60], 11.0, known_at=LATER, known_at_basis="observed")
    add_prices(settings, [restated])
    transform(settings, SESSION)
    second = rebalance(make_run(settings, version=2, confidence=0.9), SESSION)
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
    assert second.run_id != first.run_id
    before = contents(settings)
    found = replay(settings, first.run_id[:8])
    assert (found.run_id, found.differences, found.notes) == (first.run_id, (), ())
    assert found.accounts == first.accounts
    assert contents(settings) == before


@pytest.mark.long
def test_a_superseded_run_is_made_again_from_a_server_s_store(
    built_home: Path, tmp_path: Path, postgresql_url: str
) -> None:
    settings = make_run(copy_home(built_home, tmp_path / "home", postgresql_url))
    first = rebalance(settings, SESSION)
    rebalance(make_run(settings, version=2, confidence=0.9), SESSION)
    found = replay(settings, first.run_id)
    assert (found.accounts, found.differences, found.notes) == (first.accounts, (), ())


@pytest.mark.long
def test_a_run_is_made_again_with_the_orders_that_it_counted_after_they_ended(
    sqlite_settings: Settings,
) -> None:
    settings = sqlite_settings
    with transaction(settings) as store:
        publish_before(store, identify_run(settings))
        order_of_the_run_before(store)
        store.execute(sa.text("UPDATE trade SET status = 'sent'"))
    first = rebalance(settings, SESSION)
    with transaction(settings) as store:
        store.execute(sa.text("UPDATE trade SET status = 'sent' WHERE account_id = 'dee-1'"))
    second = rebalance(make_run(settings, version=2, confidence=0.9), SESSION)
    assert second.outcomes["blocked"] == 1
    with transaction(settings) as store:
        store.execute(sa.text("UPDATE trade SET status = 'expired'"))
    for report in (first, second):
        found = replay(settings, report.run_id)
        assert (found.accounts, found.differences, found.notes) == (report.accounts, (), ())


@pytest.mark.long
def test_rows_that_were_tampered_with_are_shown_and_the_exit_code_is_1(
    sqlite_settings: Settings,
) -> None:
    run_id = rebalance(sqlite_settings, SESSION).run_id
    with transaction(sqlite_settings) as store:
        for statement in (
            "UPDATE client_outcome SET cash_after_cents = cash_after_cents + 1"
            " WHERE account_id = 'dee-0'",
            "UPDATE trade SET status = 'sent'",
            "DELETE FROM trade_reason WHERE trade_id = (SELECT min(trade_id) FROM trade_reason)",
        ):
            store.execute(sa.text(statement))
    done = CliRunner().invoke(
        app,
        ["replay", run_id],
        env={"SMARTINVEST_HOME": str(sqlite_settings.home), "COLUMNS": "200"},
    )
    assert done.exit_code == 1, done.output
    assert "differences: 2" in done.output
    assert "cash_after_cents" in done.output
    assert "trade_reason" in done.output
    assert "note:" not in done.output
    # The DAG takes the newest run by itself.
    task = call_task(sqlite_settings, "replay", "replay", run_id=None)
    assert task.returncode == 1
    for said in (run_id, "2 rows differ", "cash_after_cents", "trade_reason: 1 rows missing"):
        assert said in task.stderr


def test_what_is_no_published_run_is_refused_with_what_helps(sqlite_settings: Settings) -> None:
    with pytest.raises(ReplayError, match="the store has no such run"):
        replay(sqlite_settings, "nothing")
    [(run_id,)] = query(sqlite_settings, "SELECT run_id FROM advice_run")
    with pytest.raises(ReplayError, match="never published"):
        replay(sqlite_settings, run_id)
    with transaction(sqlite_settings) as store:
        publish_before(store, identify_run(sqlite_settings))
    with pytest.raises(ReplayError, match="more than one run"):
        replay(sqlite_settings, "")


@pytest.fixture
def compared(tmp_path: Path) -> Iterator[Comparison]:
    with comparison(tmp_path) as found:
        yield found


def trades(*quantities: int) -> pa.Table:
    """Trades numbered from 0, of one run."""
    count = len(quantities)
    texts = {"run_id": "r", "account_id": "a", "symbol": "X", "side": "buy", "status": "sent"}
    numbers = dict.fromkeys(("price_micros", "notional_cents", "fee_cents", "sequence"), 1)
    columns = {name: [value] * count for name, value in (texts | numbers).items()}
    columns |= {"trade_id": [f"t{number}" for number in range(count)]}
    columns |= {"quantity_micros": list(quantities), "valid_until": [SESSION] * count}
    return pa.table(
        {name: columns[name] for name in TRADE.column_names}, schema=arrow_schema(TRADE)
    )


def test_rows_on_one_side_and_changed_values_are_counted_and_shown(
    compared: Comparison, store: Settings
) -> None:
    with transaction(store) as connection:
        insert_arrow(connection, TRADE, trades(1, 2, 3))
        compared.add_stored(connection, "r")
        compared.add_stored(connection, "another")
    compared.add_replayed("trade", trades(1, 5))
    compared.add_replayed("trade", trades(0, 0, 0, 7).slice(3))
    assert compared.differences() == (
        Difference(
            "trade",
            1,
            1,
            1,
            (
                ("t2", "", "a row", "no row"),
                ("t3", "", "no row", "a row"),
                ("t1", "quantity_micros", 2, 5),
            ),
        ),
    )


def test_what_the_broker_made_of_a_trade_is_no_difference(
    compared: Comparison, store: Settings
) -> None:
    rows = trades(1, 2)
    with transaction(store) as connection:
        insert_arrow(connection, TRADE, rows)
        connection.execute(sa.text("UPDATE trade SET status = 'filled'"))
        compared.add_stored(connection, "r")
    compared.add_replayed("trade", rows)
    assert compared.differences() == ()
