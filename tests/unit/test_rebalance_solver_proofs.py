"""What proves an optimum fails for all else; feasibility is what a linear program says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from benchmarks.rebalance.problems import made_up_problems, made_up_risk
from pipelines.rebalance.solver.engine import Points, solve_batch
from pipelines.rebalance.solver.feasibility import least_turnover, ranges
from pipelines.rebalance.solver.kkt import residuals
from pipelines.rebalance.solver.problems import Problems

RISK = made_up_risk(8, 3, seed=1)
PROBLEMS = made_up_problems(RISK, 200, seed=2)
POINTS = solve_batch(RISK, PROBLEMS, threads=1).points


def residual_of(weights, prices) -> np.ndarray:
    return residuals(RISK, PROBLEMS, Points(weights, prices), threads=1)[0]


def test_an_optimum_has_no_residual() -> None:
    assert residual_of(POINTS.weights, POINTS.prices).max() < 1e-13


@pytest.mark.parametrize("symbol", range(8))
@pytest.mark.parametrize("step", [-1e-4, 1e-4])
def test_weights_that_are_moved_are_no_longer_optimal(symbol: int, step: float) -> None:
    moved = POINTS.weights.copy()
    moved[:, symbol] += step
    # By strong convexity the residual bounds the distance from below, up to conditioning.
    assert residual_of(moved, POINTS.prices).min() > 1e-6


@pytest.mark.parametrize("row", range(6))
def test_a_price_on_a_limit_that_does_not_bind_is_seen(row: int) -> None:
    sums = POINTS.weights @ np.eye(3)[RISK.class_of]
    spare = np.column_stack([
        PROBLEMS.class_upper - sums,
        PROBLEMS.invested_upper - sums.sum(axis=1),
        PROBLEMS.risky_upper - sums[:, RISK.is_risky].sum(axis=1),
        PROBLEMS.turnover - np.abs(POINTS.weights - PROBLEMS.current).sum(axis=1),
    ])[:, row]  # fmt: skip
    prices = POINTS.prices.copy()
    prices[:, row] += 1e-3
    loose = (POINTS.prices[:, row] == 0) & (spare > 1e-3)
    assert loose.any()
    assert (residual_of(POINTS.weights, prices)[loose] > 0.99e-3).all()


def test_a_price_of_the_wrong_sign_is_seen() -> None:
    for row in range(6):
        binds = np.abs(POINTS.prices[:, row]) > 1e-3
        prices = POINTS.prices.copy()
        prices[:, row] *= -1
        assert (residual_of(POINTS.weights, prices)[binds] > 1e-4).all()


@pytest.mark.parametrize("name", ["weights", "prices"])
def test_what_is_not_a_number_is_no_optimum(name: str) -> None:
    broken = replace(POINTS, **{name: np.full_like(getattr(POINTS, name), np.nan)})
    assert np.isnan(residual_of(broken.weights, broken.prices)).all()


def limits_program(problems: Problems):
    """The limits as rows of a linear program in bought, sold and current weights."""
    symbols = len(RISK.class_of)
    member = np.eye(RISK.classes)[RISK.class_of].T
    rows = [*member, *-member, np.ones(symbols), -np.ones(symbols), RISK.is_risky[RISK.class_of]]
    most = [
        *problems.class_upper[0], *-problems.class_lower[0],
        problems.invested_upper[0], -problems.invested_lower[0], problems.risky_upper[0],
    ]  # fmt: skip
    matrix = np.array(rows, dtype=float)
    now = problems.current[0]
    eye = np.eye(symbols)
    matrix = np.vstack([matrix, eye, -eye])
    most = np.concatenate([most, problems.upper[0], -problems.lower[0]]) - matrix @ now
    return np.ones(2 * symbols), np.hstack([matrix, -matrix]), most


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_feasibility_and_least_turnover_are_those_of_a_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problems = made_up_problems(RISK, 1, seed)
    problems = replace(
        problems,
        class_lower=problems.class_lower * rng.choice([1.0, 4.0]),
        invested_lower=problems.invested_lower * rng.choice([1.0, 1.5]),
        risky_upper=problems.risky_upper * rng.choice([1.0, 0.5]),
        current=problems.current * rng.choice([1.0, 2.0]),
    )
    cost, matrix, most = limits_program(problems)
    answer = linprog(cost, matrix, most)
    needed = least_turnover(RISK.class_of, RISK.is_risky, problems, problems.current)[0]
    is_feasible = ranges(RISK.class_of, RISK.is_risky, problems).is_feasible[0]
    assert answer.status in {0, 2}
    assert is_feasible == (answer.status == 0)
    if is_feasible:
        assert needed == pytest.approx(answer.fun, abs=1e-9)
        assert not solve_batch(
            RISK, replace(problems, turnover=np.array([needed + 1e-9])), 1
        ).status[0]
    else:
        assert needed == np.inf
        assert solve_batch(RISK, problems, threads=1).status[0] != 0


def test_one_class_above_its_limit_must_be_sold_down_to_it() -> None:
    held = np.zeros((1, 8))
    held[0, RISK.class_of == 0] = 0.5 / (RISK.class_of == 0).sum()
    plain = replace(
        made_up_problems(RISK, 1, seed=3),
        lower=np.zeros((1, 8)),
        upper=np.ones((1, 8)),
        class_lower=np.zeros((1, 3)),
        class_upper=np.array([[0.3, 1.0, 1.0]]),
        risky_upper=np.ones(1),
        invested_lower=np.array([0.5]),
        invested_upper=np.ones(1),
        current=held,
    )
    # 0.2 sold in one class, and 0.2 bought in another.
    assert least_turnover(RISK.class_of, RISK.is_risky, plain, held)[0] == pytest.approx(0.4)
