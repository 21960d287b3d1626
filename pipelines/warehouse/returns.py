"""Time-weighted and money-weighted returns of many owners at once.

An owner is an account, a goal or a client. Its history is a series of sessions: its worth at the
close, flows included, and the net external cash (or shares, at their close) that came in on it.

**Time-weighted**: growth between two sessions is ``(worth + out) / (worth before + in)``, linked.
What comes in counts from the session's start and what goes out until its end, so that nothing is
earned on money that was not there and an account may be opened or emptied within a session. Only
sessions with flows need a valuation, with the session before each: between them the links
telescope. (GIPS Standards for Firms 2020, section 2: valuation on the day of external flows.)

**Money-weighted**: the rate at which the worth at the start and all flows, each growing over the
share of the period that is left to it, become the worth at the end. With ``x`` the log growth over
the period and ``w`` that share in calendar days, ``x`` solves

    start e^x + sum of flow e^(x w) = end

By Descartes' rule for such sums there are at most as many roots as the signs of start, flows in
the order of time and minus the end change, so one change means one root. A root is also the only
one if the balance that it implies is never below 0 before the end (Soper 1959, The marginal
efficiency of capital: a further note). Otherwise a scan of ``x`` counts the roots, and a rate is
told only where there is one.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MOST_LOG_GROWTH = 20.0
_SCANNED = np.linspace(-_MOST_LOG_GROWTH, _MOST_LOG_GROWTH, 801)
_MOST_STEPS = 100
_TOLERANCE = 1e-14
_ROUNDING = 1e-9
"""Of balances of an owner whose amounts sum to 1."""


class ReturnIssue(StrEnum):
    """Why a period has no return."""

    NO_HISTORY = "no_history"
    UNPRICED = "unpriced"
    WORTHLESS = "worthless"
    NO_RATE = "no_rate"
    SEVERAL_RATES = "several_rates"


@dataclass(frozen=True)
class WorthSeries:
    """Histories of owners, one after the other, each in the order of its days.

    Attributes
    ----------
    first : (owners,) position of each owner's first row; every owner has one.
    day : (rows,) calendar day of the session, as a number.
    worth : (rows,) worth at the close in USD, flows included; NaN where a holding has no price.
    flow : (rows,) net external flow of the session in USD, positive into it; NaN as ``worth``.
    """

    first: Integers
    day: Integers
    worth: Floats
    flow: Floats

    @property
    def owner(self) -> Integers:
        """(rows,) number of each row's owner."""
        lengths = np.diff(np.append(self.first, len(self.day)))
        return np.repeat(np.arange(len(self.first)), lengths)

    @property
    def last(self) -> Integers:
        """(owners,) position of each owner's last row."""
        return np.append(self.first[1:], len(self.day)) - 1


@dataclass(frozen=True)
class PeriodReturns:
    """Returns of each owner over one period; all arrays are (owners,).

    ``time_weighted`` and ``money_weighted`` are fractions over the whole period, NaN where there
    is none; ``issue`` says why, empty where both are there. ``start_day`` is the day of the close
    that the period starts with; money is in USD.
    """

    start_day: Integers
    days: Integers
    start_worth: Floats
    end_worth: Floats
    net_flow: Floats
    time_weighted: Floats
    money_weighted: Floats
    issue: list[str]


def period_returns(series: WorthSeries, start_day: int | None) -> PeriodReturns:
    """Return what each owner earned from the close of a day to the close of its last row.

    Parameters
    ----------
    start_day : day of a row of every owner whose history reaches so far back; None for each
        owner's own first day, which begins with nothing and takes the first flow in.
    """
    owner = series.owner
    begin = series.day[series.first] if start_day is None else np.full(len(series.first), start_day)
    inside = series.day >= begin[owner] if start_day is None else series.day > begin[owner]
    at_start = np.zeros(len(series.first))
    reaches = series.day[series.first] <= begin
    if start_day is not None:
        held = series.day == start_day
        at_start[owner[held]] = series.worth[held]
    days = series.day[series.last] - begin
    reaches &= days > 0
    end = series.worth[series.last]
    growth = _linked_growth(series, inside)
    rate, roots = _rates(_terms(series, inside, begin, at_start))
    usable = reaches & np.isfinite(growth)
    issue = _issues(reaches, _priced(series, owner, inside, at_start), growth, roots)
    return PeriodReturns(
        start_day=begin,
        days=days,
        start_worth=np.where(reaches, at_start, np.nan),
        end_worth=end,
        net_flow=np.where(reaches, _sum(np.where(inside, series.flow, 0.0), series), np.nan),
        time_weighted=np.where(usable, growth - 1, np.nan),
        money_weighted=np.where(reaches & (roots == 1), np.expm1(rate), np.nan),
        issue=issue,
    )


def _linked_growth(series: WorthSeries, inside: Mask) -> Floats:
    before = np.empty_like(series.worth)
    before[1:] = series.worth[:-1]
    before[series.first] = 0.0
    base = before + np.maximum(series.flow, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        link = (series.worth + np.maximum(-series.flow, 0.0)) / base
    link[base <= 0] = np.nan
    return np.multiply.reduceat(np.where(inside, link, 1.0), series.first)


def _priced(series: WorthSeries, owner: Integers, inside: Mask, at_start: Floats) -> Mask:
    missing = inside & ~(np.isfinite(series.worth) & np.isfinite(series.flow))
    return (np.bincount(owner, weights=missing, minlength=len(series.first)) == 0) & np.isfinite(
        at_start
    )


def _sum(values: Floats, series: WorthSeries) -> Floats:
    return np.add.reduceat(values, series.first)


def _issues(reaches: Mask, priced: Mask, growth: Floats, roots: Integers) -> list[str]:
    return np.select(
        [~reaches, ~priced, ~np.isfinite(growth), roots == 0, roots > 1],
        [
            ReturnIssue.NO_HISTORY,
            ReturnIssue.UNPRICED,
            ReturnIssue.WORTHLESS,
            ReturnIssue.NO_RATE,
            ReturnIssue.SEVERAL_RATES,
        ],
        "",
    ).tolist()


@dataclass(frozen=True)
class _Terms:
    """The sums of ``amount * exp(x * share)``, by owner in the order of time.

    Absolute amounts of an owner sum to 1, or are all 0 where one is missing.
    """

    amount: Floats
    share: Floats
    owner: Integers
    first: Integers

    def value(self, x: Floats) -> Floats:
        return np.add.reduceat(self.amount * np.exp(x[self.owner] * self.share), self.first)

    def value_and_slope(self, x: Floats) -> tuple[Floats, Floats]:
        each = self.amount * np.exp(x[self.owner] * self.share)
        return np.add.reduceat(each, self.first), np.add.reduceat(each * self.share, self.first)

    def sign_changes(self) -> Integers:
        """Count, per owner, how often the sign changes from one amount to the next."""
        there = self.amount != 0
        sign, owner = np.sign(self.amount[there]), self.owner[there]
        turns = (sign[1:] != sign[:-1]) & (owner[1:] == owner[:-1])
        return np.bincount(owner[1:][turns], minlength=len(self.first))

    def stays_invested(self, x: Floats) -> Mask:
        """Say, per owner, whether its balance at a rate is never below 0 before the end."""
        each = self.amount * np.exp(x[self.owner] * self.share)
        balance = np.cumsum(np.where(np.isfinite(each), each, 0.0))
        balance -= (balance[self.first] - each[self.first])[self.owner]
        short = balance < -_ROUNDING
        short[np.append(self.first[1:], len(balance)) - 1] = False
        return np.isfinite(x) & (np.bincount(self.owner, weights=short) == 0)

    def of(self, owners: Integers) -> "_Terms":
        """Return the terms of some owners alone, numbered anew."""
        number = np.full(len(self.first), -1)
        number[owners] = np.arange(len(owners))
        kept = number[self.owner] >= 0
        owner = number[self.owner[kept]]
        first = np.searchsorted(owner, np.arange(len(owners)))
        return _Terms(self.amount[kept], self.share[kept], owner, first)


def _rates(terms: _Terms) -> tuple[Floats, Integers]:
    """Return the log growth per owner, NaN where there is no one root, and the roots found."""
    owners = len(terms.first)
    low, high = np.full(owners, -_MOST_LOG_GROWTH), np.full(owners, _MOST_LOG_GROWTH)
    roots = (terms.value(low) * terms.value(high) < 0).astype(np.int64)
    rate = np.full(owners, np.nan)
    found = np.flatnonzero(roots)
    rate[found] = _solve(terms.of(found), low[found], high[found])
    unsure = np.flatnonzero((terms.sign_changes() > 1) & ~terms.stays_invested(rate))
    roots[unsure], low, high = _scan(terms.of(unsure))
    single = roots[unsure] == 1
    again = unsure[single]
    rate[unsure] = np.nan
    rate[again] = _solve(terms.of(again), low[single], high[single])
    return rate, roots


def _terms(series: WorthSeries, inside: Mask, begin: Integers, at_start: Floats) -> _Terms:
    owner, owners = series.owner, np.arange(len(series.first))
    rows = np.flatnonzero(inside)
    left = series.day[series.last][owner[rows]] - series.day[rows]
    length = np.maximum(series.day[series.last] - begin, 1)[owner[rows]]
    of = np.concatenate([owners, owner[rows], owners])
    amount = np.concatenate([at_start, series.flow[rows], -series.worth[series.last]])
    share = np.concatenate([np.ones(len(owners)), left / length, np.zeros(len(owners))])
    order = np.argsort(of, kind="stable")
    of, amount, share = of[order], amount[order], share[order]
    first = np.searchsorted(of, owners)
    size = np.add.reduceat(np.abs(amount), first)
    known = np.isfinite(size) & (size > 0)
    scaled = np.divide(amount, size[of], out=np.zeros_like(amount), where=known[of])
    return _Terms(scaled, share, of, first)


def _scan(terms: _Terms) -> tuple[Integers, Floats, Floats]:
    """Count the roots that a scan finds, and bracket the last one."""
    owners = len(terms.first)
    roots = np.zeros(owners, dtype=np.int64)
    low, high = np.full(owners, np.nan), np.full(owners, np.nan)
    if not owners:
        return roots, low, high
    before = terms.value(np.full(owners, _SCANNED[0]))
    for left, right in pairwise(_SCANNED):
        after = terms.value(np.full(owners, right))
        crosses = (before > 0) != (after > 0)
        roots += crosses
        low[crosses], high[crosses] = left, right
        before = after
    return roots, low, high


def _solve(terms: _Terms, low: Floats, high: Floats) -> Floats:
    """Take Newton's steps inside of a bracket, halved where one leaves it or gains too little."""
    found = np.empty_like(low)
    if not len(low):
        return found
    owners = np.arange(len(low))
    rises = terms.value(high) > 0
    x = np.zeros_like(low).clip(low, high)
    step = high - low
    for _ in range(_MOST_STEPS):
        value, slope = terms.value_and_slope(x)
        above = (value > 0) == rises
        high, low = np.where(above, x, high), np.where(above, low, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = x - value / slope
        good = (newton >= low) & (newton <= high) & (np.abs(newton - x) < 0.5 * step)
        nearer = np.where(value == 0, x, np.where(good, newton, 0.5 * (low + high)))
        step = np.abs(nearer - x)
        x = nearer
        found[owners] = x
        open_ = np.flatnonzero(step > _TOLERANCE * np.maximum(1.0, np.abs(x)))
        if not len(open_):
            break
        if len(open_) < len(x) // 2:
            terms, owners, rises = terms.of(open_), owners[open_], rises[open_]
            x, step, low, high = x[open_], step[open_], low[open_], high[open_]
    return found
