"""The batch engine: all problems of a shard by compiled active sets, on some threads."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.solver.active_set import solve_range
from pipelines.rebalance.solver.problems import Problems, Risk


@dataclass(frozen=True)
class Points:
    """Weights and the multipliers that prove them optimal.

    Attributes
    ----------
    weights : (problems, symbols); NaN where none were found.
    prices : (problems, classes + 3) multipliers of class sums, of the sum of all, of risky
        classes and of turnover,
        in units of the mean variance: positive at an upper limit, negative at a lower one.
    """

    weights: Floats
    prices: Floats


@dataclass(frozen=True)
class Found:
    """What the engine has for a batch.

    Attributes
    ----------
    points : of the problems that were solved.
    status : (problems,) SOLVED, INFEASIBLE, UNSOLVED or BAD_INPUT (not finite) of ``active_set``.
    rounds : (problems,) linear systems that each took.
    """

    points: Points
    status: npt.NDArray[np.int8]
    rounds: Integers


def mean_variance(risk: Risk) -> float:
    """Return the mean of the symbols' variances, the unit of multipliers and residuals."""
    return float(np.mean(np.diag(risk.covariance)))


def solve_batch(risk: Risk, problems: Problems, threads: int) -> Found:
    """Return what the engine finds for a batch, its arrays C-contiguous and of 64 bits."""
    count, symbols = problems.expected.shape
    weights = np.empty((count, symbols))
    prices = np.empty((count, risk.classes + 3))
    status = np.zeros(count, np.int8)
    rounds = np.zeros(count, np.int64)
    unit = mean_variance(risk)

    def solve_part(begin: int, end: int) -> None:
        solve_range(
            np.ascontiguousarray(risk.covariance / unit),
            risk.class_of,
            risk.is_risky[risk.class_of],
            problems.expected,
            problems.tolerance / unit,
            problems.current,
            problems.buy_cost,
            problems.sell_cost,
            problems.lower,
            problems.upper,
            problems.class_lower,
            problems.class_upper,
            problems.invested_lower,
            problems.invested_upper,
            problems.risky_upper,
            problems.turnover,
            weights,
            prices,
            status,
            rounds,
            begin,
            end,
        )

    in_parts(solve_part, count, threads)
    return Found(Points(weights, prices), status, rounds)


def in_parts(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(begin, end)`` for parts of a batch, on some threads."""
    if threads <= 1 or count < 2 * threads:
        work(0, count)
        return
    edges = np.linspace(0, count, threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, begin, end) for begin, end in itertools.pairwise(edges)]:
            done.result()
