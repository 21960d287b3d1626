"""The allocation problem: one cvxpy model, compiled once; the engine is checked against it."""

from functools import lru_cache

import clarabel
import cvxpy as cp
import numpy as np

from pipelines.rebalance.arrays import Vector
from pipelines.rebalance.solver.compiled import CompiledProblem
from pipelines.rebalance.solver.problems import Problems, Risk

_MODELS_KEPT = 4


class UnsolvedError(Exception):
    """The solver found no optimum."""


class Definition:
    """The problem that ``Problems`` describes, in cvxpy, for one row at a time.

    Divided by the mean variance, so that multipliers and residuals are of the order of weights.
    What is bought and what is sold are variables of their own, with ``w - current`` as their
    difference: that keeps costs of buying and selling apart, turnover linear, and the problem
    linear in its parameters (DPP).

    Parameters
    ----------
    risk : what all problems share.
    """

    def __init__(self, risk: Risk) -> None:
        symbols = len(risk.class_of)
        membership = np.zeros((risk.classes, symbols))
        membership[risk.class_of, np.arange(symbols)] = 1.0
        self._unit = float(np.mean(np.diag(risk.covariance)))
        self._classes, self._symbols = risk.classes, symbols
        self._values = {
            name: cp.Parameter(size, name=name)
            for name, size in [
                ("gain", symbols), ("buy", symbols), ("sell", symbols), ("current", symbols),
                ("lower", symbols), ("upper", symbols),
                ("class_lower", risk.classes), ("class_upper", risk.classes),
                ("invested_lower", 1), ("invested_upper", 1), ("risky_upper", 1), ("turnover", 1),
            ]
        }  # fmt: skip
        self._weights = cp.Variable(symbols)
        bought, sold = cp.Variable(symbols), cp.Variable(symbols)
        value = self._values
        loss = (
            0.5 * cp.quad_form(self._weights, cp.psd_wrap(risk.covariance / self._unit))
            - value["gain"] @ self._weights
            + value["buy"] @ bought
            + value["sell"] @ sold
        )
        class_sums, invested = membership @ self._weights, cp.sum(self._weights)
        risky = membership[risk.is_risky].sum(axis=0) @ self._weights
        self.problem = cp.Problem(
            cp.Minimize(loss),
            [
                self._weights - value["current"] == bought - sold,
                class_sums <= value["class_upper"],
                class_sums >= value["class_lower"],
                invested <= value["invested_upper"],
                invested >= value["invested_lower"],
                risky <= value["risky_upper"],
                cp.sum(bought) + cp.sum(sold) <= value["turnover"],
                self._weights >= value["lower"],
                self._weights <= value["upper"],
                bought >= 0,
                sold >= 0,
            ],
        )
        self.compiled = CompiledProblem(self.problem)

    def set_parameters(self, problems: Problems, row: int) -> None:
        """Put one row's numbers into the model."""
        scale = problems.tolerance[row] / self._unit
        current, lower, upper = (
            values[row] for values in (problems.current, problems.lower, problems.upper)
        )
        # More than can be traded within bounds, where turnover has no limit.
        farthest = np.maximum(np.abs(upper - current), np.abs(lower - current)).sum() + 1
        numbers = {
            "gain": scale * problems.expected[row],
            "buy": scale * problems.buy_cost[row],
            "sell": scale * problems.sell_cost[row],
            "current": current,
            "lower": lower,
            "upper": upper,
            "class_lower": problems.class_lower[row],
            "class_upper": problems.class_upper[row],
            "invested_lower": problems.invested_lower[[row]],
            "invested_upper": problems.invested_upper[[row]],
            "risky_upper": problems.risky_upper[[row]],
            "turnover": np.minimum(problems.turnover[[row]], farthest),
        }
        for name, parameter in self._values.items():
            parameter.value = numbers[name]

    def solve(self, problems: Problems, row: int) -> tuple[Vector, Vector]:
        """Return weights and prices (as in ``Points``) of one row's optimum.

        Raises
        ------
        UnsolvedError
            There is no optimum, or Clarabel finds none.
        """
        self.set_parameters(problems, row)
        answer = self.compiled.with_parameters().solve()
        if answer.status != clarabel.SolverStatus.Solved:
            raise UnsolvedError(f"the solver says {answer.status}")
        weights = self.compiled.value_of(self._weights, answer)
        within = np.minimum(np.maximum(weights, problems.lower[row]), problems.upper[row])
        return within, self._prices(np.asarray(answer.z))

    def _prices(self, multipliers: Vector) -> Vector:
        """Return the rows' multipliers: inequalities follow the equality, in the order above."""
        sizes = [self._symbols, self._classes, self._classes, 1, 1, 1, 1]
        starts = np.cumsum(sizes)[:-1]
        _, high, low, most, least, risky, turnover = np.split(multipliers[: sum(sizes)], starts)
        return np.concatenate([high - low, most - least, risky, turnover])


def definition_of(risk: Risk) -> Definition:
    """Return the compiled model of a run's risk; compiling takes a second, so some are kept."""
    return _compiled(
        risk.covariance.tobytes(), risk.class_of.tobytes(), risk.is_risky.tobytes(), risk.classes
    )


@lru_cache(maxsize=_MODELS_KEPT)
def _compiled(covariance: bytes, class_of: bytes, is_risky: bytes, classes: int) -> Definition:
    numbers = np.frombuffer(class_of, np.int64)
    return Definition(
        Risk(
            np.frombuffer(covariance).reshape(len(numbers), -1),
            numbers,
            classes,
            np.frombuffer(is_risky, np.bool_),
        )
    )
