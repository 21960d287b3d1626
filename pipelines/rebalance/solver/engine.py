"""The batch engine: all problems of a shard by compiled active sets, on some threads."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.arrays import Floats, Integers
from pipelines.rebalance.solver.active_set.batch import solve_range
from pipelines.rebalance.solver.problems import Problems, Risk
from pipelines.rebalance.solver.scaled import scaled


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
    moves : (problems,) of symbols and rows between steps that each took.
    """

    points: Points
    status: npt.NDArray[np.int8]
    moves: Integers


def solve_batch(risk: Risk, problems: Problems, threads: int) -> Found:
    """Return what the engine finds for a batch, its arrays C-contiguous and of 64 bits."""
    count, symbols = problems.expected.shape
    weights = np.empty((count, symbols))
    prices = np.empty((count, risk.classes + 3))
    status = np.zeros(count, np.int8)
    moves = np.zeros(count, np.int64)
    given = scaled(risk, problems)

    def solve_part(begin: int, end: int) -> None:
        solve_range(given, weights, prices, status, moves, begin, end)

    in_parts(solve_part, count, threads)
    return Found(Points(weights, prices), status, moves)


def in_parts(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(begin, end)`` for parts of a batch, on some threads."""
    if threads <= 1 or count < 2 * threads:
        work(0, count)
        return
    edges = np.linspace(0, count, threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, begin, end) for begin, end in itertools.pairwise(edges)]:
            done.result()
