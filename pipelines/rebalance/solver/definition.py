"""The allocation problem: one cvxpy model, compiled once, solved and verified per account."""

from dataclasses import dataclass

import clarabel
import cvxpy as cp
import numpy as np

from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.compiled import CompiledProblem

_ROUNDING = 1e-8  # ten times the step of a published weight

SOLVER = f"clarabel {clarabel.__version__}"


class UnsolvedError(Exception):
    """The solver found no optimum, or one whose optimality conditions do not hold."""


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
