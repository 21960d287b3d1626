"""What gives way, and in which order, where no weights keep to all limits of a goal."""

from dataclasses import dataclass, replace

import numpy as np

from models.vocabulary import Constraint
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.limits.sums import class_sums, total
from pipelines.rebalance.solver.feasibility import TOLERANCE, least_turnover, ranges
from pipelines.rebalance.solver.problems import Risk

RELAXATIONS = tuple(Constraint)
"""Bit i of a set of constraints stands for ``RELAXATIONS[i]``, the first to give way first."""

GIVING_WAY = RELAXATIONS[:-2]
"""Those that may give way. What suits a client, and what a client wants, never does."""


def bit(constraint: Constraint) -> int:
    """Return the bit that stands for a constraint."""
    return 1 << RELAXATIONS.index(constraint)


@dataclass(frozen=True)
class Wanted:
    """Limits as they should be, one row per goal; see ``Bounds`` for what is not said here.

    Attributes
    ----------
    wish_upper : (goals, symbols) largest weights that the client allows, without the house's
        limits; never below ``upper``.
    current : (goals, symbols) drifted weights, from which turnover counts.
    """

    lower: Floats
    upper: Floats
    wish_upper: Floats
    class_lower: Floats
    class_upper: Floats
    invested_lower: Floats
    invested_upper: Floats
    risky_upper: Floats
    turnover: Floats
    current: Floats


@dataclass(frozen=True)
class Relaxed:
    """Limits that some weights keep to, and what gave way for it.

    Attributes
    ----------
    limits : with everything given up that had to be.
    relaxed : (goals,) bits of what gave way.
    infeasible : (goals,) bits of what could not be met although all else gave way; 0: feasible.
    """

    limits: Wanted
    relaxed: Integers
    infeasible: Integers


def gave_way(relaxed: Integers, has_new_target: Mask) -> Integers:
    """Return the bits of what gave way: the limit on turnover only where a target is new."""
    return np.where(has_new_target, relaxed, relaxed & ~bit(Constraint.TURNOVER))


def relax(wanted: Wanted, risk: Risk) -> Relaxed:
    """Give up as little as possible, in the order of ``Constraint``, until some weights fit.

    Of all sets of constraints whose giving way helps, that is taken whose last member comes
    earliest in the order; among these the one whose last but one does, and so on. Read as numbers
    whose bits are the constraints, it is the smallest. So nothing gives way in vain, and nothing
    while something before it would have done.

    How far each gives way: the turnover limit does not count what other limits force; the minimum
    to invest is dropped; class and symbol limits rise to what cannot be sold.
    """
    found = _all_kept(wanted)
    waiting = np.flatnonzero(~fits(wanted, risk))
    for chosen in range(1, 1 << len(GIVING_WAY)):
        if not len(waiting):
            return found
        tried = _give_way(_rows(wanted, waiting), chosen, risk)
        helps = fits(tried, risk)
        _put(found, waiting[helps], _rows(tried, helps), chosen)
        waiting = waiting[~helps]
    found.infeasible[waiting] = _unmet(_rows(wanted, waiting), risk)
    return found


def _all_kept(wanted: Wanted) -> Relaxed:
    goals = len(wanted.turnover)
    copies = {name: getattr(wanted, name).copy() for name in wanted.__dataclass_fields__}
    none = np.zeros(goals, dtype=np.int64)
    return Relaxed(Wanted(**copies), none, none.copy())


def fits(limits: Wanted, risk: Risk) -> Mask:
    """Say for which goals some weights keep to all limits."""
    least = least_turnover(risk.class_of, risk.is_risky, limits, limits.current)
    return np.asarray(least <= limits.turnover + TOLERANCE) & np.isfinite(least)


def _give_way(wanted: Wanted, chosen: int, risk: Risk) -> Wanted:
    if chosen & bit(Constraint.MINIMUM_INVESTED):
        wanted = replace(wanted, invested_lower=np.zeros_like(wanted.invested_lower))
    if chosen & bit(Constraint.SYMBOL_LIMIT):
        unsold = np.minimum(wanted.lower, wanted.wish_upper)
        wanted = replace(wanted, upper=np.maximum(wanted.upper, unsold))
    if chosen & bit(Constraint.CLASS_LIMIT):
        unsold = class_sums(wanted.lower, risk.class_of, risk.classes)
        wanted = replace(
            wanted,
            class_lower=np.zeros_like(wanted.class_lower),
            class_upper=np.maximum(wanted.class_upper, unsold),
        )
    if chosen & bit(Constraint.TURNOVER):
        forced = least_turnover(risk.class_of, risk.is_risky, wanted, wanted.current)
        wanted = replace(wanted, turnover=wanted.turnover + forced)
    return wanted


def _unmet(wanted: Wanted, risk: Risk) -> Integers:
    """Say which of the constraints that never give way stand in the way of what is not sold."""
    everything = (1 << len(GIVING_WAY)) - 1
    last = _give_way(wanted, everything, risk)
    against_wish = (last.lower > last.wish_upper + TOLERANCE).any(axis=1)
    against_wish |= total(last.lower) > last.invested_upper + TOLERANCE
    found = ranges(risk.class_of, risk.is_risky, last)
    unsuitable = found.risky_least > last.risky_upper + TOLERANCE
    unmet = np.where(unsuitable, bit(Constraint.SUITABILITY), 0)
    # Whatever it is, a goal without fitting weights is never taken for one that has them.
    wishes = np.where(against_wish | ~unsuitable, bit(Constraint.CLIENT_WISH), 0)
    return np.asarray(unmet | wishes)


def _rows(limits: Wanted, rows: Integers | Mask) -> Wanted:
    return Wanted(**{name: getattr(limits, name)[rows] for name in limits.__dataclass_fields__})


def _put(found: Relaxed, rows: Integers, limits: Wanted, chosen: int) -> None:
    for name in limits.__dataclass_fields__:
        getattr(found.limits, name)[rows] = getattr(limits, name)
    found.relaxed[rows] = chosen
