"""Every feature once more, written from the definitions alone: whole windows, in long doubles.

Nothing is shared with the code that it checks: each window is laid out, put in its own terms by
the steps inside it, and summed; nothing is carried from one window to the next.
"""

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

BAR_COLUMNS = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "share_ratio",
    "cash",
    "market_log_growth",
)
ROUNDING = 1e-12


def reference(bars: pd.DataFrame) -> pd.DataFrame:
    """All features of one symbol's bars (``BAR_COLUMNS``, oldest first), on the bars' index."""
    with np.errstate(all="ignore"):
        share = _Share(bars)
        columns = anchored(share) | returns(share) | averages(share)
        columns |= risk(share) | liquidity(share)
    frame = pd.DataFrame({name: np.asarray(values, float) for name, values in columns.items()})
    return frame.replace([np.inf, -np.inf], np.nan).set_index(bars.index)


def of_closes(close: pd.Series, market: pd.Series) -> pd.DataFrame:
    """Bars of which nothing but the closes is known, their own and the market's."""
    nothing = np.full(len(close), np.nan)
    given = {"share_ratio": 1.0, "cash": 0.0, "close": close}
    given["market_log_growth"] = np.log(market).diff()
    columns = {name: given.get(name, nothing) for name in BAR_COLUMNS}
    return pd.DataFrame(columns, index=close.index)


class _Share:
    """A symbol's bars, and one share's way through them."""

    def __init__(self, bars: pd.DataFrame) -> None:
        self.open, self.high, self.low, self.close, self.volume, *steps = (
            bars[name].to_numpy(np.longdouble) for name in BAR_COLUMNS
        )
        self.share_ratio, self.cash, self.market = steps
        self.growth = self.share_ratio + self.cash / self.close
        self.previous = shifted(self.close, 1)
        change = self.share_ratio * self.close + self.cash - self.previous
        self.change = np.where(abs(change) <= ROUNDING * self.previous, 0, change)
        self.log_return = np.log((self.previous + self.change) / self.previous)

    def prices(self, series: np.ndarray, span: int) -> np.ndarray:
        return windows(series, span) / held(self.growth, span)

    def split_prices(self, series: np.ndarray, span: int) -> np.ndarray:
        return windows(series, span) / held(self.share_ratio, span)

    def volumes(self, span: int) -> np.ndarray:
        return windows(self.volume, span) * held(self.share_ratio, span)


def windows(series: np.ndarray, span: int) -> np.ndarray:
    """(bars, span), the last values up to each bar, oldest first; NaN before the first."""
    before = np.full(span - 1, np.nan, series.dtype)
    return sliding_window_view(np.concatenate([before, series]), span)


def held(steps: np.ndarray, span: int) -> np.ndarray:
    """(bars, span), what one share at each place of a window has become by its end."""
    if (steps[1:] == 1).all():
        return np.ones((len(steps), 1), steps.dtype)
    became = np.ones((len(steps), span), steps.dtype)
    became[:, :-1] = np.cumprod(windows(steps, span)[:, :0:-1], axis=1)[:, ::-1]
    return became


def shifted(series: np.ndarray, by: int) -> np.ndarray:
    return np.concatenate([np.full(by, np.nan, series.dtype), series])[: len(series)]


def faded_mean(laid_out: np.ndarray, fading: float) -> np.ndarray:
    weights = np.longdouble(fading) ** np.arange(laid_out.shape[1])[::-1]
    return (laid_out * weights).sum(axis=1) / weights.sum()


def exponential(share: _Share, series: np.ndarray, span: int) -> np.ndarray:
    return faded_mean(share.prices(series, 4 * span), 1 - np.longdouble(2) / (span + 1))


def wilder(share: _Share, series: np.ndarray) -> np.ndarray:
    return faded_mean(share.prices(series, 8 * 14), 1 - np.longdouble(1) / 14)


def deviation(laid_out: np.ndarray, freedom: int) -> np.ndarray:
    return laid_out.std(axis=1, ddof=freedom)


def anchored(share: _Share) -> dict[str, np.ndarray]:
    ratios, growths = share.share_ratio.copy(), share.growth.copy()
    ratios[0] = growths[0] = 1
    held_since_first = np.cumprod(ratios)
    direction = np.sign(share.change)
    direction[0] = 0
    return {
        "session_number": np.arange(1, len(ratios) + 1),
        "cumulative_share_ratio": held_since_first,
        "cumulative_growth": np.cumprod(growths),
        "obv": np.cumsum(direction * share.volume / held_since_first),
    }


def returns(share: _Share) -> dict[str, np.ndarray]:
    close, columns = share.close, {"log_return_1d": share.log_return}
    for span in (5, 21, 63, 252):
        columns[f"log_return_{span}d"] = np.log(close / share.prices(close, span + 1)[:, 0])
    year = share.prices(close, 253)
    columns["momentum_12_1"] = np.log(year[:, 253 - 1 - 21] / year[:, 0])
    columns["drawdown_252d"] = close / share.prices(close, 252).max(axis=1) - 1
    columns["close_to_high_252d"] = close / share.split_prices(share.high, 252).max(axis=1) - 1
    return columns


def averages(share: _Share) -> dict[str, np.ndarray]:
    close, columns = share.close, {}
    sma = {n: share.prices(close, n).mean(axis=1) for n in (5, 10, 21, 50, 100, 200)}
    ema = {n: exponential(share, close, n) for n in (5, 10, 12, 21, 26, 50, 100, 200)}
    columns |= {f"close_to_sma_{n}": close / mean - 1 for n, mean in sma.items()}
    columns |= {f"close_to_ema_{n}": close / mean - 1 for n, mean in ema.items()}
    columns["sma_cross_10_50"] = sma[10] / sma[50] - 1
    columns["sma_cross_50_200"] = sma[50] / sma[200] - 1
    columns["ema_cross_10_50"] = ema[10] / ema[50] - 1
    macd = columns["macd_12_26"] = ema[12] - ema[26]
    columns["macd_histogram_12_26_9"] = macd - exponential(share, macd, 9)
    moves = share.change / share.growth
    gain, loss = wilder(share, np.maximum(moves, 0)), wilder(share, np.maximum(-moves, 0))
    columns["rsi_14"] = np.where(gain + loss == 0, 50, 100 * gain / (gain + loss))
    month = share.prices(close, 20)
    mean, spread = month.mean(axis=1), deviation(month, 0)
    # The mean distance to the close, since what two long prices share would cost half the digits.
    distance = (close[:, None] - month).mean(axis=1)
    columns["bollinger_z_20"] = np.where(spread > ROUNDING * mean, distance / spread, np.nan)
    columns["bollinger_width_20"] = 4 * spread / mean
    return columns


def risk(share: _Share) -> dict[str, np.ndarray]:
    columns = {}
    for n in (21, 63, 252):
        laid_out = windows(share.log_return, n)
        columns[f"vol_{n}d_annual"] = deviation(laid_out, 1) * np.sqrt(np.longdouble(252))
    ranges = np.log(share.high / share.low) ** 2
    bodies = np.log(share.close / share.open) ** 2
    two = np.log(np.longdouble(2))
    for n in (21, 63):
        parkinson = windows(ranges, n).mean(axis=1) / (4 * two)
        garman_klass = (windows(ranges, n) / 2 - (2 * two - 1) * windows(bodies, n)).mean(axis=1)
        columns[f"parkinson_vol_{n}d_annual"] = np.sqrt(252 * parkinson)
        columns[f"garman_klass_vol_{n}d_annual"] = np.sqrt(252 * garman_klass)
    before = share.previous / share.growth
    candidates = [share.high - share.low, abs(share.high - before), abs(share.low - before)]
    columns["atr_14"] = wilder(share, np.max(candidates, axis=0))
    own, market = windows(share.log_return, 252), windows(share.market, 252)
    own, market = (x - x.mean(axis=1, keepdims=True) for x in (own, market))
    covariance, own_variance, market_variance = (
        (x * y).mean(axis=1) for x, y in ((own, market), (own, own), (market, market))
    )
    moved, own_moved = market_variance > ROUNDING**2, own_variance > ROUNDING**2
    columns["beta_252d"] = np.where(moved, covariance / market_variance, np.nan)
    correlation = covariance / np.sqrt(own_variance * market_variance)
    columns["market_correlation_252d"] = np.where(moved & own_moved, correlation, np.nan)
    return columns


def liquidity(share: _Share) -> dict[str, np.ndarray]:
    dollar_volume = share.close * share.volume
    impact = abs(share.change / share.previous) / (dollar_volume / 1_000_000)
    impact = np.where(dollar_volume > 0, impact, np.nan)
    quarter = share.volumes(63)
    mean, spread = quarter.mean(axis=1), deviation(quarter, 1)
    unusual = np.where(spread > ROUNDING * mean, (share.volume - mean) / spread, np.nan)
    return {
        "dollar_volume": dollar_volume,
        "dollar_volume_21d": windows(dollar_volume, 21).mean(axis=1),
        "volume_z_63d": unusual,
        "amihud_21d": windows(impact, 21).mean(axis=1),
    }
