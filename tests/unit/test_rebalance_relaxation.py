"""What gives way when limits contradict each other, held against linear programs and an order."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from models.vocabulary import Constraint
from pipelines.rebalance.limits.relaxation import (
    GIVING_WAY,
    Relaxed,
    Wanted,
    bit,
    gave_way,
    relax,
)
from pipelines.rebalance.limits.wording import clauses_of
from pipelines.rebalance.solver.problems import Risk

CLASS_OF = np.array([0, 0, 1, 1, 2, 2])
RISK = Risk(np.eye(6), CLASS_OF, 3, np.array([True, True, False]))
SEEDS = st.integers(0, 2**32 - 1)


def any_limits(seed: int, goals: int = 4) -> Wanted:
    """Limits of every kind, what cannot be sold among them, often contradictory."""
    rng = np.random.default_rng(seed)
    wish = np.where(rng.random((goals, 6)) < 0.3, 0.0, rng.uniform(0.1, 1, (goals, 6)))
    unsold = np.where(rng.random((goals, 6)) < 0.2, rng.uniform(0, 0.4, (goals, 6)), 0.0)
    drifted = rng.dirichlet(np.ones(7), goals)[:, :6]
    return Wanted(
        lower=unsold,
        upper=np.minimum(wish, rng.uniform(0.05, 0.6, (goals, 6))),
        wish_upper=wish,
        class_lower=np.where(rng.random((goals, 3)) < 0.2, 0.1, 0.0),
        class_upper=rng.uniform(0.1, 1, (goals, 3)),
        invested_lower=rng.uniform(0, 0.7, goals),
        invested_upper=rng.uniform(0.3, 1, goals),
        risky_upper=rng.uniform(0, 1, goals),
        turnover=np.where(rng.random(goals) < 0.3, np.inf, rng.uniform(0, 0.8, goals)),
        current=drifted,
    )


def fits(limits: Wanted, row: int) -> bool:
    """Ask a linear program whether any weights keep to a goal's limits."""
    ones, none = np.ones((1, 6)), np.zeros((1, 6))
    classes = np.equal.outer(np.arange(3), CLASS_OF).astype(float)
    risky = RISK.is_risky[CLASS_OF][None, :].astype(float)
    eye = np.eye(6)
    rows = [(classes, limits.class_upper[row]), (-classes, -limits.class_lower[row])]
    rows += [(ones, limits.invested_upper[row, None]), (-ones, -limits.invested_lower[row, None])]
    rows += [(risky, limits.risky_upper[row, None])]
    left = np.vstack([np.hstack([matrix, np.zeros_like(matrix)]) for matrix, _ in rows])
    right = np.concatenate([bound for _, bound in rows])
    left = np.vstack([left, np.hstack([eye, -eye]), np.hstack([-eye, -eye])])
    right = np.concatenate([right, limits.current[row], -limits.current[row]])
    if np.isfinite(limits.turnover[row]):
        left = np.vstack([left, np.hstack([none, ones])])
        right = np.append(right, limits.turnover[row])
    bounds = [*zip(limits.lower[row], limits.upper[row], strict=True), *[(0, None)] * 6]
    if (limits.lower[row] > limits.upper[row]).any():
        return False
    # A thousandth of a billionth of room for sums that differ in their last bits.
    return bool(linprog(np.zeros(12), left, right + 1e-9, bounds=bounds).success)


def given_up(wanted: Wanted, chosen: int) -> Wanted:
    """Give constraints up altogether, rather than as far as needed."""
    if chosen & bit(Constraint.TURNOVER):
        wanted = dataclasses.replace(wanted, turnover=np.full_like(wanted.turnover, np.inf))
    if chosen & bit(Constraint.MINIMUM_INVESTED):
        wanted = dataclasses.replace(wanted, invested_lower=np.zeros_like(wanted.invested_lower))
    if chosen & bit(Constraint.CLASS_LIMIT):
        wanted = dataclasses.replace(
            wanted,
            class_lower=np.zeros_like(wanted.class_lower),
            class_upper=np.ones_like(wanted.class_upper) * 6,
        )
    if chosen & bit(Constraint.SYMBOL_LIMIT):
        wanted = dataclasses.replace(wanted, upper=wanted.wish_upper)
    return wanted


def hold_relaxation_to_linear_programs(seed: int) -> None:
    wanted = any_limits(seed, goals=1)
    found = relax(wanted, RISK)
    assert fits(found.limits, 0) == (found.infeasible[0] == 0)
    before = range(found.relaxed[0] if found.infeasible[0] == 0 else 16)
    earlier = [chosen for chosen in before if fits(given_up(wanted, chosen), 0)]
    # Class and symbol limits rise no further than what cannot be sold asks for, so that the
    # minimum to invest may have to give way where giving them up altogether would have saved it.
    assert all(chosen >= bit(Constraint.CLASS_LIMIT) for chosen in earlier)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_what_is_relaxed_has_weights_that_fit_and_the_first_in_order_gives_way(seed: int) -> None:
    hold_relaxation_to_linear_programs(seed)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(SEEDS)
def test_relaxation_agrees_with_linear_programs_ten_thousand_times(seed: int) -> None:
    hold_relaxation_to_linear_programs(seed)


@settings(max_examples=120, deadline=None)
@given(SEEDS)
def test_wishes_and_suitability_never_give_way(seed: int) -> None:
    wanted = any_limits(seed)
    found = relax(wanted, RISK)
    feasible = found.infeasible == 0
    assert (found.limits.upper[feasible] <= wanted.wish_upper[feasible]).all()
    for name in ("risky_upper", "invested_upper", "lower", "wish_upper"):
        assert (getattr(found.limits, name) == getattr(wanted, name)).all()
    assert (found.relaxed < bit(Constraint.SUITABILITY)).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_goal_is_relaxed_alike_in_any_company(seed: int) -> None:
    wanted = any_limits(seed)
    together = relax(wanted, RISK)
    for row in range(4):
        names = Wanted.__dataclass_fields__
        alone = relax(Wanted(**{name: getattr(wanted, name)[[row]] for name in names}), RISK)
        assert alone.relaxed[0] == together.relaxed[row]
        assert alone.infeasible[0] == together.infeasible[row]
        for name in names:
            one, many = getattr(alone.limits, name)[0], getattr(together.limits, name)[row]
            assert np.asarray(one).tobytes() == np.asarray(many).tobytes()


def one_goal(**changes: object) -> Relaxed:
    wanted = Wanted(
        lower=np.zeros((1, 6)),
        upper=np.full((1, 6), 0.3),
        wish_upper=np.full((1, 6), 0.5),
        class_lower=np.zeros((1, 3)),
        class_upper=np.full((1, 3), 0.5),
        invested_lower=np.array([0.2]),
        invested_upper=np.array([0.9]),
        risky_upper=np.array([0.6]),
        turnover=np.array([0.3]),
        current=np.full((1, 6), 0.1),
    )
    return relax(dataclasses.replace(wanted, **changes), RISK)


def test_limits_that_fit_are_left_as_they_are() -> None:
    found = one_goal()
    assert found.relaxed[0] == found.infeasible[0] == 0
    assert found.limits.turnover[0] == 0.3


def test_turnover_gives_way_by_what_other_limits_force() -> None:
    current = np.array([[0.45, 0.0, 0.0, 0.0, 0.1, 0.1]])
    upper = np.array([[0.0, 0.3, 0.3, 0.3, 0.3, 0.3]])
    found = one_goal(current=current, upper=upper)
    assert found.relaxed[0] == bit(Constraint.TURNOVER)
    assert found.limits.turnover[0] == pytest.approx(0.3 + 0.45)


def test_the_minimum_to_invest_gives_way_and_turnover_stays_where_it_does_not_help() -> None:
    found = one_goal(upper=np.full((1, 6), 0.02), current=np.full((1, 6), 0.02))
    assert found.relaxed[0] == bit(Constraint.MINIMUM_INVESTED)
    assert found.limits.turnover[0] == 0.3


def test_class_and_symbol_limits_rise_to_what_cannot_be_sold() -> None:
    lower = np.array([[0.4, 0.15, 0.0, 0.0, 0.0, 0.0]])
    found = one_goal(lower=lower, current=lower)
    assert found.relaxed[0] == bit(Constraint.CLASS_LIMIT) | bit(Constraint.SYMBOL_LIMIT)
    assert found.limits.class_upper[0, 0] == pytest.approx(0.55)
    assert found.limits.upper[0, 0] == 0.4


def test_what_cannot_be_sold_and_does_not_suit_is_named() -> None:
    lower = np.array([[0.4, 0.0, 0.4, 0.0, 0.0, 0.0]])
    found = one_goal(lower=lower, current=lower)
    assert found.infeasible[0] == bit(Constraint.SUITABILITY)
    assert clauses_of(found.infeasible).to_pylist() == [
        "what cannot be sold is riskier than what suits you"
    ]


def test_what_cannot_be_sold_and_is_not_wanted_is_named() -> None:
    lower = np.array([[0.0, 0.0, 0.0, 0.0, 0.55, 0.0]])
    found = one_goal(lower=lower, current=lower)
    assert found.infeasible[0] == bit(Constraint.CLIENT_WISH)


def test_turnover_gives_way_only_to_a_new_target() -> None:
    both = bit(Constraint.TURNOVER) | bit(Constraint.CLASS_LIMIT)
    found = gave_way(np.array([both, both, 0]), np.array([True, False, False]))
    assert found.tolist() == [both, bit(Constraint.CLASS_LIMIT), 0]


def test_all_constraints_but_suitability_and_wishes_give_way_in_their_order() -> None:
    assert tuple(Constraint)[:4] == GIVING_WAY
