"""How far is too far: bands around targets, and gaps that no trade can close."""

import numpy as np
import pytest

from pipelines.rebalance.limits.drift import drift, outside_band
from pipelines.rebalance.policy import POLICY


def is_outside(current: list[float], target: list[float], grains: list[float]) -> bool:
    rows = (np.array([values]) for values in (current, target, grains))
    return bool(outside_band(*rows, POLICY)[0])


@pytest.mark.parametrize(
    ("current", "target", "expected"),
    [
        ([0.40, 0.60], [0.36, 0.64], False),  # large positions: 5 % of wealth
        ([0.42, 0.58], [0.36, 0.64], True),
        ([0.049, 0.951], [0.04, 0.96], False),  # small ones: a quarter of their target
        ([0.052, 0.948], [0.04, 0.96], True),
        ([0.009, 0.991], [0.0, 1.0], False),  # none wanted: 1 % of wealth
        ([0.011, 0.989], [0.0, 1.0], True),
    ],
)
def test_the_band_is_absolute_for_large_and_relative_for_small_positions(
    current: list[float], target: list[float], expected: bool
) -> None:
    assert is_outside(current, target, [0.0]) is expected


def test_a_gap_that_no_trade_can_close_is_inside_the_band() -> None:
    assert is_outside([0.50, 0.50], [0.36, 0.64], [0.08])
    assert not is_outside([0.50, 0.50], [0.36, 0.64], [0.10])


def test_what_a_lot_too_much_of_one_symbol_leaves_no_room_for_is_inside_the_band() -> None:
    held, target = [0.21, 0.0, 0.79], [0.02, 0.20, 0.78]
    assert not is_outside(held, target, [0.21, 0.09])
    assert is_outside(held, target, [0.10, 0.09])  # of smaller lots one could be sold


def test_new_cash_is_outside_the_band_though_no_symbol_is() -> None:
    assert is_outside([0.16, 0.16, 0.68], [0.2, 0.2, 0.6], [0.0, 0.0])


def test_drift_is_the_share_of_wealth_in_the_wrong_place() -> None:
    assert drift(np.array([[0.5, 0.5]]), np.array([[0.4, 0.6]])).tolist() == pytest.approx([0.1])
