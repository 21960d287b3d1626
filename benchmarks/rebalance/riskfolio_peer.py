"""As much of the definition as Riskfolio-Lib has: no trading cost and no turnover limit.

So it solves an easier problem, and its error is that of leaving them out.
"""

import numpy as np
import pandas as pd
import riskfolio

from benchmarks.rebalance.task import Accounts, Array, Solver, of_account, run_peer


def solver_of(accounts: Accounts) -> Solver:
    """Return what solves an account; cash is a last symbol without return or variance."""
    symbols = len(accounts["expected"])
    names = [f"S{number}" for number in range(symbols + 1)]
    covariance = np.pad(accounts["covariance"], (0, 1))
    classes = np.unique(accounts["class_of"])
    members = np.array([accounts["class_of"] == number for number in classes], np.float64)
    risky = accounts["is_risky"] @ members
    rows = np.vstack([np.eye(symbols), -np.eye(symbols), members, risky, np.ones(symbols)])
    rows = np.hstack([rows, np.zeros((len(rows), 1))])
    returns = pd.DataFrame(np.zeros((2, symbols + 1)), columns=names)

    def solve(number: int) -> Array:
        given = of_account(accounts, number)
        portfolio = riskfolio.Portfolio(returns=returns, upperlng=1.0)
        portfolio.mu = pd.DataFrame([np.append(accounts["expected"], 0.0)], columns=names)
        portfolio.cov = pd.DataFrame(covariance, names, names)
        sums = given["class_upper"], given["risky_upper"], given["invested_upper"]
        limits = given["upper"], -given["lower"], *sums
        portfolio.ainequality = rows
        portfolio.binequality = np.hstack(limits)[:, None]
        portfolio.solvers = ["CLARABEL"]
        found = portfolio.optimization(obj="Utility", l=1 / given["tolerance"] / 2)
        if found is None:
            return np.full(symbols, np.nan)
        weights: Array = found["weights"].to_numpy()[:-1]
        return weights

    return solve


if __name__ == "__main__":
    run_peer(solver_of)
