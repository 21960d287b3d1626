"""Capital gains that Yahoo tells twice: by themselves, and inside the dividend of the same day.

Some funds' gains come so (yfinance's ``_repair_capital_gains`` knows it, too), and Yahoo's adjusted
closes count them twice as well. A fund falls by what it pays, so its closes tell which it is.
"""

import numpy as np
import numpy.typing as npt

from pipelines.ingest.yahoo.chart import Chart, Days, Events

_CONVINCING = np.log(100.0)
"""Log of the odds at which a gain counts as contained."""
_LARGEST_SURPRISE = 3.0
"""In usual daily moves; one wild day shall not decide."""
_USUAL_OF_MEDIAN = 1.4826
"""From the median absolute move to the standard deviation of normal ones."""
_NOTHING = 1e-6


def dividends_alone(chart: Chart) -> tuple[Events, Days]:
    """Return the dividends without the gains that they contain, and the days on which they did.

    The days with both speak together: by the likelihood of their falls in price, were they normal
    around the dividend, or around dividend and gain.
    """
    told = chart.dividends
    days, of_dividend, of_gain = np.intersect1d(
        told.days, chart.capital_gains.days, return_indices=True
    )
    paid, gains = told.amounts[of_dividend], chart.capital_gains.amounts[of_gain]
    before, after, usual = _closes_around(chart, days)
    tellable = (paid >= gains) & (gains > 0) & np.isfinite(before) & (usual > 0)
    if not tellable.any():
        return told, days[:0]
    sigma = usual * before[tellable]
    gain = gains[tellable] / sigma
    surprise = (before - after - paid)[tellable] / sigma
    surprise = np.clip(surprise, -_LARGEST_SURPRISE, _LARGEST_SURPRISE + gain)
    if np.sum((surprise - gain) ** 2 - surprise**2) / 2 < _CONVINCING:
        return told, days[:0]
    amounts = told.amounts.copy()
    amounts[of_dividend[tellable]] -= gains[tellable]
    left = amounts > _NOTHING
    return Events(told.days[left], amounts[left]), days[tellable]


def _closes_around(
    chart: Chart, days: Days
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Return the closes before and on some days, NaN where one is missing, and the usual move."""
    closes = chart.bars["Close"].to_numpy()
    quoted = closes > 0
    known, closes = chart.days[quoted], closes[quoted]
    before, after = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if len(known) < 2:
        return before, after, 0.0
    at = np.searchsorted(known, days)
    there = (at > 0) & (at < len(known)) & (known[np.minimum(at, len(known) - 1)] == days)
    before[there], after[there] = closes[at[there] - 1], closes[at[there]]
    return before, after, float(_USUAL_OF_MEDIAN * np.median(np.abs(np.diff(np.log(closes)))))
