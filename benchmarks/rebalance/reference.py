"""The definition as plain cvxpy, built anew for each account and solved tightly by Clarabel.

Nothing of ours is in it but the numbers, so that it can tell whether we are right.
"""

import cvxpy as cp
import numpy as np

from benchmarks.rebalance.task import SHARED, Accounts, Array, Solver, of_account, run_peer

_TIGHT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-12)


def solver_of(accounts: Accounts) -> Solver:
    """Return what solves an account."""
    expected, covariance = accounts["expected"], accounts["covariance"]
    class_of = accounts["class_of"].astype(int)
    is_risky = accounts["is_risky"][class_of]
    members = [class_of == number for number in range(len(accounts["is_risky"]))]

    def solve(number: int) -> Array:
        given = of_account(accounts, number)
        w = cp.Variable(len(expected))
        risk = cp.quad_form(w, cp.psd_wrap(covariance)) / 2
        bought, sold = cp.pos(w - given["current"]), cp.pos(given["current"] - w)
        reward = expected @ w - given["buy_cost"] @ bought - given["sell_cost"] @ sold
        limits = [
            w >= given["lower"],
            w <= given["upper"],
            *(w @ of <= most for of, most in zip(members, given["class_upper"], strict=True)),
            w @ is_risky <= given["risky_upper"],
            cp.sum(w) <= given["invested_upper"],
            cp.norm(w - given["current"], 1) <= given["turnover"],
        ]
        scale = float(np.mean(np.diag(covariance)))
        problem = cp.Problem(cp.Minimize((risk - given["tolerance"] * reward) / scale), limits)
        problem.solve(solver=cp.CLARABEL, **_TIGHT)
        weights: Array = w.value
        return weights

    return solve


def utilities(accounts: Accounts, weights: Array) -> Array:
    """Return what the weights of the first accounts are worth, per horizon."""
    own = {name: values[: len(weights)] for name, values in accounts.items() if name not in SHARED}
    traded = weights - own["current"]
    cost = own["buy_cost"] * np.maximum(traded, 0) + own["sell_cost"] * np.maximum(-traded, 0)
    risk = np.einsum("ai,ij,aj->a", weights, accounts["covariance"], weights)
    worth: Array = weights @ accounts["expected"] - risk / 2 / own["tolerance"] - cost.sum(axis=1)
    return worth


if __name__ == "__main__":
    run_peer(solver_of)
