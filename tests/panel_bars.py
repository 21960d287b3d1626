"""Bars of one made-up symbol, as the panel's features take them."""

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.ingest.sample import SampleProvider
from pipelines.warehouse.panel.bars import Bars


def bars_of(close: npt.ArrayLike, **columns: npt.ArrayLike) -> Bars:
    """Bars that opened and stayed at their closes, with a volume of 1,000 and no actions."""
    close = np.array(close, float)
    given = {name: np.array(values, float) for name, values in columns.items()}
    default = {
        **dict.fromkeys(("open", "high", "low", "close"), close),
        "volume": np.full(len(close), 1000.0),
        "share_ratio": np.ones(len(close)),
        "cash": np.zeros(len(close)),
        "market_log_growth": np.full(len(close), np.nan),
    }
    return Bars(**(default | given))


def simulated(count: int = 1600, seed: int = 1, level: float = 100.0, ticks: int = 2) -> Bars:
    """A random walk with quarterly dividends, splits both ways, and values that are missing."""
    dice = np.random.default_rng(seed)
    close = level * np.exp(np.cumsum(dice.normal(0, 0.015, count)))
    open_ = close * np.exp(dice.normal(0, 0.006, count))
    high = np.maximum(open_, close) * np.exp(abs(dice.normal(0, 0.004, count)))
    low = np.minimum(open_, close) * np.exp(-abs(dice.normal(0, 0.004, count)))
    volume = np.round(np.exp(dice.normal(13, 0.6, count)))
    volume[dice.random(count) < 0.002] = 0
    share_ratio, cash = np.ones(count), np.zeros(count)
    cash[40::63] = close[40::63] * 0.006
    share_ratio[300::700], share_ratio[500::700] = 3, 1 / 7
    share_ratio[40 + 63 * 9 :: 700] = 1.5  # on a dividend's day
    bars = [np.round(prices, ticks) for prices in (open_, high, low, close)]
    market = dice.normal(0, 0.01, count)
    market[0] = np.nan
    for column in (*bars[:3], volume, market):
        column[dice.integers(0, count, max(count // 900, 1))] = np.nan
    return Bars(*bars, volume, share_ratio, cash, market)


def daily_actions(count: int = 1000) -> Bars:
    dice = np.random.default_rng(5)
    bars = simulated(count, seed=6)
    return replace(
        bars, share_ratio=dice.choice([0.5, 1.0, 2.0], count), cash=bars.close * dice.random(count)
    )


def hardly_moving(count: int = 1000) -> Bars:
    """A share of 700,000 USD that moves by a cent now and then, as its market does."""
    dice = np.random.default_rng(7)
    moves = dice.choice([-0.01, 0, 0, 0, 0.01], count)
    return replace(bars_of(700_000 + np.cumsum(moves)), market_log_growth=moves / 700_000)


def closes_alone(count: int = 1000) -> Bars:
    bars, nothing = simulated(count, seed=8), np.full(count, np.nan)
    return replace(bars, open=nothing, high=nothing, low=nothing, volume=nothing)


@cache
def sample_closes() -> dict[str, np.ndarray]:
    """The real daily closes of each of the sample's symbols."""
    provider = SampleProvider()
    newest = provider.newest_session()
    [symbols] = provider.batches(newest)
    prices = provider.deliver(symbols, provider.first_session(), newest).prices.to_pandas()
    by_symbol = prices.sort_values("session_date").groupby("symbol")
    return {symbol: rows["close"].to_numpy() for symbol, rows in by_symbol}


def without_actions(bars: Bars) -> Bars:
    return replace(bars, share_ratio=np.ones(len(bars)), cash=np.zeros(len(bars)))
