"""Each law of a published run is broken by what it forbids, and by nothing that was written."""

from pathlib import Path

import pytest
from rebalance_runs import copy_home, make_run
from warehouse_inputs import SESSION

from pipelines.rebalance import rebalance
from pipelines.rebalance.output.invariants import INVARIANTS, violations
from pipelines.settings import Settings
from pipelines.store import transaction

SELL = "trade_id = (SELECT min(trade_id) FROM trade WHERE side = 'sell')"
BUY = SELL.replace("sell", "buy")
BUYER = "account_id = (SELECT min(account_id) FROM trade WHERE side = 'buy')"
SELLER = BUYER.replace("buy", "sell")
KO = f"{SELLER} AND symbol = 'KO'"

BROKEN_BY = {
    "every account has one outcome, and shards have all their rows": (
        "DELETE FROM client_outcome WHERE outcome = 'held'",
        "UPDATE advice_shard SET status = 'failed'",
        "UPDATE advice_shard SET trades = trades - 1",
    ),
    "every outcome and every trade says why": (
        f"UPDATE client_outcome SET sentence = '' WHERE {BUYER}",
        f"UPDATE trade_reason SET sentence = '' WHERE {BUY}",
    ),
    "an account that is not held, blocked or failed has a target, which is there": (
        f"UPDATE client_outcome SET allocation_run_id = NULL WHERE {BUYER}",
        f"UPDATE client_outcome SET allocation_run_id = 'gone' WHERE {BUYER}",
        f"DELETE FROM target_allocation WHERE {BUYER}",
    ),
    "weights with cash sum to 1": (
        f"DELETE FROM target_allocation WHERE {BUYER} AND symbol = '$CASH'",
    ),
    "weights keep their bounds": (
        f"UPDATE target_allocation SET upper_bound = weight - 0.001 WHERE {KO}",
        f"UPDATE target_allocation SET lower_bound = weight + 0.001 WHERE {KO}",
    ),
    "cash before + sells - buys - fees = cash after": (
        f"UPDATE client_outcome SET cash_after_cents = cash_after_cents + 1 WHERE {BUYER}",
    ),
    "who buys keeps the cash buffer, and is never in debt": (
        "UPDATE client_outcome SET cash_before_cents = cash_before_cents - cash_after_cents + 9999,"
        f" cash_after_cents = 9999 WHERE {BUYER}",
    ),
    "nobody sells more than is held": (
        f"UPDATE client_outcome SET wealth_cents = cash_before_cents + 1 WHERE {SELLER}",
        f"UPDATE target_allocation SET current_weight = 0 WHERE {KO}",
    ),
    "an outcome's sells, buys and fees are those of its trades": (
        f"UPDATE trade SET fee_cents = fee_cents + 1 WHERE {BUY}",
        "UPDATE client_outcome SET sells_cents = sells_cents + 1,"
        f" cash_after_cents = cash_after_cents + 1 WHERE {BUYER}",
    ),
    "every trade belongs to an account with an outcome": (
        f"UPDATE trade SET account_id = 'nobody' WHERE {BUY}",
    ),
    "all trades are of instruments, and end on one day after the session": (
        f"UPDATE trade SET symbol = 'ZZZ' WHERE {BUY}",
        f"UPDATE trade SET valid_until = '2031-01-02' WHERE {BUY}",
        f"UPDATE trade SET valid_until = '{SESSION}'",
    ),
    "notional is quantity times price, to the nearest cent": (
        f"UPDATE trade SET notional_cents = notional_cents + 1 WHERE {BUY}",
    ),
    "an account sells before it buys, and trades a symbol once": (
        f"UPDATE trade SET sequence = 99 WHERE {SELL}",
        f"UPDATE trade SET symbol = 'KO' WHERE {SELLER}",
    ),
    "every trade has its reason, whose causes sum to its quantity": (
        f"UPDATE trade_reason SET drift_micros = drift_micros + 1 WHERE {BUY}",
        f"DELETE FROM trade_reason WHERE {BUY}",
    ),
    "rounding is no more than a share": (
        "UPDATE trade_reason SET rounding_micros = rounding_micros + 2000000,"
        f" drift_micros = drift_micros - 2000000 WHERE {BUY}",
    ),
    "an account with a new target has a verified optimum": (
        f"UPDATE client_outcome SET kkt_residual = 0.001 WHERE {BUYER}",
        f"UPDATE client_outcome SET kkt_residual = NULL WHERE {BUYER}",
    ),
    "what is held, blocked or failed is not traded": (
        f"UPDATE client_outcome SET outcome = 'held' WHERE {BUYER}",
    ),
    "a sell closes lots of what it sells for what it brings, and a buy none": (
        f"DELETE FROM trade_lot WHERE {SELL}",
        f"UPDATE trade_lot SET quantity_micros = quantity_micros - 1 WHERE {SELL}",
        f"UPDATE trade_lot SET proceeds_cents = proceeds_cents + 1 WHERE {SELL}",
        f"UPDATE trade_lot SET {BUY} WHERE {SELL}",
    ),
    "weights under other views sum to 1": (
        "UPDATE counterfactual_target SET weights = replace(weights, '1', '2')",
    ),
}


@pytest.fixture(scope="module")
def published(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    settings = make_run(copy_home(built_home, tmp_path_factory.mktemp("invariants") / "home"))
    with transaction(settings) as store:
        # So that accounts sell what they hold.
        store.exec_driver_sql(
            "UPDATE forecast SET expected_log_return = -0.3, confidence = 0.9 WHERE symbol = 'KO'"
        )
    return settings, rebalance(settings, SESSION).run_id


class _Undo(Exception):  # noqa: N818 - it ends a transaction, nothing is wrong
    pass


def test_a_published_run_breaks_no_law(published: tuple[Settings, str]) -> None:
    settings, run_id = published
    with transaction(settings) as store:
        assert violations(store, run_id) == dict.fromkeys(BROKEN_BY, 0)


@pytest.mark.parametrize("law", INVARIANTS)
def test_a_law_notices_what_it_forbids(published: tuple[Settings, str], law: str) -> None:
    settings, run_id = published
    for statement in BROKEN_BY[law]:
        with pytest.raises(_Undo), transaction(settings) as store:
            assert store.exec_driver_sql(statement).rowcount > 0, statement
            assert violations(store, run_id)[law] > 0, statement
            raise _Undo
