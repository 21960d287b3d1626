"""A made-up market with a past: shares and bonds, one of them young, one that dies."""

import numpy as np

from models.vocabulary import AssetClass
from pipelines.backtest.history import History
from pipelines.rebalance.market.market import Instrument

SYMBOLS = ("AAA", "BBB", "BND", "CCC", "DED", "NEW")
_CLASSES = dict.fromkeys(SYMBOLS, AssetClass.US_EQUITY.value) | {"BND": AssetClass.BOND.value}


def instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        source="simulated",
        name=symbol,
        asset_class=_CLASSES[symbol],
        currency="USD",
        expense_ratio_bps=0,
        substitute_group=symbol,
        reference_weight=1.0,
        tradable=True,
        is_member=True,
        price_micros=1_000_000,
        price_session_date=None,
        price_is_fresh=True,
    )


def history_of(log_return: np.ndarray, observed: np.ndarray | None = None) -> History:
    """Return a history of daily log returns; what has none is not observed."""
    seen = np.isfinite(log_return) if observed is None else observed
    sessions = np.datetime64("2000-01-03") + np.arange(len(log_return))
    return History(
        source="simulated",
        sessions=sessions,
        symbols=SYMBOLS,
        log_return=log_return,
        simple_return=np.expm1(log_return),
        observed=seen,
        member=np.ones(log_return.shape, np.bool_),
        instruments={symbol: instrument(symbol) for symbol in SYMBOLS},
    )


def log_returns(sessions: int = 1100, seed: int = 3) -> np.ndarray:
    """Return returns with a common part; ``NEW`` begins late and ``DED`` ends early."""
    draw = np.random.default_rng(seed)
    common = draw.normal(0.0004, 0.008, (sessions, 1))
    returns = common + draw.normal(0.0, 0.01, (sessions, len(SYMBOLS)))
    returns[:, SYMBOLS.index("BND")] *= 0.3
    returns[: sessions // 3, SYMBOLS.index("NEW")] = np.nan
    returns[2 * sessions // 3 :, SYMBOLS.index("DED")] = np.nan
    return returns
