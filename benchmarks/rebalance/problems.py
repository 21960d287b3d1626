"""Made-up allocation problems, seeded: every kind of limit binds for some of them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipelines.rebalance.arrays import Floats, Matrix
from pipelines.rebalance.solver.feasibility import least_turnover, ranges
from pipelines.rebalance.solver.problems import Problems, Risk

_BINDS = 1e-9


def made_up_risk(symbols: int, classes: int, seed: int, largest_condition: float = 1e6) -> Risk:
    """Return a covariance with a market factor, three others, and monthly volatilities of 3-9 %."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(symbols, 4)) * 0.5
    factors[:, 0] = 1 + 0.2 * rng.normal(size=symbols)
    raw = factors @ factors.T + np.diag(rng.uniform(0.5, 1.5, symbols))
    scale = rng.uniform(0.03, 0.09, symbols) / np.sqrt(np.diag(raw))
    values, vectors = np.linalg.eigh(raw * np.outer(scale, scale))
    lifted = np.maximum(values, values[-1] / largest_condition)
    covariance = (vectors * lifted) @ vectors.T
    class_of = np.sort(np.concatenate([
        np.arange(classes), rng.integers(0, classes, symbols - classes)
    ])).astype(np.int64)  # fmt: skip
    return Risk(
        np.ascontiguousarray((covariance + covariance.T) / 2),
        class_of,
        classes,
        np.arange(classes) % 2 == 0,
    )


def made_up_problems(risk: Risk, count: int, seed: int) -> Problems:
    """Return feasible problems of many temperaments; each keeps to its seed and count."""
    rng = np.random.default_rng(seed)
    symbols = len(risk.class_of)
    free = _holdings_and_costs(risk, rng, count)
    shape = (count, symbols)
    cap = rng.choice([0.1, 0.15, 0.25, 1.0], count)[:, np.newaxis]
    upper = np.where(rng.random(shape) < 0.1, 0.0, cap * np.ones(shape))
    lower = np.where(rng.random(shape) < 0.03, np.minimum(0.02, upper), 0.0)
    lower = np.where(rng.random(shape) < 0.01, upper * 0.2, lower)
    upper = np.where(rng.random(shape) < 0.01, lower, upper)
    sums = _class_sums(risk, upper), _class_sums(risk, lower)
    per_class = (count, risk.classes)
    class_upper = np.where(rng.random(per_class) < 0.3, 1.0, rng.uniform(0.15, 0.6, per_class))
    class_upper = np.maximum(class_upper, sums[1])
    wanted = np.where(rng.random(per_class) < 0.3, 0.05, 0.0)
    class_lower = np.minimum(wanted, np.minimum(sums[0], class_upper))
    least_risky = np.maximum(class_lower, sums[1])[:, risk.is_risky].sum(axis=1)
    risky_upper = np.where(
        rng.random(count) < 0.4, 1.0, np.maximum(rng.uniform(0.1, 0.6, count), least_risky)
    )
    wide = replace(
        free,
        lower=lower,
        upper=upper,
        class_lower=class_lower,
        class_upper=class_upper,
        risky_upper=risky_upper,
    )
    found = ranges(risk.class_of, risk.is_risky, wide)
    invested_upper = np.maximum(1 - rng.choice([0.01, 0.02, 0.05, 0.3], count), found.least)
    most = np.minimum(found.most, invested_upper)
    invested_lower = np.minimum(rng.uniform(0, 0.6, count), most)
    limited = replace(wide, invested_lower=invested_lower, invested_upper=invested_upper)
    needed = least_turnover(risk.class_of, risk.is_risky, limited, limited.current)
    spare = rng.choice([np.inf, 0.3, 0.1, 0.02, 1e-6], count, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    return replace(limited, turnover=needed + spare)


def _holdings_and_costs(risk: Risk, rng: np.random.Generator, count: int) -> Problems:
    symbols = len(risk.class_of)
    shape = (count, symbols)
    prior = 2.5 * risk.covariance @ np.full(symbols, 1 / symbols)
    views = rng.normal(0, 0.004, shape) * rng.uniform(0, 1, (count, 1))
    current = rng.dirichlet(np.full(symbols, 0.7), count) * rng.uniform(0.3, 1, (count, 1))
    current[rng.random(count) < 0.15] = 0.0
    cost = np.where(rng.random((count, 1)) < 0.1, 0.0, rng.uniform(0.0002, 0.002, shape))
    tax = np.where(rng.random(shape) < 0.4, rng.uniform(0, 0.006, shape), 0.0)
    tax = np.where(rng.random(shape) < 0.1, -cost, tax)
    ones = np.ones(count)
    return Problems(
        expected=prior + views,
        tolerance=1 / rng.uniform(2, 30, count),
        current=current,
        buy_cost=cost,
        sell_cost=cost + tax,
        lower=np.zeros(shape),
        upper=np.ones(shape),
        class_lower=np.zeros((count, risk.classes)),
        class_upper=np.ones((count, risk.classes)),
        invested_lower=0 * ones,
        invested_upper=ones,
        risky_upper=ones,
        turnover=np.inf * ones,
    )


def binding_shares(risk: Risk, problems: Problems, weights: Matrix) -> dict[str, float]:
    """Return the share of problems at whose optimum each kind of limit is reached."""
    sums = _class_sums(risk, weights)
    invested, risky = weights.sum(axis=1), sums[:, risk.is_risky].sum(axis=1)
    changed = np.abs(weights - problems.current)
    can_move = problems.upper > problems.lower
    reached: dict[str, npt.NDArray[np.bool_]] = {
        "lower": (can_move & (weights <= problems.lower + _BINDS)).any(axis=1),
        "upper": (can_move & (weights >= problems.upper - _BINDS)).any(axis=1),
        "kink": ((changed == 0) & can_move & (weights > problems.lower)).any(axis=1),
        "class_lower": ((problems.class_lower > 0) & (sums <= problems.class_lower + _BINDS)).any(
            axis=1
        ),
        "class_upper": (sums >= problems.class_upper - _BINDS).any(axis=1),
        "invested_lower": invested <= problems.invested_lower + _BINDS,
        "invested_upper": invested >= problems.invested_upper - _BINDS,
        "risky_upper": risky >= problems.risky_upper - _BINDS,
        "turnover": changed.sum(axis=1) >= problems.turnover - _BINDS,
    }
    return {name: float(is_reached.mean()) for name, is_reached in reached.items()}


def _class_sums(risk: Risk, weights: Floats) -> Floats:
    membership = np.zeros((len(risk.class_of), risk.classes))
    membership[np.arange(len(risk.class_of)), risk.class_of] = 1.0
    return weights @ membership
