"""Which instruments an advisor buys, sells and heeds forecasts of."""

from typing import Any

import numpy as np
import pytest
from advisor_examples import ADVISOR, MARKET, filled, make_advisor, published
from rebalance_examples import account, forecasts, market

from models.vocabulary import Outcome, Side, Trigger
from pipelines.errors import RebalanceError
from pipelines.rebalance.market.outlook import Forecast, make_outlook
from pipelines.rebalance.policy import POLICY


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
