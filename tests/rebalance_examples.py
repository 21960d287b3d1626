"""A small market in memory for the tests of rebalancing."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.market.market import Instrument, Market, make_market
from pipelines.rebalance.market.outlook import Forecast
from pipelines.rebalance.policy import POLICY

SESSION = dt.date(2022, 12, 28)
CLASSES = {
    "AAA": "technology",
    "BBB": "technology",
    "CCC": "energy",
    "DDD": "consumer",
    "EEE": "health_care",
    "FFF": "factor",
    "GGG": "factor",
}
PRICES = {
    "AAA": 131_290_000,
    "BBB": 9_870_001,
    "CCC": 55_555_555,
    "DDD": 412_000_000,
    "EEE": 77_123_456,
    "FFF": 24_000_000,
    "GGG": 190_010_000,
}
DAY = np.timedelta64(1, "D")


def instrument(symbol: str, **changes: Any) -> Instrument:
    values: dict[str, Any] = {
        "symbol": symbol,
        "source": "sample",
        "name": f"Company {symbol}",
        "asset_class": CLASSES.get(symbol, "index"),
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": symbol,
        "reference_weight": 1.0,
        "tradable": True,
        "is_member": True,
        "price_micros": PRICES.get(symbol, 1_000_000),
        "price_session_date": SESSION,
        "price_is_fresh": True,
    }
    return Instrument(**(values | changes))


def daily_returns(sessions: int = 600, symbols: int = len(CLASSES), seed: int = 3) -> Any:
    """Returns with a common factor, different volatilities, and calmer times at the end."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.008, (sessions, 1))
    own = rng.normal(0, 1, (sessions, symbols)) * np.linspace(0.006, 0.02, symbols)
    return (common + own) * np.linspace(1.3, 0.8, sessions)[:, None]


def history(
    returns: npt.NDArray[np.float64], symbols: Sequence[str] = tuple(CLASSES)
) -> dict[str, npt.NDArray[Any]]:
    """Returns as the price mart gives them: one entry per session and symbol."""
    sessions = np.datetime64(SESSION) - DAY * np.arange(len(returns))[::-1]
    return {
        "symbol": np.tile(np.array(symbols, dtype=object), len(returns)),
        "session_date": np.repeat(sessions, len(symbols)),
        "simple_return_1d": returns.ravel(),
    }


def market(**changes: Mapping[str, Any]) -> Market:
    """The market of all symbols; ``AAA={"tradable": False}`` changes one instrument."""
    instruments = {symbol: instrument(symbol, **changes.get(symbol, {})) for symbol in CLASSES}
    return make_market(instruments, history(daily_returns()), POLICY)


def forecasts(confidence: float = 0.2, seed: int = 5) -> list[Forecast]:
    rng = np.random.default_rng(seed)
    return [
        Forecast(symbol, float(mean), 0.06, confidence)
        for symbol, mean in zip(CLASSES, rng.normal(0.01, 0.02, len(CLASSES)), strict=True)
    ]
