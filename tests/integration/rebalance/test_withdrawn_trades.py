"""What becomes of a run's trades when another run of its session takes its place."""

from typing import Any

import pytest
import sqlalchemy as sa
from rebalance_runs import make_run, query
from warehouse_inputs import SESSION

from pipelines.errors import RebalanceError
from pipelines.fills import paper_fills
from pipelines.rebalance import rebalance
from pipelines.rebalance.output import publication
from pipelines.settings import Settings
from pipelines.store import transaction

BY_RUN = "SELECT DISTINCT run_id, status FROM trade ORDER BY status"


def _mark(store: sa.Connection, trade_id: str, status: str) -> None:
    store.execute(
        sa.text("UPDATE trade SET status = :status WHERE trade_id = :trade"),
        {"status": status, "trade": trade_id},
    )


def _newer_run(settings: Settings) -> Settings:
    return make_run(settings, version=2, confidence=0.9)


def test_what_was_not_sent_is_cancelled_and_proposed_again_if_the_run_comes_back(
    settings: Settings,
) -> None:
    first = rebalance(settings, SESSION)
    second = rebalance(_newer_run(settings), SESSION)
    assert query(settings, BY_RUN) == [(first.run_id, "cancelled"), (second.run_id, "proposed")]
    rebalance(make_run(settings, version=1), SESSION)
    assert query(settings, BY_RUN) == [(second.run_id, "cancelled"), (first.run_id, "proposed")]


def test_an_account_with_a_sent_order_keeps_all_of_the_advice_that_it_is_of(
    sqlite_settings: Settings,
) -> None:
    settings = sqlite_settings
    first = rebalance(settings, SESSION)
    (sent, account), *_ = query(
        settings,
        "SELECT min(trade_id), account_id FROM trade GROUP BY account_id HAVING count(*) > 1",
    )
    with transaction(settings) as store:
        _mark(store, sent, "sent")
    second = rebalance(_newer_run(settings), SESSION)
    of_account = "SELECT DISTINCT run_id, status FROM trade WHERE account_id = :account"
    assert sorted(query(settings, of_account, account=account)) == [
        (first.run_id, "proposed"),
        (first.run_id, "sent"),
    ]
    others = "SELECT DISTINCT status FROM trade WHERE account_id <> :account AND run_id = :run"
    assert query(settings, others, account=account, run=first.run_id) == [("cancelled",)]
    # The broker goes on with what both runs ordered.
    paper_fills(settings)
    assert query(settings, of_account, account=account) == [(first.run_id, "sent")]
    in_force = "SELECT DISTINCT status FROM trade WHERE run_id = :run"
    assert query(settings, in_force, run=second.run_id) == [("sent",)]


def test_an_order_sent_while_new_advice_is_made_is_not_advised_on_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rebalance(settings, SESSION)
    newer = _newer_run(settings)
    [(trade, account)] = query(settings, "SELECT trade_id, account_id FROM trade LIMIT 1")
    publish = publication.publish

    def sent_first(*arguments: Any) -> bool:
        _mark(arguments[0], trade, "sent")
        return publish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "publish", sent_first)
        with pytest.raises(RebalanceError, match="were sent"):
            rebalance(newer, SESSION)
    published = "SELECT run_id FROM advice_run WHERE status = 'published'"
    assert query(settings, published) == [(first.run_id,)]
    with transaction(settings) as store:
        _mark(store, trade, "sent")
    second = rebalance(newer, SESSION)
    assert query(settings, published) == [(second.run_id,)]
    blocked = "SELECT account_id FROM current_outcome WHERE outcome = 'blocked'"
    assert (account,) in query(settings, blocked)


def test_advice_does_not_come_back_for_an_account_with_orders_of_what_replaced_it(
    sqlite_settings: Settings,
) -> None:
    settings = sqlite_settings
    rebalance(settings, SESSION)
    second = rebalance(_newer_run(settings), SESSION)
    sent = "SELECT min(trade_id) FROM trade WHERE run_id = :run"
    with transaction(settings) as store:
        _mark(store, query(settings, sent, run=second.run_id)[0][0], "sent")
    with pytest.raises(RebalanceError, match="were sent"):
        rebalance(make_run(settings, version=1), SESSION)
    published = "SELECT run_id FROM advice_run WHERE status = 'published'"
    assert query(settings, published) == [(second.run_id,)]
