"""One account's advice: when it acts, what it leaves alone, and reasons that add up."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_examples import PRICES, account, forecasts, market

from models.vocabulary import CASH, MICROS, MICROS_PER_CENT, AssetClass, Outcome, Side, Trigger
from pipelines.errors import RebalanceError
from pipelines.rebalance.accounts import Account, Position
from pipelines.rebalance.advisor import Advice, Advisor
from pipelines.rebalance.allocation import AllocationModel, UnsolvedError
from pipelines.rebalance.history import LastTarget
from pipelines.rebalance.market import Market
from pipelines.rebalance.orders import lot_micros, notional_cents
from pipelines.rebalance.outlook import Forecast, make_outlook
from pipelines.rebalance.policy import POLICY, ClassLimit
from pipelines.rebalance.rows import outcome_rows
from pipelines.rebalance.weights import NANOS

MARKET = market()


def make_advisor(confidence: float = 0.2, of: Market = MARKET) -> Advisor:
    return Advisor(of, make_outlook(of, forecasts(confidence), POLICY), POLICY)


OUTLOOK = make_outlook(MARKET, forecasts(), POLICY)
ADVISOR = Advisor(MARKET, OUTLOOK, POLICY)


def published(advice: Advice, run_id: str = "before") -> LastTarget:
    """The target of an advice as a later run reads it from the store."""
    assert advice.new is not None
    weights = advice.new.target.as_fractions().tolist()
    limits = advice.new.limits.limits
    names = (*MARKET.symbols, CASH)
    upper = [*limits.upper.tolist(), limits.cash_ceiling]
    return LastTarget(
        run_id,
        advice.account.risk_score,
        dict(zip(names, weights, strict=True)),
        dict(zip(names, upper, strict=True)),
    )


def filled(advice: Advice) -> Account:
    """The account once all its trades are done."""
    held = {
        symbol: position.quantity_micros for symbol, position in advice.account.positions.items()
    }
    for order in advice.orders.orders:
        symbol = MARKET.symbols[order.position]
        signed = order.quantity_micros if order.side is Side.BUY else -order.quantity_micros
        held[symbol] = held.get(symbol, 0) + signed
    positions = {
        symbol: Position(quantity, PRICES[symbol], notional_cents(quantity, PRICES[symbol]))
        for symbol, quantity in held.items()
        if quantity
    }
    cash = advice.orders.cash_after_cents
    return dataclasses.replace(
        advice.account,
        positions=positions,
        cash_micros=cash * MICROS_PER_CENT,
        wealth_cents=cash + sum(p.value_cents or 0 for p in positions.values()),
    )


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


def test_a_forecast_that_is_not_a_number_stops_the_run() -> None:
    with pytest.raises(RebalanceError, match="not all are finite"):
        make_outlook(MARKET, [Forecast("AAA", float("nan"), 0.1, 0.5)], POLICY)


def test_a_forecast_for_what_cannot_be_bought_is_not_used() -> None:
    with_extra = make_outlook(MARKET, [*forecasts(), Forecast("ZZZ", 1.0, 0.1, 0.9)], POLICY)
    without = make_outlook(MARKET, forecasts(), POLICY)
    assert with_extra.expected_returns.tobytes() == without.expected_returns.tobytes()


@pytest.mark.parametrize(
    "change", [{"tradable": False}, {"price_is_fresh": False, "price_micros": None}]
)
def test_only_tradable_symbols_with_a_fresh_price_are_bought(change: dict[str, Any]) -> None:
    narrowed = market(FFF=change)
    assert "FFF" not in narrowed.symbols
    advice = make_advisor(of=narrowed).advise(account(), None)
    assert advice.orders.orders
    assert narrowed.reference_weights.sum() == pytest.approx(1)
    assert np.isfinite(narrowed.daily_returns).all()


def test_what_left_the_universe_is_sold_and_bought_by_nobody() -> None:
    left = market(FFF={"is_member": False})
    holder = account({"FFF": 400, "CCC": 20})
    advice = make_advisor(of=left).advise(holder, None)
    assert advice.new is not None
    sold = {
        left.symbols[order.position]: (order.quantity_micros, reason.sentence)
        for order, reason in zip(advice.orders.orders, advice.reasons, strict=True)
        if order.side is Side.SELL
    }
    quantity, sentence = sold["FFF"]
    assert quantity == holder.positions["FFF"].quantity_micros
    assert "no longer among what we advise on" in sentence

    place = left.symbols.index("FFF")
    for one in (account(), holder):
        new = make_advisor(of=left).advise(one, None).new
        assert new is not None
        assert new.target.symbols[place] == new.limits.limits.upper[place] == 0


def test_a_forecast_and_a_reference_weight_of_what_left_the_universe_are_not_used() -> None:
    left = market(FFF={"is_member": False})
    place = left.symbols.index("FFF")
    others = [forecast for forecast in forecasts() if forecast.symbol != "FFF"]
    expected = [
        make_outlook(left, given, POLICY).expected_returns for given in (forecasts(), others)
    ]
    assert expected[0].tobytes() == expected[1].tobytes()
    assert left.reference_weights[place] == 0
    assert left.reference_weights.sum() == pytest.approx(1)


def test_an_account_sells_what_leaves_the_universe_after_its_last_advice() -> None:
    before = ADVISOR.advise(account(), None)
    bought = filled(before)
    symbol = max(bought.positions, key=lambda name: bought.positions[name].value_cents or 0)
    advisor = make_advisor(of=market(**{symbol: {"is_member": False}}))
    advice = advisor.advise(bought, published(before))
    assert advice.trigger is Trigger.PROFILE_CHANGE
    assert symbol not in filled(advice).positions


@pytest.mark.parametrize("change", [{"tradable": False}, {"is_member": False}])
def test_a_market_where_nothing_may_be_bought_stops_the_run(change: dict[str, Any]) -> None:
    with pytest.raises(RebalanceError, match="instruments that may be bought"):
        market(**dict.fromkeys(MARKET.symbols, change))


def test_one_asset_alone_can_be_advised_on() -> None:
    others = {symbol: {"tradable": False} for symbol in MARKET.symbols if symbol != "FFF"}
    alone = market(**others)
    advice = make_advisor(of=alone).advise(account(), None)
    assert advice.outcome in (Outcome.REBALANCED, Outcome.RELAXED)
    assert alone.symbols == ("FFF",)


def test_sentences_name_the_instrument_and_the_main_cause() -> None:
    advice = ADVISOR.advise(account({"BBB": 500}, share_kind="whole"), None)
    (reason,) = [
        reason
        for order, reason in zip(advice.orders.orders, advice.reasons, strict=True)
        if MARKET.symbols[order.position] == "BBB"
    ]
    assert reason.sentence.startswith("Sell ")
    assert "shares of Company BBB, mainly because" in reason.sentence
