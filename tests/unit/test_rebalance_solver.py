"""The batch engine finds what cvxpy's definition finds, proves it, and says where there is none."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rebalance.problems import binding_shares, made_up_problems, made_up_risk
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.definition import UnsolvedError, definition_of
from pipelines.rebalance.solver.engine import Points
from pipelines.rebalance.solver.kkt import residuals
from pipelines.rebalance.solver.problems import Problems, Risk
from pipelines.rebalance.solver.solve import SOLVERS, solve

ACTIVE_SET, CLARABEL = range(len(SOLVERS))
SEVEN, TWENTY = made_up_risk(7, 3, seed=1), made_up_risk(20, 4, seed=2)
SEEDS = st.integers(0, 2**32 - 1)


def rows_of(problems: Problems, rows) -> Problems:
    return Problems(**{f.name: getattr(problems, f.name)[rows] for f in fields(Problems)})


def utility(risk: Risk, problems: Problems, row: int, weights) -> float:
    changed = weights - problems.current[row]
    cost = problems.buy_cost[row] @ np.maximum(changed, 0)
    cost += problems.sell_cost[row] @ np.maximum(-changed, 0)
    variance = weights @ risk.covariance @ weights
    return problems.expected[row] @ weights - variance / (2 * problems.tolerance[row]) - cost


def assert_agrees_with_the_definition(risk: Risk, seed: int) -> None:
    problems = made_up_problems(risk, 1, seed)
    ours = solve(risk, problems, POLICY)
    assert ours.solver[0] == ACTIVE_SET
    assert ours.kkt_residual[0] < 1e-12
    assert ours.objective[0] == pytest.approx(
        utility(risk, problems, 0, ours.weights[0]), abs=1e-13
    )
    try:
        weights, prices = definition_of(risk).solve(problems, 0)
    except UnsolvedError:
        return  # Clarabel has no interior to walk through; our own residual proves the optimum
    assert ours.objective[0] == pytest.approx(utility(risk, problems, 0, weights), abs=1e-10)
    theirs = residuals(risk, problems, Points(weights[None], prices[None]), threads=1)[0][0]
    if theirs < 1e-9:  # where Clarabel itself is less exact, its weights are no reference
        assert ours.weights[0] == pytest.approx(weights, abs=1e-7)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_the_engine_agrees_with_the_definition(seed: int) -> None:
    assert_agrees_with_the_definition(SEVEN, seed)
    assert_agrees_with_the_definition(TWENTY, seed)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(SEEDS)
def test_the_engine_agrees_with_the_definition_ten_thousand_times(seed: int) -> None:
    assert_agrees_with_the_definition(TWENTY, seed)


@pytest.mark.parametrize(("symbols", "classes"), [(1, 1), (2, 2), (25, 8), (60, 10)])
def test_the_engine_proves_its_optima_whatever_the_size(symbols: int, classes: int) -> None:
    risk = made_up_risk(symbols, classes, seed=symbols)
    found = solve(risk, made_up_problems(risk, 300, seed=3), POLICY)
    assert (found.solver == ACTIVE_SET).all()
    assert found.kkt_residual.max() < 1e-12


def test_every_kind_of_limit_binds_for_some_of_the_problems_compared() -> None:
    problems = made_up_problems(TWENTY, 2_000, seed=5)
    shares = binding_shares(TWENTY, problems, solve(TWENTY, problems, POLICY).weights)
    assert min(shares.values()) > 0.01, shares


def test_bits_depend_neither_on_threads_nor_on_order_nor_on_company() -> None:
    problems = made_up_problems(TWENTY, 600, seed=7)
    first = solve(TWENTY, problems, POLICY)
    order = np.random.default_rng(0).permutation(600)
    again = solve(TWENTY, rows_of(problems, order), POLICY, threads=2)
    for name in ("weights", "objective", "kkt_residual", "solver"):
        assert getattr(again, name).tobytes() == getattr(first, name)[order].tobytes()
    for row in range(0, 600, 40):
        alone = solve(TWENTY, rows_of(problems, [row]), POLICY)
        assert alone.weights.tobytes() == first.weights[row].tobytes()


def test_bits_do_not_depend_on_how_arrays_lie_in_memory() -> None:
    problems = made_up_problems(TWENTY, 50, seed=8)
    columns = {f.name: np.asfortranarray(getattr(problems, f.name)) for f in fields(Problems)}
    found = solve(TWENTY, Problems(**columns), POLICY)
    assert found.weights.tobytes() == solve(TWENTY, problems, POLICY).weights.tobytes()


def test_an_optimum_is_still_optimal_for_who_holds_it() -> None:
    problems = replace(made_up_problems(TWENTY, 300, seed=9), turnover=np.full(300, np.inf))
    first = solve(TWENTY, problems, POLICY)
    again = solve(TWENTY, replace(problems, current=first.weights), POLICY)
    assert again.weights == pytest.approx(first.weights, abs=1e-10)


def test_without_leave_to_trade_everything_stays_where_it_is() -> None:
    problems = made_up_problems(TWENTY, 300, seed=10)
    held = solve(TWENTY, problems, POLICY).weights
    still = replace(problems, current=held, turnover=np.zeros(300), expected=problems.expected * -3)
    found = solve(TWENTY, still, POLICY)
    assert found.weights == pytest.approx(held, abs=1e-11)
    assert found.kkt_residual.max() < 1e-9


@pytest.mark.parametrize(
    "change",
    [
        {"buy_cost": 0.0, "sell_cost": 0.0},
        {"buy_cost": 0.0, "sell_cost": 0.0, "turnover": np.inf},
        {"turnover": np.inf},
        {"buy_cost": 1.0, "sell_cost": 1.0},
        {"current": 0.0, "turnover": np.inf},
        {"tolerance": 1e-9},
        {"tolerance": 1e3},
    ],
    ids=str,
)
def test_extreme_costs_and_tempers_are_solved(change: dict[str, float]) -> None:
    problems = made_up_problems(TWENTY, 300, seed=11)
    changed = {name: np.full_like(getattr(problems, name), value) for name, value in change.items()}
    found = solve(TWENTY, replace(problems, **changed), POLICY)
    assert (found.solver == ACTIVE_SET).all()
    assert found.kkt_residual.max() < 1e-11


def test_holdings_on_their_bounds_and_fixed_weights_are_solved() -> None:
    problems = made_up_problems(TWENTY, 300, seed=12)
    on_bound = np.where(np.arange(20) % 2 == 0, problems.lower, problems.upper)
    found = solve(
        TWENTY, replace(problems, current=on_bound, turnover=np.full(300, np.inf)), POLICY
    )
    assert found.kkt_residual.max() < 1e-12
    fixed = replace(
        problems, lower=found.weights, upper=found.weights, turnover=np.full(300, np.inf)
    )
    assert solve(TWENTY, fixed, POLICY).weights.tobytes() == found.weights.tobytes()


def test_limits_that_leave_one_point_are_solved() -> None:
    problems = made_up_problems(TWENTY, 200, seed=13)
    best = solve(TWENTY, problems, POLICY).weights
    sums = best @ np.eye(4)[TWENTY.class_of]
    exact = replace(
        problems,
        class_lower=sums,
        class_upper=sums,
        invested_lower=best.sum(axis=1),
        invested_upper=best.sum(axis=1),
        turnover=np.full(200, np.inf),
    )
    found = solve(TWENTY, exact, POLICY)
    assert found.kkt_residual.max() < 1e-9
    assert found.weights @ np.eye(4)[TWENTY.class_of] == pytest.approx(sums, abs=1e-10)


def test_nearly_singular_covariances_are_solved() -> None:
    risk = made_up_risk(20, 4, seed=14)
    values, vectors = np.linalg.eigh(risk.covariance)
    values[:8] = values[-1] * 1e-9
    thin = replace(risk, covariance=np.ascontiguousarray((vectors * values) @ vectors.T))
    found = solve(thin, made_up_problems(thin, 300, seed=15), POLICY)
    assert found.kkt_residual.max() < POLICY.kkt_tolerance


def test_what_the_engine_gives_up_is_solved_again_by_the_definition() -> None:
    copies = np.ones((3, 3)) * 0.0025
    risk = Risk(copies, np.zeros(3, np.int64), 1, np.array([True]))
    problems = replace(
        made_up_problems(risk, 1, seed=16),
        current=np.array([[0.4, 0.0, 0.0]]),
        expected=np.array([[0.01, 0.02, 0.01]]),
        lower=np.zeros((1, 3)),
        upper=np.ones((1, 3)),
        class_lower=np.zeros((1, 1)),
        class_upper=np.ones((1, 1)),
        risky_upper=np.ones(1),
        invested_lower=np.zeros(1),
        invested_upper=np.ones(1),
        buy_cost=np.zeros((1, 3)),
        sell_cost=np.zeros((1, 3)),
        tolerance=np.array([0.1]),
        turnover=np.array([np.inf]),
    )
    found = solve(risk, problems, POLICY)
    assert found.solver[0] == CLARABEL
    assert found.kkt_residual[0] <= POLICY.kkt_tolerance
    assert found.weights[0] == pytest.approx([0, 0.8, 0], abs=1e-7)


@pytest.mark.parametrize(
    "change",
    [
        {"expected": np.nan},
        {"current": np.inf},
        {"tolerance": 0.0},
        {"tolerance": np.nan},
        {"lower": 0.9, "upper": 0.1},
        {"lower": 0.2, "upper": 1.0},
        {"class_lower": 0.7, "class_upper": 0.3},
        {"invested_lower": 2.0, "invested_upper": 3.0},
        {"risky_upper": -1.0},
        {"turnover": -1.0},
        {"current": 3.0, "turnover": 0.1},
    ],
    ids=str,
)
def test_bad_input_costs_its_own_row_only(change: dict[str, float]) -> None:
    problems = made_up_problems(TWENTY, 3, seed=17)
    changed = {name: getattr(problems, name).copy() for name in change}
    for name, value in change.items():
        changed[name][1] = value
    found = solve(TWENTY, replace(problems, **changed), POLICY)
    expected = solve(TWENTY, problems, POLICY)
    assert np.isnan(found.weights[1]).all()
    assert np.isnan(found.objective[1])
    assert np.isnan(found.kkt_residual[1])
    assert found.weights[[0, 2]].tobytes() == expected.weights[[0, 2]].tobytes()


def test_nothing_above_the_tolerance_gets_out() -> None:
    problems = made_up_problems(TWENTY, 5, seed=18)
    found = solve(TWENTY, problems, replace(POLICY, kkt_tolerance=0.0))
    assert np.isnan(found.weights[~(found.kkt_residual == 0)]).all()


def test_no_problems_have_no_solutions() -> None:
    nothing = rows_of(made_up_problems(TWENTY, 2, seed=19), slice(0))
    assert solve(TWENTY, nothing, POLICY, threads=2).weights.shape == (0, 20)


def test_arrays_that_do_not_fit_are_refused() -> None:
    problems = made_up_problems(TWENTY, 2, seed=20)
    with pytest.raises(ValueError, match="upper has shape"):
        solve(TWENTY, replace(problems, upper=problems.upper[:, :-1]), POLICY)
