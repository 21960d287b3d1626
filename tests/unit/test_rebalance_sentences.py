"""What clients are told of trades and accounts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from rebalance_examples import market
from shard_examples import made_shard, valued
from shard_market import MARKET

from models.vocabulary import Constraint, NoTrade, Outcome, Trigger
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.limits.relaxation import bit
from pipelines.rebalance.reasons.account_sentences import Told, account_sentences
from pipelines.rebalance.reasons.paths import CAUSE_NAMES
from pipelines.rebalance.reasons.sentences import shares_text, trade_sentences
from pipelines.rebalance.reasons.words import (
    CAUSE_WORDS,
    FEWER_WORDS,
    NO_TRADE_WORDS,
    TRIGGER_WORDS,
)

SHARE = 1_000_000


def sentence(traded: int, is_complete: int = 1, of: Any = MARKET, **causes: int) -> str:
    row = np.array([[causes.get(cause, 0) for cause in CAUSE_NAMES]])
    told = trade_sentences(of, np.array([0]), np.array([traded]), row, np.array([is_complete]))
    return str(told[0])


@pytest.mark.parametrize(
    ("traded", "causes", "expected"),
    [
        (
            3 * SHARE,
            {"drift": 2 * SHARE, "forecast": SHARE},
            "Buy 3 shares of Company AAA, mainly because prices moved and the account holds less "
            "of it than its last target asks for.",
        ),
        (
            -SHARE,
            {"drift": 5 * SHARE, "profile": -6 * SHARE},
            "Sell 1 share of Company AAA, mainly because your goal, its date and your risk score "
            "ask for less of it, though fewer because of prices that moved.",
        ),
        (
            1_234_500_001,
            {"forecast": 1_234_500_001},
            "Buy 1,234.500001 shares of Company AAA, mainly because forecasts for the coming "
            "month favour it (an estimate, not a promise).",
        ),
        (
            -20_000,
            {"cash_flow": -20_000},
            "Sell 0.02 shares of Company AAA, mainly to raise cash that you need.",
        ),
    ],
)
def test_a_trade_is_told_by_its_main_cause(
    traded: int, causes: dict[str, int], expected: str
) -> None:
    assert sentence(traded, **causes) == expected


def test_what_takes_much_of_a_trade_away_is_told_too() -> None:
    taxed = sentence(-3 * SHARE, profile=-8 * SHARE, tax=4 * SHARE, cost=SHARE)
    assert taxed.endswith("ask for less of it, though fewer because of tax.")
    little = sentence(-3 * SHARE, profile=-3 * SHARE - SHARE // 2, tax=SHARE // 2)
    assert little.endswith("ask for less of it.")


def test_of_equal_causes_the_first_of_the_path_is_told() -> None:
    assert "goal, its date" in sentence(2 * SHARE, profile=SHARE, tax=SHARE)


def test_a_trade_whose_causes_could_not_be_told_apart_says_so() -> None:
    told = sentence(SHARE, is_complete=0, forecast=SHARE)
    assert told.endswith("its causes could not all be told apart.")


def test_what_left_the_universe_is_sold_for_that() -> None:
    told = sentence(-SHARE, of=market(AAA={"is_member": False}), drift=-SHARE)
    assert told == "Sell 1 share of Company AAA, because it is no longer among what we advise on."


def test_shares_are_written_as_people_write_them() -> None:
    micros = np.array([0, 1, 10, 999_999, 1_000_000, 1_000_000_000, 1_234_567_890_123])
    assert shares_text(micros).to_pylist() == [
        "0", "0.000001", "0.00001", "0.999999", "1", "1,000", "1,234,567.890123"
    ]  # fmt: skip


def test_every_word_that_a_client_may_meet_is_there() -> None:
    assert set(CAUSE_WORDS) == set(CAUSE_NAMES)
    assert [*FEWER_WORDS, "rounding"] == [*CAUSE_NAMES]
    assert set(NO_TRADE_WORDS) == set(NoTrade)
    assert set(TRIGGER_WORDS) == set(Trigger)


def told(**changes: Any) -> str:
    """The sentence of one account that was rebalanced by two trades since it drifted."""
    accounts = valued(made_shard(MARKET, 1, seed=1), MARKET).accounts
    issue = np.zeros(len(accounts.goal), np.int8)
    issue[0] = ACCOUNT_ISSUES.index(changes.pop("issue", AccountIssue.NONE))
    details = [changes.pop("detail", ""), *[""] * (len(issue) - 1)]
    values: dict[str, Any] = {
        "outcome": Outcome.REBALANCED,
        "trigger": Trigger.DRIFT,
        "trades": 2,
        "drift": 0.0654,
        "relaxed": 0,
        "infeasible": 0,
        "has_new_target": True,
        "is_flow_only": False,
        "is_cooling": False,
        "raises_cash": False,
        "risk_score": 40,
        "cash_weight": np.nan,
        "risky_limit": 0.3,
    } | changes
    values["outcome"] = tuple(Outcome).index(values["outcome"])
    values["trigger"] = tuple(Trigger).index(values["trigger"])
    columns = {name: np.full(len(issue), value) for name, value in values.items()}
    object.__setattr__(accounts, "issue", issue)
    object.__setattr__(accounts, "issue_detail", pa.array(details))
    return str(account_sentences(accounts, Told(**columns))[0])


def test_an_account_that_trades_is_told_how_often_why_and_how_far_off_it_was() -> None:
    assert told() == (
        "2 trades bring this account to its target, because prices moved what it holds away from "
        "its target. 6.5% of its worth was not where the target wants it."
    )
    assert told(trades=1).startswith("1 trade brings this account to its target")
    flow = {"is_flow_only": True, "trigger": Trigger.CASH_FLOW}
    begins = "2 trades bring this account's cash to its place, because "
    assert told(**flow).startswith(begins + "money came in. 6.5% of")
    assert told(**flow, raises_cash=True).startswith(begins + "cash is needed. 6.5% of")


def test_a_client_whose_money_mostly_stays_cash_is_told_so_and_why() -> None:
    assert told(cash_weight=0.7049).endswith(
        " About 70% of the money for this goal stays cash: a risk score of 40 and the loss that "
        "you can bear allow at most 30% in investments that can fall far in price, and we have "
        "nothing safer to offer than cash."
    )
    short = told(cash_weight=0.7, risky_limit=np.nan)
    assert short.endswith(" About 70% of the money for this goal stays cash.")
    idle = told(cash_weight=0.7, outcome=Outcome.WITHIN_BAND, trades=0)
    assert "Nothing is traded" in idle
    assert "stays cash" in idle
    assert "stays cash" not in told(cash_weight=0.7, outcome=Outcome.FAILED, trades=0)


def test_an_account_that_does_not_trade_is_told_why() -> None:
    idle = {"outcome": Outcome.WITHIN_BAND, "trades": 0}
    assert told(**idle, has_new_target=False).startswith("Nothing to do: every holding is within")
    assert "has a new target, because prices moved" in told(**idle)
    assert told(**idle, has_new_target=False, drift=0.8369) == (
        "Nothing to do: 83.7% of its worth is not where the target wants it, but no investment is "
        "off by much more than the smallest trade that can be made of it."
    )
    assert "traded lately" in told(**idle, has_new_target=False, is_cooling=True)
    failed = {"outcome": Outcome.FAILED, "trades": 0}
    assert told(**failed).startswith("Nothing was traded: no target passed our checks. We look")
    assert told(**failed, issue=AccountIssue.TOO_LARGE) == (
        "Nothing was traded: it holds more than we can advise on. We look into it; you need not do "
        "anything."
    )


def test_an_account_that_is_left_alone_is_told_what_is_wrong() -> None:
    held = {"outcome": Outcome.HELD, "trades": 0, "drift": np.nan}
    unpriced = told(**held, issue=AccountIssue.UNPRICED_HOLDING, detail="XYZ")
    assert unpriced == "Nothing was traded: there is no current price for XYZ."
    wish = told(**held, infeasible=bit(Constraint.CLIENT_WISH))
    assert wish.startswith("Nothing was traded: your wishes")
    assert told(**held).endswith("orders that are with the broker will take more than it has.")


def test_what_gave_way_is_told_before_what_was_done() -> None:
    relaxed = told(outcome=Outcome.RELAXED, relaxed=bit(Constraint.MINIMUM_INVESTED))
    assert relaxed.startswith("Your wishes or your cash buffer leave less to invest than ")
    assert ". 2 trades bring this account to its target" in relaxed
