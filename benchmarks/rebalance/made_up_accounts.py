"""What made-up clients want, hold and do, as arrays of a chunk."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.vocabulary import MICROS, GoalKind, TaxKind
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.market.market import Market

_MEDIAN_WORTH_CENTS = 6_000_000
_WORTH_LOG_SPREAD = 1.1
_LEAST_WORTH_CENTS, _LARGEST_WORTH_CENTS = 200_000, 500_000_000
_FRACTION_MICROS = 1_000
_QUIET_DRIFT, _LOUD_DRIFT = 0.01, 0.6
_HELD_SHARE = 0.55
_LONGEST_DAYS = 35 * 365
_FAULTY_SHARE = 0.001
_FROZEN_SHARE = 0.005


@dataclass(frozen=True)
class MadeUp:
    """What all chunks of a population share."""

    market: Market
    session: dt.date
    share_to_trade: float

    @cached_property
    def prices(self) -> Integers:
        """Prices of the market's symbols, micros of USD per share."""
        return np.array(self.market.price_micros, dtype=np.int64)


@dataclass(frozen=True)
class Chunk:
    """Some whole clients; accounts and goals are numbered within it.

    Attributes
    ----------
    clients : how many the whole population has.
    first_account, first_goal : numbers in the population of this chunk's first ones.
    goal_of_account : (accounts,) number within the chunk.
    client_of_goal : (goals,) number in the population.
    """

    seed: int
    clients: int
    first_account: int
    first_goal: int
    goal_of_account: Integers
    client_of_goal: Integers

    def generator(self, subject: int) -> np.random.Generator:
        """Return the chunk's random numbers for a subject."""
        return np.random.default_rng([self.seed, self.first_account, subject])

    @property
    def client_of_account(self) -> Integers:
        """Number in the population of each account's client."""
        return self.client_of_goal[self.goal_of_account]


@dataclass(frozen=True)
class Wishes:
    """What goals ask for, (goals,) unless said otherwise; what is of a client is alike in all.

    ``excluded`` is (goals, symbols), ``excluded_class`` a class number or -1, ``symbol_cap`` NaN
    where there is none.
    """

    score: Integers
    kind: Integers
    horizon_days: Integers
    target_cents: Integers
    has_profile: Mask
    excluded: Mask
    excluded_class: Integers
    symbol_cap: Floats


@dataclass(frozen=True)
class Positions:
    """What accounts hold, (accounts,) unless said otherwise.

    ``quantity_micros`` is (accounts, symbols); ``frozen_micros`` of one instrument outside the
    market; ``unpriced_micros`` of something that nobody knows.
    """

    tax_kind: Integers
    is_whole: Mask
    buffer_cents: Integers
    cash_micros: Integers
    quantity_micros: Integers
    frozen_micros: Integers
    unpriced_micros: Integers
    goal_is_missing: Mask


def wishes_of(made_up: MadeUp, chunk: Chunk) -> Wishes:
    """Draw what each goal asks for."""
    goals, rng = len(chunk.client_of_goal), chunk.generator(1)
    has_passed = rng.random(goals) < _FAULTY_SHARE
    has_profile = rng.random(goals) >= _FAULTY_SHARE
    score = np.where(has_passed | ~has_profile, 1, rng.integers(5, 96, goals))
    horizon = np.where(has_passed, -30, rng.integers(200, _LONGEST_DAYS, goals))
    client, own = np.unique(chunk.client_of_goal, return_inverse=True)
    symbols, classes = len(made_up.market.symbols), len(made_up.market.classes)
    picky = rng.random((len(client), 1)) < 0.2
    excluded = picky & (rng.random((len(client), symbols)) < 2 / symbols)
    no_class = np.where(rng.random(len(client)) < 0.08, rng.integers(0, classes, len(client)), -1)
    asks = rng.random(len(client)) < 0.1
    cap: Floats = np.where(asks, np.round(rng.uniform(0.08, 0.3, len(client)), 4), np.nan)
    return Wishes(
        score=score,
        kind=rng.integers(0, len(GoalKind), goals),
        horizon_days=horizon,
        target_cents=rng.integers(1_000_000, 200_000_000, goals),
        has_profile=has_profile,
        excluded=excluded[own],
        excluded_class=no_class[own],
        symbol_cap=cap[own],
    )


def positions_of(made_up: MadeUp, chunk: Chunk, wishes: Wishes) -> Positions:
    """Draw what each account holds."""
    accounts, rng = len(chunk.goal_of_account), chunk.generator(2)
    worth = np.clip(
        _MEDIAN_WORTH_CENTS * np.exp(rng.normal(0, _WORTH_LOG_SPREAD, accounts)),
        _LEAST_WORTH_CENTS,
        _LARGEST_WORTH_CENTS,
    )
    is_whole = rng.random(accounts) < 0.4
    weight = _held_weights(made_up, wishes, rng)[chunk.goal_of_account]
    lot = np.where(is_whole, MICROS, _FRACTION_MICROS)[:, None]
    bought = weight * worth[:, None] * (MICROS * 10_000 / made_up.prices)
    quantity = (bought / lot).astype(np.int64) * lot
    value_cents = quantity * (made_up.prices / (MICROS * 10_000))
    cash = ((worth - value_cents.sum(axis=1)).astype(np.int64)) * 10_000
    wants_buffer = rng.random(accounts) < 0.3
    buffer = np.where(wants_buffer, worth * rng.uniform(0, 0.03, accounts), 0).astype(np.int64)
    return _with_faults(
        Positions(
            tax_kind=rng.choice(len(TaxKind), size=accounts, p=(0.5, 0.3, 0.2)),
            is_whole=is_whole,
            buffer_cents=buffer,
            cash_micros=cash,
            quantity_micros=quantity,
            frozen_micros=np.where(rng.random(accounts) < _FROZEN_SHARE, MICROS, 0),
            unpriced_micros=np.zeros(accounts, dtype=np.int64),
            goal_is_missing=rng.random(accounts) < _FAULTY_SHARE,
        ),
        rng,
    )


def _held_weights(made_up: MadeUp, wishes: Wishes, rng: np.random.Generator) -> Floats:
    """Return (goals, symbols) fractions of what their accounts are worth."""
    goals, symbols = wishes.excluded.shape
    exposure = np.minimum(0.98, 0.06 + wishes.score / 100)
    target = made_up.market.reference_weights * exposure[:, None]
    is_loud: Mask = np.less(rng.random((goals, 1)), made_up.share_to_trade)
    noise = rng.normal(0, 1, (goals, symbols)) * np.where(is_loud, _LOUD_DRIFT, _QUIET_DRIFT)
    is_held = ~is_loud | (rng.random((goals, symbols)) < _HELD_SHARE)
    raw = target * np.exp(noise) * is_held
    total = raw.sum(axis=1, keepdims=True)
    return np.where(total > 0.99, raw / np.maximum(total, 1e-9) * 0.99, raw)


def _with_faults(positions: Positions, rng: np.random.Generator) -> Positions:
    """Let a few accounts have what screening names."""
    accounts = len(positions.tax_kind)
    fault = np.where(rng.random(accounts) < 4 * _FAULTY_SHARE, rng.integers(0, 4, accounts), -1)
    positions.unpriced_micros[fault == 0] = MICROS
    positions.quantity_micros[fault == 1, 0] = -MICROS
    positions.cash_micros[fault == 2] = -100 * MICROS
    positions.quantity_micros[fault == 3] = 0
    positions.frozen_micros[fault == 3] = 0
    positions.cash_micros[fault == 3] = 0
    return positions
