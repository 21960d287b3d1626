"""How many allocation problems a second are solved and verified, and how exactly.

Run as ``python -m benchmarks.rebalance.solver [--count N] [--symbols n] [--classes k]``; the last
line is JSON: accounts a second on one thread and on two, errors against cvxpy's definition, and the
share of problems at which each limit is reached.
"""

import argparse
import json
from dataclasses import fields
from time import perf_counter

import numpy as np

from benchmarks.rebalance.problems import binding_shares, made_up_problems, made_up_risk
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.definition import UnsolvedError, definition_of
from pipelines.rebalance.solver.engine import Points, solve_batch
from pipelines.rebalance.solver.kkt import residuals
from pipelines.rebalance.solver.problems import Problems, Risk, Solutions
from pipelines.rebalance.solver.solve import SOLVERS, solve

_TIMES = 3


def main() -> None:
    """Measure, print a few lines, and JSON last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--checked", type=int, default=500)
    options = parser.parse_args()
    risk = made_up_risk(options.symbols, options.classes, seed=1)
    problems = made_up_problems(risk, options.count, seed=2)
    solve(risk, made_up_problems(risk, 100, seed=3), POLICY)
    rates = {threads: _rate(risk, problems, threads) for threads in (1, 2)}
    solutions = solve(risk, problems, POLICY)
    moves = solve_batch(risk, problems, threads=2).moves
    report = {
        "bench": "solver",
        "symbols": options.symbols,
        "classes": options.classes,
        "accounts": options.count,
        "per_second": {str(threads): round(rate) for threads, rate in rates.items()},
        "moves": {"mean": float(moves.mean()), "most": int(moves.max())},
        "solved_by": {
            name: int((solutions.solver == number).sum()) for number, name in enumerate(SOLVERS)
        },
        "unsolved": int(np.isnan(solutions.objective).sum()),
        "kkt_residual": float(np.nanmax(solutions.kkt_residual)),
        "errors": _errors(risk, problems, solutions, options.checked),
        "binding": binding_shares(risk, problems, solutions.weights),
    }
    print(json.dumps(report))


def _rate(risk: Risk, problems: Problems, threads: int) -> float:
    """Return accounts solved and verified a second, the best of a few runs."""
    seconds = []
    for _ in range(_TIMES):
        start = perf_counter()
        solve(risk, problems, POLICY, threads)
        seconds.append(perf_counter() - start)
    return len(problems.tolerance) / min(seconds)


def _errors(risk: Risk, problems: Problems, ours: Solutions, count: int) -> dict[str, float]:
    """Return the worst differences to cvxpy's definition, and what Clarabel left unsolved."""
    definition = definition_of(risk)
    weights, refused = np.full((count, len(risk.class_of)), np.nan), 0
    for row in range(count):
        try:
            weights[row] = definition.solve(problems, row)[0]
        except UnsolvedError:
            refused += 1
    checked = Problems(
        **{field.name: getattr(problems, field.name)[:count] for field in fields(Problems)}
    )
    no_prices = np.zeros((count, risk.classes + 3))
    objective = residuals(risk, checked, Points(weights, no_prices), threads=1)[1]
    return {
        "weight": float(np.nanmax(np.abs(weights - ours.weights[:count]))),
        "objective": float(np.nanmax(np.abs(objective - ours.objective[:count]))),
        "objective_short": float(np.nanmax(objective - ours.objective[:count])),
        "refused_by_clarabel": refused,
    }


if __name__ == "__main__":
    main()
