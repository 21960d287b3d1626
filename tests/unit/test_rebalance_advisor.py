"""One account's advice: when it acts, what it leaves alone, and reasons that add up."""

import dataclasses

import numpy as np
import pytest
from advisor_examples import ADVISOR, MARKET, OUTLOOK, filled, make_advisor, published
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_examples import account

from models.vocabulary import MICROS_PER_CENT, AssetClass, Outcome, Side, Trigger
from pipelines.rebalance.advisor import Advisor
from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.market.outlook import make_outlook
from pipelines.rebalance.output.rows import outcome_rows
from pipelines.rebalance.policy import POLICY, ClassLimit
from pipelines.rebalance.trades.scalar.orders import lot_micros
from pipelines.rebalance.trades.scalar.weights import NANOS


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    shares = draw(st.dictionaries(st.sampled_from(MARKET.symbols), st.integers(1, 400), max_size=5))
    return account(
        shares,
        cash=draw(st.integers(100, 200_000)),
        share_kind=draw(st.sampled_from(["whole", "fractional"])),
        risk_score=draw(st.integers(1, 100)),
        cash_buffer_cents=draw(st.sampled_from([0, 10_000, 500_000])),
        excluded_symbols=frozenset(draw(st.sets(st.sampled_from(MARKET.symbols), max_size=2))),
        max_symbol_weight=draw(st.sampled_from([None, 0.05, 0.2])),
    )


@settings(max_examples=150, deadline=None)
@given(accounts())
def test_reasons_sum_to_the_signed_quantity_and_rounding_is_at_most_a_lot(one: Account) -> None:
    advice = ADVISOR.advise(one, None)
    assert len(advice.reasons) == len(advice.orders.orders)
    for order, reason in zip(advice.orders.orders, advice.reasons, strict=True):
        causes = [value for name, value in vars(reason).items() if name.endswith("_micros")]
        assert len(causes) == 9
        signed = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        assert sum(causes) == signed
        assert abs(reason.rounding_micros) <= lot_micros(one.share_kind, POLICY)
        assert reason.cash_flow_micros == reason.tax_micros == 0


@settings(max_examples=150, deadline=None)
@given(accounts())
def test_every_outcome_fits_what_is_done_and_cash_keeps_its_buffer(one: Account) -> None:
    advice = ADVISOR.advise(one, None)
    orders = advice.orders
    assert advice.sentence.endswith(".")
    assert orders.cash_before_cents == one.cash_cents
    assert (advice.outcome is Outcome.HELD) is (advice.new is None)
    assert (advice.outcome is Outcome.RELAXED) is bool(advice.relaxed)
    if advice.outcome in (Outcome.HELD, Outcome.WITHIN_BAND):
        assert orders.orders == ()
    else:
        assert advice.outcome is Outcome.RELAXED or orders.orders
    if advice.new:
        left = filled(advice).positions.values()
        lot = lot_micros(one.share_kind, POLICY)
        sellable = any(position.quantity_micros >= lot for position in left)
        assert orders.cash_after_cents >= one.cash_buffer_cents or not sellable
    else:
        assert orders.cash_after_cents == one.cash_cents
    if advice.new:
        assert sum(advice.new.target.symbols) + advice.new.target.cash == NANOS
        assert advice.new.solution.kkt_residual <= POLICY.kkt_tolerance


@settings(max_examples=150, deadline=None)
@given(accounts())
def test_once_its_trades_are_filled_an_account_does_not_trade_again(one: Account) -> None:
    first = ADVISOR.advise(one, None)
    if first.new is None:
        return
    same_session = ADVISOR.advise(filled(first), None)
    assert same_session.orders.orders == ()
    next_day = ADVISOR.advise(filled(first), published(first))
    assert next_day.orders.orders == ()


def test_an_account_within_its_band_keeps_its_target() -> None:
    first = ADVISOR.advise(account({"AAA": 100}), None)
    again = ADVISOR.advise(filled(first), published(first))
    assert (again.outcome, again.trigger) == (Outcome.WITHIN_BAND, Trigger.NONE)
    assert again.new is None


@settings(max_examples=50, deadline=None)
@given(st.lists(accounts(), min_size=2, max_size=5))
def test_an_account_is_advised_the_same_whoever_was_advised_before(several: list[Account]) -> None:
    alone = Advisor(MARKET, OUTLOOK, POLICY).advise(several[-1], None)
    together = [ADVISOR.advise(one, None) for one in several][-1]
    assert alone.orders == together.orders
    assert alone.reasons == together.reasons
    assert (alone.new and alone.new.target) == (together.new and together.new.target)


def test_without_confidence_forecasts_change_no_bit() -> None:
    one = account({"AAA": 20, "CCC": 50})
    silent = make_advisor(confidence=0.0).advise(one, None)
    outlook = make_outlook(MARKET, [], POLICY)
    without = Advisor(MARKET, outlook, POLICY).advise(one, None)
    assert outlook.expected_returns.tobytes() == outlook.todays_prior.tobytes()
    assert silent.new is not None
    assert without.new is not None
    assert silent.new.target == without.new.target
    assert silent.new.solution.objective == without.new.solution.objective
    assert silent.orders == without.orders
    assert {reason.forecast_micros for reason in silent.reasons} == {0}


def test_first_advice_has_no_drift_part_and_a_drifted_account_has_one() -> None:
    first = ADVISOR.advise(account({"AAA": 100}), None)
    assert first.trigger is Trigger.FIRST_ADVICE
    assert {reason.drift_micros for reason in first.reasons} == {0}
    moved = filled(first)
    more_cash = dataclasses.replace(
        moved,
        cash_micros=moved.cash_micros + 1_000_000 * MICROS_PER_CENT,
        wealth_cents=moved.wealth_cents + 1_000_000,
    )
    again = ADVISOR.advise(more_cash, published(first))
    assert again.trigger is Trigger.DRIFT
    assert any(reason.drift_micros > 0 for reason in again.reasons)
    assert any(
        "mainly because the account holds less of it than its last target" in reason.sentence
        for reason in again.reasons
    )


def test_a_changed_score_or_wish_makes_a_new_target() -> None:
    first = ADVISOR.advise(account({"AAA": 100}), None)
    last, later = published(first), filled(first)
    calmer = dataclasses.replace(later, risk_score=10)
    assert ADVISOR.advise(calmer, last).trigger is Trigger.PROFILE_CHANGE
    wish = dataclasses.replace(later, excluded_symbols=frozenset({"FFF"}))
    advice = ADVISOR.advise(wish, last)
    assert advice.trigger is Trigger.PROFILE_CHANGE
    (sale,) = [o for o in advice.orders.orders if MARKET.symbols[o.position] == "FFF"]
    assert sale.side is Side.SELL
    assert sale.quantity_micros == later.positions["FFF"].quantity_micros


def test_a_last_target_that_breaks_a_class_limit_of_today_is_replaced() -> None:
    # In a wide market a class's limit may be changed by the house while every symbol's stays.
    first = ADVISOR.advise(account(risk_score=100), None)
    last, later = published(first), filled(first)
    assert ADVISOR.advise(later, last).trigger is Trigger.NONE
    assert first.new is not None
    invested = first.new.target.as_fractions()[:-1]
    largest = int(np.argmax(MARKET.membership @ invested))
    asset_class = AssetClass(MARKET.classes[largest])
    symbol_weight = POLICY.class_limits[asset_class].symbol_weight
    narrower = dict(POLICY.class_limits) | {
        asset_class: ClassLimit(symbol_weight, float((MARKET.membership @ invested)[largest]) / 2)
    }
    policy = dataclasses.replace(POLICY, class_limits=narrower)
    advice = Advisor(MARKET, OUTLOOK, policy).advise(later, last)
    assert advice.trigger is Trigger.PROFILE_CHANGE
    assert advice.new is not None
    weights = MARKET.membership @ advice.new.target.as_fractions()[:-1]
    assert weights[largest] <= narrower[asset_class].class_weight + 1e-9


def test_a_last_target_with_less_cash_than_the_buffer_asks_for_today_is_replaced() -> None:
    first = ADVISOR.advise(account(cash=100_000, risk_score=100), None)
    last, later = published(first), filled(first)
    cash = later.wealth_cents // 2
    rich = dataclasses.replace(
        later,
        cash_micros=cash * MICROS_PER_CENT,
        wealth_cents=later.wealth_cents - later.cash_cents + cash,
        cash_buffer_cents=cash,
    )
    assert ADVISOR.advise(rich, last).trigger is Trigger.PROFILE_CHANGE


@pytest.mark.parametrize("share_kind", ["whole", "fractional"])
def test_a_raised_buffer_is_reached_though_no_weight_left_its_band(share_kind: str) -> None:
    first = ADVISOR.advise(account(cash=100_000, share_kind=share_kind), None)
    last, later = published(first), filled(first)
    raised = dataclasses.replace(later, cash_buffer_cents=later.cash_cents + 100_000)
    advice = ADVISOR.advise(raised, last)
    assert advice.outcome is Outcome.REBALANCED
    assert {order.side for order in advice.orders.orders} == {Side.SELL}
    assert advice.orders.cash_after_cents >= raised.cash_buffer_cents
    assert ADVISOR.advise(filled(advice), published(advice)).orders.orders == ()


def test_a_more_daring_score_holds_less_cash() -> None:
    cash = []
    for score in (1, 30, 60, 100):
        advice = make_advisor(0.0).advise(account(risk_score=score), None)
        assert advice.new is not None
        cash.append(advice.new.target.cash)
    assert cash == sorted(cash, reverse=True)
    assert cash[0] > 0.9 * NANOS


def test_a_target_date_in_the_past_asks_for_a_cash_like_target() -> None:
    advice = ADVISOR.advise(account(profile_issue="target_date_passed", risk_score=1), None)
    assert advice.new is not None
    assert advice.new.target.cash > 0.8 * NANOS


def test_an_account_smaller_than_the_smallest_trade_needs_none() -> None:
    advice = ADVISOR.advise(account(cash=9.0, share_kind="whole"), None)
    assert (advice.outcome, advice.orders.orders) == (Outcome.WITHIN_BAND, ())
    assert advice.new is not None


def test_wishes_that_leave_too_little_are_kept_and_the_relaxation_is_named() -> None:
    advice = ADVISOR.advise(account(max_symbol_weight=0.02, risk_score=100), None)
    assert advice.outcome is Outcome.RELAXED
    assert advice.new is not None
    assert advice.new.limits.relaxed == ("minimum_invested",)
    assert max(advice.new.target.symbols) <= 0.02 * NANOS
    assert advice.sentence.startswith("Your wishes and cash buffer leave less to invest")


def test_a_relaxation_is_named_even_where_nothing_is_traded() -> None:
    first = ADVISOR.advise(account(max_symbol_weight=0.02, risk_score=100), None)
    keeps_its_target = ADVISOR.advise(filled(first), published(first))
    new_target_nearby = ADVISOR.advise(filled(first), None)
    assert keeps_its_target.new is None
    assert new_target_nearby.new is not None
    for advice in (keeps_its_target, new_target_nearby):
        assert advice.orders.orders == ()
        assert advice.outcome is Outcome.RELAXED
        assert advice.sentence.startswith("Your wishes and cash buffer leave less to invest")
        (row,) = outcome_rows("run", [advice])
        assert row["relaxed_constraints"] == "minimum_invested"


def test_sentences_name_the_instrument_and_the_main_cause() -> None:
    advice = ADVISOR.advise(account({"BBB": 500}, share_kind="whole"), None)
    (reason,) = [
        reason
        for order, reason in zip(advice.orders.orders, advice.reasons, strict=True)
        if MARKET.symbols[order.position] == "BBB"
    ]
    assert reason.sentence.startswith("Sell ")
    assert "shares of Company BBB, mainly because" in reason.sentence
