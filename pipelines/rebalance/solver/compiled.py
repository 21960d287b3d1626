"""A cvxpy problem reduced to the few operations that change from account to account.

A DPP problem's canonical form is affine in its parameters. cvxpy rebuilds sparse matrices for each
new set of them, which takes several times as long as solving; here cvxpy is asked once for the
form at zero and at each unit parameter, and afterwards only two small products are needed.
"""

from dataclasses import dataclass
from typing import Any

import clarabel
import cvxpy as cp
import numpy as np
from scipy import sparse

from pipelines.rebalance.arrays import Vector

_SOLVER_TOLERANCE = 1e-12


@dataclass(frozen=True)
class ConeProgram:
    """Minimise 1/2 x'Px + c'x subject to Ax + s = b, s in {0} x R+ (``zero`` rows first)."""

    quadratic: sparse.csc_matrix
    linear: Vector
    matrix: sparse.csc_matrix
    offset: Vector
    zero: int

    def solve(self) -> clarabel.DefaultSolution:
        """Return Clarabel's answer, on one thread and to a tight tolerance."""
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_threads = 1
        settings.tol_gap_abs = settings.tol_gap_rel = _SOLVER_TOLERANCE
        settings.tol_feas = _SOLVER_TOLERANCE
        cones = [
            clarabel.ZeroConeT(self.zero),
            clarabel.NonnegativeConeT(len(self.offset) - self.zero),
        ]
        # A new solver each time: an updated one keeps the scalings of the account before, and
        # low bits of the answer would depend on the order of accounts.
        solver = clarabel.DefaultSolver(
            self.quadratic, self.linear, self.matrix, self.offset, cones, settings
        )
        return solver.solve()

    def kkt_residual(self, answer: clarabel.DefaultSolution) -> float:
        """Return the largest violation of the optimality conditions.

        Stationarity Px + c + A'z = 0, feasibility, signs, and s'z = 0 row by row, recomputed from
        the returned point, since what a solver says about itself is no proof.
        """
        x, z, s = (np.asarray(values) for values in (answer.x, answer.z, answer.s))
        upper = self.quadratic
        stationarity = upper @ x + upper.T @ x - upper.diagonal() * x
        violations = (
            stationarity + self.linear + self.matrix.T @ z,
            self.matrix @ x + s - self.offset,
            s[: self.zero],
            np.minimum(s[self.zero :], 0),
            np.minimum(z[self.zero :], 0),
            s * z,
        )
        return float(max(np.abs(violation).max(initial=0) for violation in violations))


class CompiledProblem:
    """A DPP problem whose parameters appear in the linear term and the right-hand side only.

    Raises
    ------
    ValueError
        The problem is not DPP, or a parameter appears in its matrices.
    """

    def __init__(self, problem: cp.Problem) -> None:
        if not problem.is_dpp():
            raise ValueError("the problem is not affine in its parameters (DPP)")
        self._parameters = problem.parameters()
        for parameter in self._parameters:
            parameter.value = np.zeros(parameter.shape)
        self._base = _canonical(problem)
        changes = [self._change(problem, unit) for unit in self._units()]
        self._linear = sparse.csr_matrix(np.column_stack([linear for linear, _ in changes]))
        self._offset = sparse.csr_matrix(np.column_stack([offset for _, offset in changes]))
        self._columns = problem.get_problem_data(cp.CLARABEL)[0]["param_prob"].var_id_to_col

    def with_parameters(self) -> ConeProgram:
        """Return the program at the parameters' present values."""
        values = np.concatenate([np.ravel(p.value, order="F") for p in self._parameters])
        base = self._base
        return ConeProgram(
            base.quadratic,
            base.linear + self._linear @ values,
            base.matrix,
            base.offset + self._offset @ values,
            base.zero,
        )

    def value_of(self, variable: cp.Variable, answer: clarabel.DefaultSolution) -> Vector:
        """Return a variable's value in an answer."""
        first = self._columns[variable.id]
        return np.asarray(answer.x)[first : first + variable.size]

    def _units(self) -> list[tuple[cp.Parameter, int]]:
        return [
            (parameter, entry) for parameter in self._parameters for entry in range(parameter.size)
        ]

    def _change(self, problem: cp.Problem, unit: tuple[cp.Parameter, int]) -> tuple[Vector, Vector]:
        parameter, entry = unit
        flat = np.zeros(parameter.size)
        flat[entry] = 1.0
        parameter.value = flat.reshape(parameter.shape, order="F")
        program = _canonical(problem)
        parameter.value = np.zeros(parameter.shape)
        base = self._base
        if (program.matrix != base.matrix).nnz or (program.quadratic != base.quadratic).nnz:
            raise ValueError(f"parameter {parameter.name()} appears in the problem's matrices")
        return program.linear - base.linear, program.offset - base.offset


def _canonical(problem: cp.Problem) -> ConeProgram:
    data: dict[str, Any] = problem.get_problem_data(cp.CLARABEL)[0]
    return ConeProgram(
        sparse.triu(data["P"]).tocsc(),
        np.asarray(data["c"]),
        data["A"].tocsc(),
        np.asarray(data["b"]),
        data["dims"].zero,
    )
