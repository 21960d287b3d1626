"""From Yahoo's split-adjusted history back to what was traded on each day.

Yahoo divides every price before a split by its ratio, multiplies volumes, and does so again with
each later split. Multiplied back with the splits of the same answer, a bar says the same before and
after a split: the split adds an action and restates nothing.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.ingest.yahoo.canonical import snapped_cash, snapped_prices
from pipelines.ingest.yahoo.capital_gains import dividends_alone
from pipelines.ingest.yahoo.chart import Chart, Days, Events

_TELLABLE = np.log(1.2)
"""A split by less moves prices no more than an eventful day does; it is taken as applied."""

_PRICES = ("Open", "High", "Low", "Close")


class UncertainSplit(Exception):  # noqa: N818
    """No bar on or after a split's ex-date shows whether Yahoo already applied it."""

    def __init__(self, day: dt.date) -> None:
        super().__init__(f"nothing traded since the split of {day} shows whether it is applied")


@dataclass(frozen=True)
class AsTraded:
    """Bars and events of a chart in the units of their own days.

    ``numbers`` maps ``open``, ``high``, ``low``, ``close``, ``volume`` and ``adjusted_return_1d``
    to one value per entry of ``days``. ``unapplied`` lists splits that Yahoo names but has not
    worked into its prices, ``counted_twice`` days on which its dividend contained the capital gain.
    """

    days: Days
    numbers: dict[str, npt.NDArray[np.float64]]
    dividends: Events
    capital_gains: Events
    splits: Events
    unapplied: tuple[dt.date, ...]
    counted_twice: tuple[dt.date, ...]


def as_traded(chart: Chart) -> AsTraded:
    """Undo the split adjustment of a chart.

    A split whose jump stands in Yahoo's own closes is not applied there, so it is not undone. The
    bar of an unfinished session may serve to see that.

    Raises
    ------
    UncertainSplit
        A split is so new that the chart cannot show whether its prices contain it.
    """
    applied = np.array(
        [
            _is_applied(chart, day, ratio)
            for day, ratio in zip(chart.splits.days, chart.splits.amounts, strict=True)
        ],
        dtype=bool,
    )
    undone = Events(chart.splits.days[applied], chart.splits.amounts[applied])
    factors = _later_splits(chart.days, undone)
    bars = chart.bars
    numbers = {name.lower(): snapped_prices(bars[name].to_numpy() * factors) for name in _PRICES}
    numbers["volume"] = np.round(bars["Volume"].to_numpy() / factors)
    dividends, counted_twice = dividends_alone(chart)
    returns = _returns(chart.days, bars["Adj Close"].to_numpy())
    numbers["adjusted_return_1d"] = np.where(np.isin(chart.days, counted_twice), np.nan, returns)
    return AsTraded(
        days=chart.days,
        numbers=numbers,
        dividends=_paid(dividends, undone),
        capital_gains=_paid(chart.capital_gains, undone),
        splits=Events(chart.splits.days, np.round(chart.splits.amounts, 9)),
        unapplied=tuple(chart.splits.days[~applied].tolist()),
        counted_twice=tuple(counted_twice.tolist()),
    )


def _is_applied(chart: Chart, day: np.datetime64, ratio: float) -> bool:
    """Say whether closes run on over a split's ex-date, rather than jump by its ratio."""
    closes = chart.bars["Close"].to_numpy()
    quoted = closes > 0
    before, after = closes[quoted & (chart.days < day)], closes[quoted & (chart.days >= day)]
    if len(before) == 0 or abs(np.log(ratio)) < _TELLABLE:
        return True
    if len(after) == 0:
        raise UncertainSplit(day.astype(object))
    move = np.log(after[0] / before[-1])
    return bool(abs(move) <= abs(move + np.log(ratio)))


def _later_splits(days: Days, splits: Events) -> npt.NDArray[np.float64]:
    """Return, for each day, the product of the ratios of the splits after it."""
    later = np.append(np.cumprod(splits.amounts[::-1])[::-1], 1.0)
    return later[np.searchsorted(splits.days, days, side="right")]


def _paid(events: Events, splits: Events) -> Events:
    factors = _later_splits(events.days, splits)
    return Events(events.days, snapped_cash(events.amounts * factors, factors))


def _returns(days: Days, adjusted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the simple return since the last earlier day with an adjusted close, to 1e-6.

    Each of several lines of one day has its return since the day before, not since the other line.
    """
    returns = np.full(len(adjusted), np.nan)
    quoted = np.flatnonzero(adjusted > 0)
    earlier = np.searchsorted(days[quoted], days[quoted], side="left") - 1
    later, base = quoted[earlier >= 0], quoted[earlier[earlier >= 0]]
    returns[later] = np.round(adjusted[later] / adjusted[base] - 1, 6)
    return returns
