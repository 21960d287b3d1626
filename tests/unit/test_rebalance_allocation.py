"""The compiled allocation model is the cvxpy model, and nothing unverified leaves it."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_examples import account, daily_returns, market

from pipelines.rebalance import compiled
from pipelines.rebalance.limits.account_limits import (
    MINIMUM_INVESTED,
    InfeasibleError,
    account_limits,
    unbounded_limits,
)
from pipelines.rebalance.market.risk import todays_covariance
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.compiled import CompiledProblem
from pipelines.rebalance.solver.definition import AllocationModel, Limits, UnsolvedError
from pipelines.rebalance.trades.scalar.weights import NANOS, clean

MARKET = market()
COVARIANCE = todays_covariance(daily_returns(), POLICY)
MODEL = AllocationModel(COVARIANCE, MARKET.membership, charges_cost=True, policy=POLICY)
FREE_MODEL = AllocationModel(COVARIANCE, MARKET.membership, charges_cost=False, policy=POLICY)
SYMBOLS, CLASSES = len(MARKET.symbols), len(MARKET.classes)


def plain_optimum(returns, aversion, limits, current, cost):
    """The same problem as anybody would write it, unscaled and without epigraph variables."""
    weights, cash = cp.Variable(SYMBOLS), cp.Variable()
    utility = (
        returns @ weights
        - aversion / 2 * cp.quad_form(weights, cp.psd_wrap(COVARIANCE))
        - cost * cp.norm1(weights - current)
    )
    constraints = [
        cp.sum(weights) + cash == 1,
        weights >= 0,
        weights <= limits.upper,
        MARKET.membership @ weights <= limits.class_upper,
        cash >= limits.cash_floor,
        cash <= limits.cash_ceiling,
    ]
    problem = cp.Problem(cp.Maximize(1000 * utility), constraints)
    problem.solve(cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13, max_iter=200)
    assert problem.status == cp.OPTIMAL
    return weights.value, problem.value / 1000


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    aversion = draw(st.floats(1.0, 60.0))
    cost = draw(st.sampled_from([0.0005, 0.002]))
    symbol_cap = draw(st.sampled_from([0.15, 0.3, 1.0]))
    class_cap = draw(st.sampled_from([0.3, 0.5, 1.0]))
    upper = np.where(rng.random(SYMBOLS) < 0.2, 0.0, symbol_cap)
    limits = Limits(
        upper, np.full(CLASSES, class_cap), draw(st.sampled_from([0.0, 0.01, 0.4])), 1.0
    )
    current = rng.dirichlet(np.ones(SYMBOLS + 1))[:-1]
    return rng.normal(0.006, 0.01, SYMBOLS), aversion, limits, current, cost


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_compiled_model_agrees_with_a_plain_formulation(problem) -> None:
    returns, aversion, limits, current, cost = problem
    solution = MODEL.solve(returns, aversion, limits, current, cost)
    weights, utility = plain_optimum(returns, aversion, limits, current, cost)
    assert solution.objective == pytest.approx(utility, abs=1e-9)
    assert solution.weights == pytest.approx(weights, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_compiled_form_is_what_cvxpy_makes_of_the_same_numbers(problem) -> None:
    MODEL.set_parameters(*problem)
    ours = MODEL.compiled.with_parameters()
    data = MODEL.problem.get_problem_data(cp.CLARABEL)[0]
    assert ours.linear == pytest.approx(data["c"], abs=1e-15)
    assert ours.offset == pytest.approx(data["b"], abs=1e-15)
    assert (ours.matrix != data["A"]).nnz == 0


@settings(max_examples=100, deadline=None)
@given(problems())
def test_cleaned_weights_keep_every_bound_and_sum_to_one(problem) -> None:
    returns, aversion, limits, current, cost = problem
    target = clean(
        MODEL.solve(returns, aversion, limits, current, cost).weights, limits, MARKET.membership
    )
    weights = np.array(target.symbols)
    assert weights.sum() + target.cash == NANOS
    assert (weights >= 0).all()
    assert (weights <= np.round(limits.upper * NANOS)).all()
    assert (MARKET.membership @ weights <= np.round(limits.class_upper * NANOS)).all()
    assert limits.cash_floor * NANOS - 0.5 <= target.cash <= limits.cash_ceiling * NANOS + 0.5


def test_answers_do_not_depend_on_what_was_solved_before() -> None:
    returns, current = np.linspace(0.001, 0.02, SYMBOLS), np.full(SYMBOLS, 0.1)
    limits = unbounded_limits(MARKET)
    first = MODEL.solve(returns, 5.0, limits, current, 0.001).weights
    MODEL.solve(-returns, 40.0, limits, current, 0.005)
    assert MODEL.solve(returns, 5.0, limits, current, 0.001).weights.tobytes() == first.tobytes()


def test_an_optimum_is_still_optimal_for_who_holds_it() -> None:
    returns, limits = np.linspace(0.001, 0.02, SYMBOLS), unbounded_limits(MARKET)
    first = MODEL.solve(returns, 8.0, limits, np.zeros(SYMBOLS), 0.001).weights
    again = MODEL.solve(returns, 8.0, limits, first, 0.001).weights
    assert again == pytest.approx(first, abs=1e-6)


def test_a_cost_that_nothing_can_earn_back_leaves_everything_where_it_is() -> None:
    current = np.full(SYMBOLS, 0.1)
    stays = MODEL.solve(np.zeros(SYMBOLS), 1.0, unbounded_limits(MARKET), current, 1.0).weights
    assert stays == pytest.approx(current, abs=1e-9)


def test_an_infeasible_problem_gives_no_weights() -> None:
    limits = Limits(np.full(SYMBOLS, 0.01), np.ones(CLASSES), 0.0, 0.5)
    with pytest.raises(UnsolvedError, match="Infeasible"):
        FREE_MODEL.solve(np.zeros(SYMBOLS), 5.0, limits)


def test_an_inaccurate_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.linspace(0.001, 0.02, SYMBOLS)
    monkeypatch.setattr(compiled, "_SOLVER_TOLERANCE", 1e-2)
    with pytest.raises(UnsolvedError, match="optimality conditions are off"):
        FREE_MODEL.solve(returns, 5.0, unbounded_limits(MARKET))


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


def limits_of(**changes) -> Limits:
    values = {"upper": np.full(SYMBOLS, 0.3), "class_upper": np.full(CLASSES, 0.4)}
    return Limits(**(values | {"cash_floor": 0.05, "cash_ceiling": 0.5} | changes))


# Two of technology, and so 0.4 in one class; 0.2 in cash.
ON_LIMITS = np.array([0.3, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.2])


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        ({}, True),
        ({"upper": np.full(SYMBOLS, 0.3 - 5e-9)}, True),
        ({"upper": np.full(SYMBOLS, 0.299)}, False),
        ({"class_upper": np.full(CLASSES, 0.399)}, False),
        ({"cash_floor": 0.209}, True),
        ({"cash_floor": 0.211}, False),
        ({"cash_ceiling": 0.191}, True),
        ({"cash_ceiling": 0.189}, False),
    ],
)
def test_limits_say_whether_a_target_keeps_to_them(changes, is_allowed: bool) -> None:
    assert MARKET.symbols[:2] == ("AAA", "BBB")
    limits = limits_of(**changes)
    assert limits.allows(ON_LIMITS, MARKET.membership, cash_leeway=0.01) is is_allowed


def test_an_ordinary_account_is_not_relaxed() -> None:
    found = account_limits(account(), MARKET, 0.18, POLICY)
    assert found.relaxed == ()
    assert found.limits.cash_floor == POLICY.cash_floor_weight
    assert found.limits.cash_ceiling < 1


def test_wishes_only_narrow_the_houses_limits() -> None:
    wishes = account(
        excluded_symbols=frozenset({"AAA"}),
        excluded_classes=frozenset({"factor"}),
        max_symbol_weight=0.12,
    )
    limits = account_limits(wishes, MARKET, 0.18, POLICY).limits
    upper = dict(zip(MARKET.symbols, limits.upper, strict=True))
    assert upper == {
        "AAA": 0.0, "BBB": 0.12, "CCC": 0.10, "DDD": 0.12, "EEE": 0.12, "FFF": 0.0, "GGG": 0.0
    }  # fmt: skip
    assert dict(zip(MARKET.classes, limits.class_upper, strict=True))["factor"] == 0.0


def test_where_wishes_leave_too_little_the_minimum_to_invest_gives_way() -> None:
    narrow = account(max_symbol_weight=0.01, risk_score=100)
    found = account_limits(narrow, MARKET, 0.18, POLICY)
    assert found.relaxed == (MINIMUM_INVESTED,)
    assert found.limits.cash_ceiling == 1.0
    assert found.limits.upper.max() == 0.01


def test_a_large_cash_buffer_also_lets_the_minimum_give_way() -> None:
    careful = account(cash=1000, cash_buffer_cents=90_000, risk_score=100)
    assert account_limits(careful, MARKET, 0.18, POLICY).relaxed == (MINIMUM_INVESTED,)


def test_excluding_everything_is_contradictory() -> None:
    with pytest.raises(InfeasibleError, match="exclude everything"):
        account_limits(account(excluded_symbols=frozenset(MARKET.symbols)), MARKET, 0.18, POLICY)


def test_a_buffer_above_the_accounts_worth_is_contradictory() -> None:
    with pytest.raises(InfeasibleError, match="buffer"):
        account_limits(account(cash=100, cash_buffer_cents=10_001), MARKET, 0.18, POLICY)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_found_feasible_can_be_solved(data) -> None:
    excluded = data.draw(st.sets(st.sampled_from(MARKET.symbols), max_size=6))
    wishes = account(
        cash=data.draw(st.floats(1, 50_000)),
        risk_score=data.draw(st.integers(1, 100)),
        cash_buffer_cents=data.draw(st.integers(0, 3_000_000)),
        excluded_symbols=frozenset(excluded),
        excluded_classes=frozenset(data.draw(st.sets(st.sampled_from(MARKET.classes)))),
        max_symbol_weight=data.draw(st.none() | st.floats(0.001, 1)),
    )
    try:
        limits = account_limits(wishes, MARKET, 0.18, POLICY).limits
    except InfeasibleError:
        return
    solution = FREE_MODEL.solve(np.full(SYMBOLS, 0.005), 10.0, limits)
    clean(solution.weights, limits, MARKET.membership)
