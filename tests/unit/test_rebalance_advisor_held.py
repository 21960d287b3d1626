"""Accounts that cannot be advised are held, each alone, and say why."""

import dataclasses
from typing import Any

import pytest
from advisor_examples import ADVISOR, MARKET, make_advisor, published
from rebalance_examples import account, forecasts

from models.vocabulary import MICROS, Outcome, Side
from pipelines.rebalance.advisor import Advisor
from pipelines.rebalance.inputs.accounts import Account, Position
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.output.rows import outcome_rows
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.definition import AllocationModel, UnsolvedError


def held(one: Account, of: Advisor = ADVISOR) -> str:
    advice = of.advise(one, None)
    assert advice.outcome is Outcome.HELD
    assert advice.orders.orders == ()
    assert advice.new is None
    return advice.sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cash": -1.0}, "cash is negative"),
        ({"cash": 0.0}, "worth nothing"),
        ({"risk_score": None}, "no risk score"),
        ({"profile_issue": "no_risk_profile", "risk_score": 1}, "questionnaire"),
        ({"account_issue": "goal_missing"}, "goal that does not exist"),
        ({"account_issue": "empty", "cash": 0.0}, "empty"),
        ({"excluded_symbols": frozenset(MARKET.symbols)}, "exclude everything"),
        ({"cash": 50.0, "cash_buffer_cents": 5_001}, "cash buffer"),
    ],
)
def test_an_account_that_cannot_be_advised_is_held_and_says_why(
    changes: dict[str, Any], words: str
) -> None:
    assert words in held(account(**changes))


def test_an_unknown_symbol_an_unpriced_one_and_a_short_position_are_named() -> None:
    def holding(symbol: str, quantity: int, price: int | None) -> Account:
        position = Position(quantity, price, None if price is None else 100)
        return dataclasses.replace(account(), positions={symbol: position})

    assert "no current price for NEW" in held(holding("NEW", MICROS, None))
    assert "cannot advise on NEW" in held(holding("NEW", MICROS, MICROS))
    assert "owes shares of AAA" in held(holding("AAA", -MICROS, MICROS))


def test_no_worth_is_published_of_an_account_with_a_holding_that_has_no_price() -> None:
    stale = dataclasses.replace(account(), positions={"AAA": Position(MICROS, None, None)})
    worths = [
        row["wealth_cents"]
        for one in (account(), stale)
        for row in outcome_rows("run", [ADVISOR.advise(one, None)])
    ]
    assert worths == [1_000_000, None]


def test_a_verified_target_is_traded_though_its_reasons_cannot_all_be_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = account({"AAA": 100})
    expected = ADVISOR.advise(one, None)
    solve = AllocationModel.solve

    def fail_without_cost(self: AllocationModel, *rest: Any, **more: Any) -> Any:
        if self is outlook.today:
            raise UnsolvedError("no optimum")
        return solve(self, *rest, **more)

    outlook = make_outlook(MARKET, forecasts(), POLICY)
    monkeypatch.setattr(AllocationModel, "solve", fail_without_cost)
    advice = Advisor(MARKET, outlook, POLICY).advise(one, None)
    assert (advice.outcome, advice.orders) == (expected.outcome, expected.orders)
    assert advice.orders.orders
    for order, reason in zip(advice.orders.orders, advice.reasons, strict=True):
        causes = [value for name, value in vars(reason).items() if name.endswith("_micros")]
        signed = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        assert sum(causes) == signed
        assert reason.risk_model_micros == reason.forecast_micros == 0
        assert reason.sentence.endswith("its causes could not all be told apart.")


def test_an_account_without_a_verified_optimum_fails_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve = AllocationModel.solve

    def fail_for_the_daring(
        self: AllocationModel, returns: Any, aversion: float, *rest: Any, **more: Any
    ) -> Any:
        if aversion < 3:
            raise UnsolvedError("no optimum")
        return solve(self, returns, aversion, *rest, **more)

    monkeypatch.setattr(AllocationModel, "solve", fail_for_the_daring)
    advisor = make_advisor()
    failed = advisor.advise(account(risk_score=100), None)
    assert (failed.outcome, failed.new) == (Outcome.FAILED, None)
    assert advisor.advise(account(risk_score=20), None).outcome is Outcome.REBALANCED


def test_a_held_account_keeps_the_target_that_was_last_written_for_it() -> None:
    last = published(ADVISOR.advise(account(), None))
    advice = ADVISOR.advise(account(cash=-1.0), last)
    assert advice.last is last
