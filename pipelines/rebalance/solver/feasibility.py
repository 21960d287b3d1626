"""Whether any weights keep to limits, decided exactly and before anything is solved.

Symbol within class within risky classes or the rest within budget is a tree (a laminar family). On
a tree what a node can hold is an interval, from the leaves upwards: the sum of its children's
intervals cut by its own. And the least that must be traded to get inside is, level by level, the
distance of what is held to the interval.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipelines.rebalance.arrays import Floats, Integers, Mask

TOLERANCE = 1e-12
"""Sums of limits that differ by less are the same sum, added up in another order."""


class Limits(Protocol):
    """What both ``Bounds`` and ``Problems`` have: limits on weights, one row per problem."""

    @property
    def lower(self) -> Floats: ...
    @property
    def upper(self) -> Floats: ...
    @property
    def class_lower(self) -> Floats: ...
    @property
    def class_upper(self) -> Floats: ...
    @property
    def invested_lower(self) -> Floats: ...
    @property
    def invested_upper(self) -> Floats: ...
    @property
    def risky_upper(self) -> Floats: ...


@dataclass(frozen=True)
class Ranges:
    """What can be invested within limits; where least is above most, nothing keeps to them.

    Attributes
    ----------
    class_least, class_most : (problems, classes) sums of weights of each class.
    risky_least, risky_most : (problems,) sum of all weights in risky classes.
    least, most : (problems,) sum of all weights.
    is_feasible : (problems,) whether any weights keep to all limits but that on turnover.
    """

    class_least: Floats
    class_most: Floats
    risky_least: Floats
    risky_most: Floats
    least: Floats
    most: Floats
    is_feasible: Mask


def ranges(class_of: Integers, is_risky: Mask, limits: Limits) -> Ranges:
    """Return the least and most of each class and of the whole, and whether there is anything.

    Parameters
    ----------
    class_of : (symbols,) number of each symbol's class.
    is_risky : (classes,).
    limits : of many problems.
    """
    classes = limits.class_lower.shape[1]
    class_least = np.maximum(_class_sums(limits.lower, class_of, classes), limits.class_lower)
    class_most = np.minimum(_class_sums(limits.upper, class_of, classes), limits.class_upper)
    risky_least = _sum_where(class_least, is_risky)
    risky_most = np.minimum(_sum_where(class_most, is_risky), limits.risky_upper)
    safe_least = _sum_where(class_least, ~is_risky)
    safe_most = _sum_where(class_most, ~is_risky)
    least = np.maximum(risky_least + safe_least, limits.invested_lower)
    most = np.minimum(risky_most + safe_most, limits.invested_upper)
    is_feasible = (
        (limits.lower <= limits.upper + TOLERANCE).all(axis=1)
        & (class_least <= class_most + TOLERANCE).all(axis=1)
        & (risky_least <= risky_most + TOLERANCE)
        & (least <= most + TOLERANCE)
    )
    return Ranges(class_least, class_most, risky_least, risky_most, least, most, is_feasible)


def least_turnover(class_of: Integers, is_risky: Mask, limits: Limits, current: Floats) -> Floats:
    """Return the least ``sum |w - current|`` of any weights w that keep to the limits.

    Exact: the least change of a node's children that gives it the sum s is ``base + |s - s0|``,
    with s0 the sum of the children's nearest points in their own intervals. So a node looks to its
    parent as a leaf does.

    Parameters
    ----------
    class_of : (symbols,) number of each symbol's class.
    is_risky : (classes,).
    limits : of many problems.
    current : (problems, symbols).

    Returns
    -------
    (problems,), infinite where nothing keeps to the limits.
    """
    found = ranges(class_of, is_risky, limits)
    nearest = np.minimum(np.maximum(current, limits.lower), limits.upper)
    sums = _class_sums(nearest, class_of, limits.class_lower.shape[1])
    class_nearest = np.minimum(np.maximum(sums, found.class_least), found.class_most)
    risky = _sum_where(class_nearest, is_risky)
    risky_nearest = np.minimum(np.maximum(risky, found.risky_least), found.risky_most)
    total = risky_nearest + _sum_where(class_nearest, ~is_risky)
    change = (
        np.abs(nearest - current).sum(axis=1)
        + np.abs(class_nearest - sums).sum(axis=1)
        + np.abs(risky_nearest - risky)
        + np.abs(np.minimum(np.maximum(total, found.least), found.most) - total)
    )
    return np.where(found.is_feasible, change, np.inf)


def _class_sums(values: Floats, class_of: Integers, classes: int) -> Floats:
    """Add up columns class by class, in the order of symbols, whatever the batch's size."""
    sums = np.zeros((len(values), classes))
    for symbol, number in enumerate(class_of):
        sums[:, number] += values[:, symbol]
    return sums


def _sum_where(values: Floats, is_in: Mask) -> Floats:
    """Add up the columns that are in, in their order, whatever the batch's size."""
    total = np.zeros(len(values))
    for number in np.flatnonzero(is_in):
        total += values[:, number]
    return total
