"""The returns of a batch of instruments: market, sector, yield and own moves, and payments.

All matrices have one row per instrument and one column per session from position ``first`` of the
timeline to its end. Each instrument draws from streams of its own, backwards in time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.vocabulary import AssetClass
from pipelines.ingest.simulated.instruments import Instrument
from pipelines.ingest.simulated.market import MARKET_VOL, SECTOR_VOL, YIELD_VOL, market
from pipelines.ingest.simulated.timeline import (
    SESSIONS_PER_YEAR,
    Floats,
    Truths,
    generator,
    persistent,
    timeline,
)

_TAIL_DEGREES = 4.0
_VOL_PERSISTENCE = 0.975
_RESULTS_EVERY, _RESULTS_VOL = 63, 0.04
_EVENT_RATE, _EVENT_VOL = 0.00015, 0.22
_NO_TRADE_RATE = 0.03
_VOLATILITY_INDEX_SIGMA = 0.06
_LARGEST_SHOCK = {True: 12.0, False: 5.0}
"""Of a stock and of a basket, in standard deviations: a basket spreads its members' shocks."""

_LARGEST_MOVE = 1.2
"""Log return; with tails this long, one session in millions would leave any plausible range."""


@dataclass(frozen=True)
class Paths:
    """Returns, and what bars are made of besides.

    ``log_return`` is the total return of a session; ``paid`` the share of the last close that is
    paid out on an ex-date. ``sigma`` is the volatility of the session as a fraction; ``busy`` the
    log of how much more than usual is traded; ``is_idle`` marks sessions without a trade.
    """

    log_return: Floats
    paid: Floats
    sigma: Floats
    busy: Floats
    is_idle: Truths


def paths(instruments: Sequence[Instrument], first: int) -> Paths:
    """Return the paths of some instruments from a position of the timeline to its end."""
    count = len(timeline().sessions) - first
    normal = _draw(instruments, 10, lambda dice: dice.standard_normal((count, 3)))
    tail = _draw(instruments, 11, lambda dice: dice.standard_t(_TAIL_DEGREES, (count, 1)))[0]
    chance = _draw(instruments, 12, lambda dice: dice.random((count, 2)))
    own_state = 0.3 * persistent(normal[0], _VOL_PERSISTENCE) - 0.045
    own_vol = _column(instruments, lambda one: one.own_vol_annual) / np.sqrt(SESSIONS_PER_YEAR)
    own_sigma = own_vol * np.exp(own_state) * np.sqrt(market().turbulence[first:])
    # The variance of Student's t is df / (df - 2).
    shock = tail / np.sqrt(_TAIL_DEGREES / (_TAIL_DEGREES - 2))
    largest = _column(instruments, lambda one: _LARGEST_SHOCK[one.is_stock])
    own = own_sigma * np.clip(shock, -largest, largest)
    sudden, is_event = _sudden(instruments, normal[1], chance[0])
    log_return = np.clip(_common(instruments, first) + own + sudden, -_LARGEST_MOVE, _LARGEST_MOVE)
    paid = _paid(instruments, first)
    thin = _column(instruments, lambda one: one.is_thin)
    is_idle = (thin > 0) & (chance[1] < _NO_TRADE_RATE) & (paid == 0)
    log_return[is_idle] = 0.0
    sigma = _sigma(instruments, first, own_sigma)
    surprise = np.minimum(np.abs(log_return) / np.maximum(sigma, 1e-6), 5.0)
    busy = (
        0.35 * persistent(normal[2], 0.9)
        + 0.3 * (surprise - 0.75)
        + 0.5 * np.log(market().turbulence[first:])
        + 1.0 * is_event
        - 0.6 * timeline().is_half_day[first:]
    )
    return Paths(log_return, paid, sigma, busy, is_idle)


def _draw(
    instruments: Sequence[Instrument], stream: int, draw: Callable[[np.random.Generator], Floats]
) -> Floats:
    """Return draws as (quantity, instrument, session); the first drawn is the last session's."""
    per_instrument = [draw(generator(stream, one.number)) for one in instruments]
    return np.ascontiguousarray(np.stack(per_instrument)[:, ::-1].transpose(2, 0, 1))


def _column(instruments: Sequence[Instrument], value: Callable[[Instrument], float]) -> Floats:
    return np.array([[float(value(one))] for one in instruments])


def _common(instruments: Sequence[Instrument], first: int) -> Floats:
    """Return the part of the log returns that others share."""
    factors = market()
    move = _column(instruments, lambda one: one.beta) * factors.log_return[first:]
    yield_change = np.diff(factors.yield_10y, prepend=factors.yield_10y[0])[first:]
    carry = factors.yield_10y[first:] / SESSIONS_PER_YEAR
    index_move = np.diff(np.log(factors.volatility_index), prepend=0.0)[first:]
    for row, one in enumerate(instruments):
        if one.sector is not None:
            move[row] += factors.sector_log_return[one.sector, first:]
        if one.duration_years:
            move[row] += carry - one.duration_years * yield_change
        if one.asset_class is AssetClass.VOLATILITY:
            move[row] = index_move
    return move


def _sudden(
    instruments: Sequence[Instrument], noise: Floats, chance: Floats
) -> tuple[Floats, Truths]:
    """Return the moves on a company's results, every quarter, and on rare large news."""
    back = np.arange(noise.shape[1])[::-1]
    offset = np.array([[one.number * 7 % _RESULTS_EVERY] for one in instruments])
    is_stock = _column(instruments, lambda one: one.is_stock) > 0
    is_result = is_stock & (back % _RESULTS_EVERY == offset)
    is_news = is_stock & (chance < _EVENT_RATE)
    move = np.where(is_result, _RESULTS_VOL * noise, 0.0) + np.where(
        is_news, _EVENT_VOL * noise, 0.0
    )
    return move, is_result | is_news


def _sigma(instruments: Sequence[Instrument], first: int, own_sigma: Floats) -> Floats:
    turbulence = market().turbulence[first:]
    variance = (
        own_sigma**2 + (_column(instruments, lambda one: one.beta) * MARKET_VOL * turbulence) ** 2
    )
    for row, one in enumerate(instruments):
        if one.sector is not None:
            variance[row] += SECTOR_VOL**2 * turbulence
        variance[row] += (one.duration_years * YIELD_VOL) ** 2
        if one.asset_class is AssetClass.VOLATILITY:
            variance[row] = _VOLATILITY_INDEX_SIGMA**2
    return np.sqrt(variance)


def _paid(instruments: Sequence[Instrument], first: int) -> Floats:
    """Return the fraction of the last close that each ex-date pays."""
    months = timeline().month[first:]
    of_month = timeline().session_of_month[first:]
    paid = np.zeros((len(instruments), len(months)))
    for row, one in enumerate(instruments):
        if one.payments_per_year:
            every = 12 // one.payments_per_year
            is_month = months % every == (
                0 if one.asset_class is AssetClass.FACTOR else one.number % every
            )
            paid[row, is_month & (of_month == one.pays_on)] = (
                one.income_annual / one.payments_per_year
            )
    return paid
