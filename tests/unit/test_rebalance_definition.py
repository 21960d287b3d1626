"""The definition in cvxpy is what anybody would write, and compiling it changes no number."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rebalance.problems import made_up_problems, made_up_risk
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.compiled import CompiledProblem
from pipelines.rebalance.solver.definition import UnsolvedError, definition_of
from pipelines.rebalance.solver.solve import solve

SEVEN = made_up_risk(7, 3, seed=1)
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_compiled_definition_is_what_anybody_would_write(seed: int) -> None:
    problems = made_up_problems(SEVEN, 1, seed)
    weights = cp.Variable(7)
    changed = weights - problems.current[0]
    cost = problems.buy_cost[0] @ cp.pos(changed) + problems.sell_cost[0] @ cp.neg(changed)
    if (problems.sell_cost[0] < 0).any():  # written so, a sum of costs is convex only term by term
        both = np.maximum(problems.buy_cost[0] + problems.sell_cost[0], 0)
        cost = both @ cp.pos(changed) - problems.sell_cost[0] @ changed
    risk = cp.quad_form(weights, cp.psd_wrap(SEVEN.covariance)) / (2 * problems.tolerance[0])
    sums = np.eye(3)[SEVEN.class_of].T @ weights
    constraints = [
        weights >= problems.lower[0],
        weights <= problems.upper[0],
        sums >= problems.class_lower[0],
        sums <= problems.class_upper[0],
        cp.sum(weights) >= problems.invested_lower[0],
        cp.sum(weights) <= problems.invested_upper[0],
        cp.sum(sums[SEVEN.is_risky]) <= problems.risky_upper[0],
    ]
    if np.isfinite(problems.turnover[0]):
        constraints.append(cp.norm1(changed) <= problems.turnover[0])
    plain = cp.Problem(
        cp.Maximize(1e3 * (problems.expected[0] @ weights - risk - cost)), constraints
    )
    try:
        plain.solve(cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    except cp.SolverError:
        return
    if plain.status != cp.OPTIMAL:
        return
    ours = solve(SEVEN, problems, POLICY)
    assert ours.objective[0] == pytest.approx(plain.value / 1e3, abs=1e-9)


def test_the_compiled_form_is_what_cvxpy_makes_of_the_same_numbers() -> None:
    definition = definition_of(SEVEN)
    problems = made_up_problems(SEVEN, 20, seed=21)
    for row in range(20):
        definition.set_parameters(problems, row)
        ours = definition.compiled.with_parameters()
        data = definition.problem.get_problem_data(cp.CLARABEL)[0]
        assert ours.linear == pytest.approx(data["c"], abs=1e-15)
        assert ours.offset == pytest.approx(data["b"], abs=1e-15)
        assert (ours.matrix != data["A"]).nnz == 0


def test_the_definition_says_that_there_is_no_optimum() -> None:
    problems = made_up_problems(SEVEN, 1, seed=22)
    nothing = replace(problems, invested_lower=np.array([5.0]), invested_upper=np.array([6.0]))
    with pytest.raises(UnsolvedError, match="Infeasible"):
        definition_of(SEVEN).solve(nothing, 0)


def test_a_model_with_a_parameter_in_its_matrices_is_not_compiled() -> None:
    weight, share = cp.Variable(), cp.Parameter(nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.square(weight)), [share * weight >= 1])
    with pytest.raises(ValueError, match="appears in the problem's matrices"):
        CompiledProblem(problem)


def test_a_model_that_is_not_dpp_is_not_compiled() -> None:
    weight, share = cp.Variable(), cp.Parameter(nonneg=True)
    problem = cp.Problem(cp.Minimize(cp.square(weight)), [weight >= share * share])
    with pytest.raises(ValueError, match="DPP"):
        CompiledProblem(problem)
