"""Weights in billionths keep every bound exactly, or are no target."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trade_shards import bounds_of, market_of

from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.trades.weights import NANOS, NO_TARGET, clean

CLASS_OF = np.array([0, 0, 1, 1, 2, 2, 2])
IS_RISKY = np.array([True, False, True])
MARKET = market_of([1_000_000] * 7, [("bond", "energy", "index")[at] for at in CLASS_OF])
ROWS = 20


def sums_of(values: Floats) -> Floats:
    """The sums of classes, of what is risky and of everything, side by side."""
    classes = np.stack([values[:, number == CLASS_OF].sum(axis=1) for number in range(3)], axis=1)
    risky = values[:, IS_RISKY[CLASS_OF]].sum(axis=1)
    return np.column_stack([classes, risky, values.sum(axis=1)])


def bounds_around(weights: Floats, rng: np.random.Generator) -> Bounds:
    """Limits that weights keep to, many of them exactly, some of them all but equal."""

    def room(shape: tuple[int, ...]) -> Floats:
        return rng.choice([0.0, 1e-10, 0.01, 0.3], shape)

    sums = sums_of(weights)
    return replace(
        bounds_of(MARKET, ROWS),
        lower=np.maximum(0.0, weights - room(weights.shape)),
        upper=np.minimum(1.0, weights + room(weights.shape)),
        class_lower=np.maximum(0.0, sums[:, :3] - room((ROWS, 3))),
        class_upper=sums[:, :3] + room((ROWS, 3)),
        risky_upper=sums[:, 3] + room((ROWS,)),
        invested_lower=np.maximum(0.0, sums[:, 4] - room((ROWS,))),
        invested_upper=np.minimum(1.0, sums[:, 4] + room((ROWS,))),
    )


def keeps(nanos: Integers, bounds: Bounds) -> Mask:
    """Rows that keep all bounds to the billionth, allowing for the last bit of a bound's float."""
    symbols, slack = nanos[:, :-1].astype(float), 2e-3
    sums = sums_of(symbols)
    least = np.column_stack([bounds.class_lower, np.full(ROWS, -1.0), bounds.invested_lower])
    most = np.column_stack([bounds.class_upper, bounds.risky_upper, bounds.invested_upper])
    return (
        (symbols >= bounds.lower * NANOS - slack).all(axis=1)
        & (symbols <= bounds.upper * NANOS + slack).all(axis=1)
        & (sums >= least * NANOS - slack).all(axis=1)
        & (sums <= most * NANOS + slack).all(axis=1)
    )


def any_weights(rng: np.random.Generator) -> Floats:
    shares = rng.integers(0, 20, (ROWS, 8)) * (rng.random((ROWS, 8)) < 0.7)
    shares[:, -1] += shares.sum(axis=1) == 0
    nanos = shares[:, :-1] * NANOS // shares.sum(axis=1)[:, None]
    return np.asarray(nanos / NANOS)


def assert_that_weights_are_repaired(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = any_weights(rng)
    bounds = bounds_around(weights, rng)
    missed = weights + rng.uniform(-3e-9, 3e-9, weights.shape)
    nanos = clean(missed, bounds, CLASS_OF, IS_RISKY)
    found = nanos[:, -1] != NO_TARGET
    assert (nanos[found].sum(axis=1) == NANOS).all()
    assert (nanos[found] >= 0).all()
    assert keeps(nanos, bounds)[found].all()
    assert (np.abs(nanos[found, :-1] - weights[found] * NANOS) <= 200).all()
    assert (nanos[~found] == NO_TARGET).all()
    # Bounds a tenth of a billionth apart, or none but one in both directions, may hold no whole
    # billionths; all else does.
    wide = bounds_around(weights, np.random.default_rng(seed))
    wide = replace(
        wide,
        class_lower=wide.class_lower * 0.99,
        invested_lower=wide.invested_lower * 0.99,
        lower=wide.lower * 0.99,
    )
    assert (clean(missed, wide, CLASS_OF, IS_RISKY)[:, -1] != NO_TARGET).all()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_what_a_solver_misses_its_bounds_by_is_repaired(seed: int) -> None:
    assert_that_weights_are_repaired(seed)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_weights_are_repaired_ten_thousand_times(seed: int) -> None:
    assert_that_weights_are_repaired(seed)


def test_weights_already_in_billionths_stay() -> None:
    rng = np.random.default_rng(5)
    weights = any_weights(rng)
    nanos = clean(weights, bounds_around(weights, rng), CLASS_OF, IS_RISKY)
    assert (nanos[:, :-1] == np.round(weights * NANOS)).all()


@pytest.mark.parametrize(
    "weights",
    [
        [np.nan, 0, 0, 0, 0, 0, 0],
        [0, np.inf, 0, 0, 0, 0, 0],
        [0.3, 0.3, 0, 0, 0, 0, 0],  # a class above its limit
        [0, 0, 0.4, 0.4, 0.3, 0, 0],  # more than everything
        [0, 0, 0.1, 0, 0, 0, 0],  # less than must be invested
    ],
)
def test_what_no_repair_brings_within_bounds_is_no_target(weights: list[float]) -> None:
    bounds = bounds_of(MARKET, 1, class_upper=[0.5, 1, 1], invested_lower=0.2)
    rows = np.array([weights, [0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]])
    both = replace(bounds_of(MARKET, 2, class_upper=[0.5, 1, 1], invested_lower=0.2))
    assert (clean(rows[:1], bounds, CLASS_OF, IS_RISKY) == NO_TARGET).all()
    assert (clean(rows, both, CLASS_OF, IS_RISKY)[1] >= 0).all()


def test_a_weight_near_its_bound_means_the_bound() -> None:
    bounds = bounds_of(MARKET, 1, lower=0.1, upper=0.12)
    weights = np.array([[0.1 + 3e-9, 0.12 - 3e-9, 0.11, 0.1, 0.12, 0.13, 0.05]])
    nanos = clean(weights, bounds, CLASS_OF, IS_RISKY)[0, :-1]
    tenth = NANOS // 10
    assert (nanos * 10 / NANOS).tolist() == [1, 1.2, 1.1, 1, 1.2, 1.2, 1]
    assert nanos[0] == tenth
