"""The full definition as users of PyPortfolioOpt write it: a frontier for each account."""

import cvxpy as cp
import numpy as np
from pypfopt import EfficientFrontier

from benchmarks.rebalance.task import Accounts, Array, Solver, of_account, run_peer


def solver_of(accounts: Accounts) -> Solver:
    """Return what solves an account. Cash is what the weights leave, so it is a last symbol."""
    covariance = np.pad(accounts["covariance"], (0, 1))
    expected = np.append(accounts["expected"], 0.0)
    risky = np.flatnonzero(accounts["is_risky"][accounts["class_of"].astype(int)])
    members = [np.flatnonzero(accounts["class_of"] == c) for c in np.unique(accounts["class_of"])]

    def solve(number: int) -> Array:
        given = of_account(accounts, number)
        invested = given["invested_lower"], given["invested_upper"]
        bounds = [*zip(given["lower"], given["upper"], strict=True)]
        frontier = EfficientFrontier(
            expected, covariance, [*bounds, (1 - invested[1], 1 - invested[0])], solver="CLARABEL"
        )
        current, buy, sell = given["current"], given["buy_cost"], given["sell_cost"]
        frontier.add_objective(
            lambda w: buy @ cp.pos(w[:-1] - current) + sell @ cp.pos(current - w[:-1])
        )
        for row, of_class in enumerate(members):
            most = given["class_upper"][row]
            frontier.add_constraint(lambda w, i=of_class, most=most: cp.sum(w[i]) <= most)
        frontier.add_constraint(lambda w: cp.sum(w[risky]) <= given["risky_upper"])
        frontier.add_constraint(lambda w: cp.norm(w[:-1] - current, 1) <= given["turnover"])
        frontier.max_quadratic_utility(risk_aversion=1 / given["tolerance"])
        weights: Array = frontier.weights[:-1]
        return weights

    return solve


if __name__ == "__main__":
    run_peer(solver_of)
