"""The same allocation problems for all who solve them, and how peers share them out.

Needs NumPy alone, so that a peer's own environment can import it.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SYMBOLS = 20
CLASSES = 4
IS_RISKY = np.array([1.0, 1.0, 1.0, 0.0])
PROCESSES = 2
SHARED = {"covariance", "class_of", "is_risky", "expected"}
"""What all accounts of a run have in common."""

THREADS_OF = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)
"""Settings that hold numerical libraries to a thread for each process: two times two lose time."""

Array = NDArray[np.float64]
Accounts = Mapping[str, Array]
Solver = Callable[[int], Array]
"""Returns the weights of the account of a number; NaN where it has none."""

HORIZON_VOLATILITY = 0.07
BINDING_SHARE = 0.3
"""About which share of the accounts each kind of limit is tight for."""


def made_up_accounts(count: int, seed: int = 1) -> dict[str, Array]:
    """Return what makes up ``count`` problems, by the names of ``Problems`` and ``Risk``.

    Twenty symbols in four classes move with a market and with their class. Every account has its
    own risk tolerance, drifted holdings, exclusions, caps, cash floor, class limits, trading costs
    and turnover limit, drawn so that a target exists.
    """
    dice = np.random.default_rng(seed)
    class_of = np.repeat(np.arange(CLASSES), SYMBOLS // CLASSES)
    loadings = np.column_stack(
        [
            dice.uniform(0.6, 1.3, SYMBOLS),
            *(np.where(class_of == number, 0.5, 0.0) for number in range(CLASSES)),
        ]
    )
    covariance = loadings @ loadings.T + np.diag(dice.uniform(0.2, 0.8, SYMBOLS))
    covariance *= HORIZON_VOLATILITY**2 / np.mean(np.diag(covariance))
    expected = 2.5 * covariance.mean(axis=1) + dice.normal(0.0, 0.002, SYMBOLS)
    shape = (count, SYMBOLS)
    current = dice.dirichlet(np.full(SYMBOLS, 0.5), count) * dice.uniform(0.7, 0.99, (count, 1))
    is_excluded = dice.random(shape) < 0.06
    current[is_excluded] = 0.0
    upper = np.where(is_excluded, 0.0, dice.choice([0.1, 0.15, 0.2, 0.35], (count, 1)))
    class_upper = np.where(
        dice.random((count, CLASSES)) < BINDING_SHARE, 0.2, dice.choice([0.35, 0.5], (count, 1))
    )
    invested_upper = 1.0 - dice.choice([0.01, 0.02, 0.1], count)
    risky_upper = np.where(dice.random(count) < BINDING_SHARE, 0.6, 1.0)
    cost = dice.choice([0.0002, 0.0005, 0.001], shape)
    needed = _least_turnover(current, upper, class_upper, risky_upper, invested_upper)
    limits = np.where(dice.random(count) < BINDING_SHARE, 0.3, 2.0)
    return {
        "covariance": covariance,
        "class_of": class_of.astype(np.float64),
        "is_risky": IS_RISKY,
        "expected": expected,
        "tolerance": 1.0 / dice.uniform(1.0, 10.0, count),
        "current": current,
        "buy_cost": cost,
        "sell_cost": cost,
        "lower": np.zeros(shape),
        "upper": upper,
        "class_lower": np.zeros((count, CLASSES)),
        "class_upper": class_upper,
        "invested_lower": np.zeros(count),
        "invested_upper": invested_upper,
        "risky_upper": risky_upper,
        "turnover": np.maximum(limits, 1.05 * needed),
    }


def of_account(accounts: Accounts, number: int) -> dict[str, Array]:
    """Return what is one account's own."""
    return {name: values[number] for name, values in accounts.items() if name not in SHARED}


def _firsts() -> NDArray[np.intp]:
    return np.arange(0, SYMBOLS, SYMBOLS // CLASSES)


def _least_turnover(
    current: Array, upper: Array, class_upper: Array, risky_upper: Array, invested_upper: Array
) -> Array:
    """Return what must be sold at least: by symbol, class, risky classes and then in all."""
    kept = np.minimum(current, upper)
    by_class = np.minimum(np.add.reduceat(kept, _firsts(), axis=1), class_upper)
    risky = np.minimum(by_class @ IS_RISKY, risky_upper)
    most = np.minimum(risky + by_class @ (1.0 - IS_RISKY), invested_upper)
    return current.sum(axis=1) - most


def run_peer(make_solver: Callable[[Accounts], Solver]) -> None:
    """Solve the first accounts of a file on two processes, as the command line says.

    ``python -m ... FILE COUNT OUT``: writes the weights to OUT and prints seconds, without imports.
    """
    file, count, out = sys.argv[1:]
    accounts = dict(np.load(file))
    context = multiprocessing.get_context("fork")
    with context.Pool(PROCESSES, _begin, (make_solver, accounts)) as pool:
        pool.map(_solve, range(PROCESSES), chunksize=1)  # imports and first-time compilations
        began = time.perf_counter()
        weights = np.array(pool.map(_solve, range(int(count)), chunksize=4))
        seconds = time.perf_counter() - began
    np.save(Path(out), weights)
    print(json.dumps({"seconds": seconds, "accounts": int(count)}))


_solver: Solver


def _begin(make_solver: Callable[[Accounts], Solver], accounts: Accounts) -> None:
    global _solver  # a pool's process has nowhere else to keep it
    _solver = make_solver(accounts)


def _solve(number: int) -> Array:
    return _solver(number)
