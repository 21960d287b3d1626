"""The allocation problem: one cvxpy model, compiled once, which the batch engine is checked against."""

from dataclasses import dataclass
from functools import lru_cache

import clarabel
import cvxpy as cp
import numpy as np

from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.compiled import CompiledProblem
from pipelines.rebalance.solver.problems import Problems, Risk

_MODELS_KEPT = 4


class UnsolvedError(Exception):
    """The solver found no optimum."""


class Definition:
    """The problem that ``Problems`` describes, in cvxpy, for one row at a time.

    Divided by the mean variance, so that multipliers and residuals are of the order of weights. What
    is bought and what is sold are variables of their own, with ``w - current`` as their difference:
    that keeps costs of buying and selling apart, turnover linear, and the problem linear in its
    parameters (DPP).

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


_ROUNDING = 1e-8  # ten times the step of a published weight

SOLVER = f"clarabel {clarabel.__version__}"


@dataclass(frozen=True)
class Limits:
    """What a target must keep to. Weights are fractions of the account's worth.

    ``upper`` is (symbols,), ``class_upper`` (classes,). Nothing is ever sold short, so every
    symbol's lower bound is 0.
    """

    upper: Vector
    class_upper: Vector
    cash_floor: float
    cash_ceiling: float

    def allows(self, weights: Vector, membership: Matrix, cash_leeway: float) -> bool:
        """Say whether a target keeps to the limits, up to what rounding to billionths takes.

        Parameters
        ----------
        weights : of all symbols and then cash.
        membership : (classes, symbols), 1 where a symbol belongs to a class.
        cash_leeway : what cash may be outside its limits by. These move a little in every session,
            with the account's worth and the market's volatility, though nobody changed a wish.
        """
        symbols, cash = weights[:-1], float(weights[-1])
        return bool(
            (symbols <= self.upper + _ROUNDING).all()
            and (membership @ symbols <= self.class_upper + _ROUNDING).all()
            and self.cash_floor - cash_leeway <= cash <= self.cash_ceiling + cash_leeway
        )


@dataclass(frozen=True)
class Solution:
    """A verified optimum.

    ``weights`` is (symbols,), cash being the rest; ``objective`` is the utility per horizon;
    ``kkt_residual`` the largest violation of the scaled optimality conditions.
    """

    weights: Vector
    objective: float
    kkt_residual: float


class AllocationModel:
    """Mean-variance utility less trading cost, with cash as the asset without excess return.

    Maximise over weights w and cash::

        mu'w - lambda/2 w'Sigma w - cost * sum|w - w0|
        sum(w) + cash = 1,  0 <= w <= upper,  class sums <= class_upper,
        cash_floor <= cash <= cash_ceiling

    divided by lambda and by the mean variance, so that one compiled problem with a fixed quadratic
    part serves every account and residuals are of the order of weights. |w - w0| is written with
    epigraph variables, which keeps the problem linear in its parameters (DPP).

    Parameters
    ----------
    covariance : (symbols, symbols), over the horizon, positive definite.
    membership : (classes, symbols), 1 where a symbol belongs to a class.
    charges_cost : whether trading cost is part of the problem.
    policy : for the tolerance of verification.
    """

    def __init__(
        self, covariance: Matrix, membership: Matrix, *, charges_cost: bool, policy: Policy
    ) -> None:
        classes, symbols = membership.shape
        self._covariance = covariance
        self._scale = float(np.mean(np.diag(covariance)))
        self._charges_cost = charges_cost
        self._tolerance = policy.kkt_tolerance

        self._weights = cp.Variable(symbols)
        cash = cp.Variable()
        self._reward = cp.Parameter(symbols)
        self._cost = cp.Parameter(nonneg=True)
        self._current = cp.Parameter(symbols)
        self._upper = cp.Parameter(symbols)
        self._class_upper = cp.Parameter(classes)
        self._cash_floor = cp.Parameter()
        self._cash_ceiling = cp.Parameter()

        risk = 0.5 * cp.quad_form(self._weights, cp.psd_wrap(covariance / self._scale))
        loss = risk - self._reward @ self._weights
        constraints = [
            cp.sum(self._weights) + cash == 1,
            self._weights >= 0,
            self._weights <= self._upper,
            membership @ self._weights <= self._class_upper,
            cash >= self._cash_floor,
            cash <= self._cash_ceiling,
        ]
        if charges_cost:
            traded = cp.Variable(symbols)
            loss += self._cost * cp.sum(traded)
            constraints += [
                traded >= self._weights - self._current,
                traded >= self._current - self._weights,
            ]
        self.problem = cp.Problem(cp.Minimize(loss), constraints)
        self.compiled = CompiledProblem(self.problem)

    def solve(
        self,
        expected_returns: Vector,
        aversion: float,
        limits: Limits,
        current: Vector | None = None,
        cost_rate: float = 0.0,
    ) -> Solution:
        """Return the optimum for one account.

        Parameters
        ----------
        expected_returns : (symbols,) simple excess returns over the horizon.
        aversion : lambda.
        current : (symbols,) drifted weights; needed where the model charges cost.
        cost_rate : cost of trading as a fraction of what is traded.

        Raises
        ------
        UnsolvedError
            There is no optimum, or it cannot be verified.
        """
        self.set_parameters(expected_returns, aversion, limits, current, cost_rate)
        program = self.compiled.with_parameters()
        answer = program.solve()
        if answer.status != clarabel.SolverStatus.Solved:
            raise UnsolvedError(f"the solver says {answer.status}")
        residual = program.kkt_residual(answer)
        if not residual <= self._tolerance:
            raise UnsolvedError(f"the optimality conditions are off by {residual:.1e}")
        weights = self.compiled.value_of(self._weights, answer)
        objective = self.utility(weights, expected_returns, aversion, current, cost_rate)
        return Solution(weights, objective, residual)

    def set_parameters(
        self,
        expected_returns: Vector,
        aversion: float,
        limits: Limits,
        current: Vector | None,
        cost_rate: float,
    ) -> None:
        """Put one account's numbers into the compiled problem."""
        if self._charges_cost and current is None:
            raise ValueError("a model that charges cost needs the current weights")
        per_unit = 1 / (aversion * self._scale)
        self._reward.value = expected_returns * per_unit
        self._cost.value = cost_rate * per_unit
        self._current.value = np.zeros_like(expected_returns) if current is None else current
        self._upper.value = limits.upper
        self._class_upper.value = limits.class_upper
        self._cash_floor.value = limits.cash_floor
        self._cash_ceiling.value = limits.cash_ceiling

    def utility(
        self,
        weights: Vector,
        expected_returns: Vector,
        aversion: float,
        current: Vector | None = None,
        cost_rate: float = 0.0,
    ) -> float:
        """Return what the model maximises, per horizon."""
        value = expected_returns @ weights - aversion / 2 * weights @ self._covariance @ weights
        if current is not None:
            value -= cost_rate * np.abs(weights - current).sum()
        return float(value)
