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
    def lower(self) -> Floats: ...  # noqa: D102
    @property
    def upper(self) -> Floats: ...  # noqa: D102
    @property
    def class_lower(self) -> Floats: ...  # noqa: D102
    @property
    def class_upper(self) -> Floats: ...  # noqa: D102
    @property
    def invested_lower(self) -> Floats: ...  # noqa: D102
    @property
    def invested_upper(self) -> Floats: ...  # noqa: D102
    @property
    def risky_upper(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True)
class Ranges:
    """What can be invested within limits; where least is above most, nothing keeps to them.

    Attributes
    ----------
    class_least, class_most : (problems, classes) sums of weights of each class.
    risky_least, risky_most : (problems,) sum of weights of risky classes.
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
    classes = len(is_risky)
    class_least = np.maximum(_sums(limits.lower, class_of, classes), limits.class_lower)
    class_most = np.minimum(_sums(limits.upper, class_of, classes), limits.class_upper)
    safe_least, risky_least = _sums(class_least, is_risky.astype(np.int64), 2).T
    safe_most, risky_most = _sums(class_most, is_risky.astype(np.int64), 2).T
    risky_most = np.minimum(risky_most, limits.risky_upper)
    least = np.maximum(safe_least + risky_least, limits.invested_lower)
    most = np.minimum(safe_most + risky_most, limits.invested_upper)
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
    class_of, is_risky, limits : as for :func:`ranges`.
    current : (problems, symbols).

    Returns
    -------
    (problems,), infinite where nothing keeps to the limits.
    """
    found = ranges(class_of, is_risky, limits)
    symbols = _clip(current, limits.lower, limits.upper)
    sums = _sums(symbols, class_of, len(is_risky))
    classes = _clip(sums, found.class_least, found.class_most)
    safe, risky_sum = _sums(classes, is_risky.astype(np.int64), 2).T
    risky = _clip(risky_sum, found.risky_least, found.risky_most)
    total = safe + risky
    change = (
        np.abs(symbols - current).sum(axis=1)
        + np.abs(classes - sums).sum(axis=1)
        + np.abs(risky - risky_sum)
        + np.abs(_clip(total, found.least, found.most) - total)
    )
    return np.where(found.is_feasible, change, np.inf)


def _clip(values: Floats, least: Floats, most: Floats) -> Floats:
    return np.minimum(np.maximum(values, least), most)


def _sums(values: Floats, part_of: Integers, parts: int) -> Floats:
    """Add up columns part by part, in the order of columns, whatever the batch's size."""
    sums = np.zeros((len(values), parts))
    for column, part in enumerate(part_of):
        sums[:, part] += values[:, column]
    return sums
