"""The full definition as users of skfolio write it: an optimizer fitted for each account."""

import cvxpy as cp
import numpy as np
from skfolio.optimization import MeanRisk, ObjectiveFunction
from skfolio.prior import BasePrior, ReturnDistribution

from benchmarks.rebalance.task import Accounts, Array, Solver, of_account, run_peer


class Known(BasePrior):
    """Expected returns and covariance that are known already."""

    def __init__(self, expected: Array, covariance: Array) -> None:
        self.expected = expected
        self.covariance = covariance

    def fit(self, X: Array, *_: object, **__: object) -> "Known":  # noqa: N803 - skfolio's name
        """Take them for the distribution of returns."""
        self.return_distribution_ = ReturnDistribution(
            mu=self.expected, covariance=self.covariance, returns=np.asarray(X)
        )
        return self


def solver_of(accounts: Accounts) -> Solver:
    """Return what solves an account; cash is what the budget leaves."""
    known = Known(accounts["expected"], accounts["covariance"])
    risky = np.flatnonzero(accounts["is_risky"][accounts["class_of"].astype(int)])
    members = [np.flatnonzero(accounts["class_of"] == c) for c in np.unique(accounts["class_of"])]
    rows = np.zeros((2, len(accounts["expected"])))

    def solve(number: int) -> Array:
        given = of_account(accounts, number)
        current, most = given["current"], given["class_upper"]

        def limits(w: cp.Variable) -> list[cp.Constraint]:
            classes = [cp.sum(w[i]) <= most[row] for row, i in enumerate(members)]
            classes.append(cp.sum(w[risky]) <= given["risky_upper"])
            return [*classes, cp.norm(w - current, 1) <= given["turnover"]]

        model = MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
            risk_aversion=1 / given["tolerance"] / 2,  # its risk is the variance, not half of it
            prior_estimator=known,
            min_weights=given["lower"],
            max_weights=given["upper"],
            budget=None,
            min_budget=given["invested_lower"],
            max_budget=given["invested_upper"],
            previous_weights=current,
            transaction_costs=given["buy_cost"],
            add_constraints=limits,
        )
        weights: Array = model.fit(rows).weights_
        return weights

    return solve


if __name__ == "__main__":
    run_peer(solver_of)
