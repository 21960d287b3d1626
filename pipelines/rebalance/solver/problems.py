"""Allocation problems of many goals at once, and their answers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.arrays import Floats, Mask, Matrix


@dataclass(frozen=True)
class Risk:
    """What all problems of a run share.

    Attributes
    ----------
    covariance : (symbols, symbols), simple returns over the horizon, positive definite.
    class_of : (symbols,) number of each symbol's class.
    classes : how many there are.
    is_risky : (classes,) which of them suitability limits; symbol in class in risky classes or the
        rest in budget is still a tree.
    """

    covariance: Matrix
    class_of: npt.NDArray[np.int64]
    classes: int
    is_risky: Mask


@dataclass(frozen=True)
class Problems:
    """Mean-variance problems that differ in everything but the covariance.

    With t the risk tolerance (1 / risk aversion), each minimises over weights w::

        w'Sigma w / 2 - t (expected'w - buy'max(w - current, 0) - sell'max(current - w, 0))

        lower <= w <= upper,  class_lower <= class sums <= class_upper,
        invested_lower <= sum w <= invested_upper,  sum of risky classes <= risky_upper,
        sum |w - current| <= turnover

    so that the quadratic part is the same for all and is factored once. Cash and what cannot be
    traded are what ``sum w`` leaves.

    Attributes
    ----------
    expected : (problems, symbols) simple excess returns over the horizon.
    tolerance : (problems,) t, above 0.
    current : (problems, symbols) drifted weights.
    buy_cost, sell_cost : (problems, symbols) of what is traded, spread and tax; their sum is never
        negative, so the problem is convex.
    lower, upper : (problems, symbols).
    class_lower, class_upper : (problems, classes).
    invested_lower, invested_upper : (problems,).
    risky_upper : (problems,) of all risky classes together; 1 or more where there is no limit.
    turnover : (problems,); infinite where there is no limit.
    """

    expected: Floats
    tolerance: Floats
    current: Floats
    buy_cost: Floats
    sell_cost: Floats
    lower: Floats
    upper: Floats
    class_lower: Floats
    class_upper: Floats
    invested_lower: Floats
    invested_upper: Floats
    risky_upper: Floats
    turnover: Floats


@dataclass(frozen=True)
class Solutions:
    """Verified optima; NaN where a problem has none that could be verified.

    Attributes
    ----------
    weights : (problems, symbols).
    objective : (problems,) utility expected'w - w'Sigma w / (2 t) - costs, per horizon.
    kkt_residual : (problems,) largest violation of the scaled optimality conditions.
    solver : (problems,) as ``SOLVERS`` numbers them: which one gave the weights.
    """

    weights: Floats
    objective: Floats
    kkt_residual: Floats
    solver: npt.NDArray[np.int8]
