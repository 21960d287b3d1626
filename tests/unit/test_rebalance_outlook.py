"""What a market is expected to do under each view, and what may not count."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from rebalance_examples import CLASSES, daily_returns, history, instrument, market
from shard_market import MARKET, forecasts, outlook_of

from models.vocabulary import AllocationView
from pipelines.errors import RebalanceError
from pipelines.rebalance.market.forecasts import Forecast, RunForecasts
from pipelines.rebalance.market.market import make_market
from pipelines.rebalance.market.outlook import Outlook, make_outlook
from pipelines.rebalance.policy import POLICY

VIEWS = tuple(AllocationView)


def returns_of(outlook: Outlook, view: AllocationView) -> bytes:
    return outlook.view_returns[VIEWS.index(view)].tobytes()


def test_views_without_confidence_are_the_prior_bit_for_bit() -> None:
    outlook = outlook_of(0.0)
    for view in VIEWS:
        assert returns_of(outlook, view) == outlook.todays_prior.tobytes()
    assert outlook.expected_returns.tobytes() == outlook.todays_prior.tobytes()


def test_each_view_follows_its_own_forecasts() -> None:
    outlook = outlook_of(0.3)
    found = [returns_of(outlook, view) for view in VIEWS]
    assert len(set(found)) == len(VIEWS)
    assert returns_of(outlook, AllocationView.LSTM) == outlook.expected_returns.tobytes()
    assert returns_of(outlook, AllocationView.NONE) == outlook.todays_prior.tobytes()


def test_a_view_without_forecasts_is_the_prior() -> None:
    outlook = make_outlook(MARKET, RunForecasts(forecasts(0.3, 5)), POLICY)
    for view in VIEWS:
        assert returns_of(outlook, view) == outlook.todays_prior.tobytes()
    assert outlook.expected_returns.tobytes() != outlook.todays_prior.tobytes()


@pytest.mark.parametrize("field", ["expected_log_return", "stdev_log_return", "confidence"])
def test_a_forecast_that_is_not_a_number_is_not_used(field: str) -> None:
    first, *others = forecasts(0.3, 5)
    broken = dataclasses.replace(first, **{field: float("nan")})
    with_it = make_outlook(MARKET, RunForecasts((broken, *others)), POLICY)
    without = make_outlook(MARKET, RunForecasts(tuple(others)), POLICY)
    assert with_it.expected_returns.tobytes() == without.expected_returns.tobytes()


def test_forecasts_and_reference_weights_of_what_may_not_be_bought_are_not_used() -> None:
    without = market(AAA={"is_member": False})
    names = {one.symbol for one in forecasts(0.3, 5)}
    assert "AAA" in names
    all_of_them = make_outlook(without, RunForecasts(forecasts(0.3, 5)), POLICY)
    others = tuple(one for one in forecasts(0.3, 5) if one.symbol != "AAA")
    only_others = make_outlook(without, RunForecasts(others), POLICY)
    assert all_of_them.expected_returns.tobytes() == only_others.expected_returns.tobytes()
    assert without.reference_weights[without.symbols.index("AAA")] == 0.0


@pytest.mark.parametrize(
    "change", [{"tradable": False}, {"price_is_fresh": False, "price_micros": None}]
)
def test_only_tradable_symbols_with_a_fresh_price_are_in_the_market(
    change: dict[str, Any],
) -> None:
    assert "AAA" not in market(AAA=change).symbols


def test_a_symbol_whose_price_is_frozen_is_not_in_the_market_and_stops_nothing() -> None:
    returns = daily_returns()
    returns[100:, 0] = 0.0
    found = make_market({name: instrument(name) for name in CLASSES}, history(returns), POLICY)
    assert found.symbols == tuple(CLASSES)[1:]
    outlook = make_outlook(found, RunForecasts(forecasts(0.3, 5)), POLICY)
    assert np.isfinite(outlook.view_returns).all()


def test_a_market_where_nothing_may_be_bought_stops_the_run() -> None:
    nobody = {symbol: {"is_member": False} for symbol in CLASSES}
    with pytest.raises(RebalanceError, match="instruments that may be bought"):
        market(**nobody)


@pytest.mark.parametrize(("member", "warns"), [(True, False), (False, True)])
def test_a_market_without_a_bond_that_may_be_bought_is_warned_of(
    caplog: pytest.LogCaptureFixture, member: bool, warns: bool
) -> None:
    market(AAA={"asset_class": "bond", "is_member": member})
    assert ("no bond is on offer" in caplog.text) == warns


def test_one_asset_alone_has_an_outlook() -> None:
    alone = make_market(
        {"AAA": instrument("AAA")}, history(daily_returns(symbols=1), ["AAA"]), POLICY
    )
    one = (Forecast("AAA", 0.02, 0.05, 0.5),)
    outlook = make_outlook(alone, RunForecasts(one, one), POLICY)
    assert outlook.view_returns.shape == (len(VIEWS), 1)
    assert np.isfinite(outlook.view_returns).all()
