"""Solve many allocation problems, and let nothing out that was not verified."""

from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.problems import Problems, Risk, Solutions

SOLVERS = ("active_set", "clarabel")
"""What ``Solutions.solver`` numbers: our engine, and cvxpy's definition solved by Clarabel."""


def solve(risk: Risk, problems: Problems, policy: Policy, threads: int = 1) -> Solutions:
    """Return the verified optimum of each problem; NaN where there is none.

    A problem's answer depends on its own row and on ``risk`` alone, to the last bit: not on other
    rows, their order, or how many threads share the work.

    Parameters
    ----------
    risk : what all problems share.
    problems : C-contiguous arrays, finite but for ``turnover``; a row that is not, is not solved.
    policy : for the tolerance of verification.
    threads : how many share the batch. Processes that each have a shard need one each.

    Raises
    ------
    ValueError
        An array has another shape than the others imply.
    """
    raise NotImplementedError
