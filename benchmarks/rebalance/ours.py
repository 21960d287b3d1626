"""Our part of the rebalancing benchmark: ``python -m benchmarks.rebalance.ours FILE COUNT OUT``."""

import json
import sys
import time

import numpy as np

from benchmarks.rebalance.task import PROCESSES
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.solver.problems import Problems, Risk
from pipelines.rebalance.solver.solve import SOLVERS, solve

_TIGHT = 1e-9
_WARM_UP = 64


def problems_of(file: str, rows: slice) -> tuple[Risk, Problems]:
    """Return some accounts of a file as our engine takes them."""
    given = dict(np.load(file))
    risk = Risk(
        covariance=given.pop("covariance"),
        class_of=(class_of := given.pop("class_of").astype(np.int64)),
        classes=int(class_of.max()) + 1,
        is_risky=given.pop("is_risky") > 0,
    )
    expected = given.pop("expected")
    own = {name: np.ascontiguousarray(values[rows]) for name, values in given.items()}
    shape = own["current"].shape
    return risk, Problems(expected=np.ascontiguousarray(np.broadcast_to(expected, shape)), **own)


def binding_shares(risk: Risk, problems: Problems, weights: np.ndarray) -> dict[str, float]:
    """Return for which share of the accounts each kind of limit is tight."""
    classes = weights @ (risk.class_of[:, None] == np.arange(risk.classes))
    traded = np.abs(weights - problems.current)
    tight = {
        "symbol": (weights >= problems.upper - _TIGHT) & (problems.upper > 0),
        "excluded": problems.upper == 0,
        "class": classes >= problems.class_upper - _TIGHT,
        "risky": (classes @ risk.is_risky >= problems.risky_upper - _TIGHT)[:, None],
        "cash": (weights.sum(axis=1) >= problems.invested_upper - _TIGHT)[:, None],
        "turnover": (traded.sum(axis=1) >= problems.turnover - _TIGHT)[:, None],
        "not_traded": (traded < _TIGHT) & (problems.current > 0),
    }
    return {name: round(float(where.any(axis=1).mean()), 3) for name, where in tight.items()}


def main() -> None:
    """Solve and verify the accounts of a file, kernels compiled before."""
    file, count, out = sys.argv[1:]
    solve(*problems_of(file, slice(_WARM_UP)), POLICY, threads=PROCESSES)
    risk, problems = problems_of(file, slice(int(count)))
    began = time.perf_counter()
    found = solve(risk, problems, POLICY, threads=PROCESSES)
    seconds = time.perf_counter() - began
    np.savez(out, weights=found.weights, objective=found.objective)
    said = {
        "unsolved": int(np.isnan(found.objective).sum()),
        "largest_kkt_residual": float(np.nanmax(found.kkt_residual)),
        "solved_by": {
            name: int((found.solver == number).sum()) for number, name in enumerate(SOLVERS)
        },
        "binding_shares": binding_shares(risk, problems, found.weights),
    }
    print(json.dumps({"seconds": seconds, **said}))


if __name__ == "__main__":
    main()
