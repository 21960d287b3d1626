"""Rows of ``client_outcome``: exactly one for each account of a shard."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.store_advice import CLIENT_OUTCOME
from models.vocabulary import Constraint, Outcome, Trigger
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.arrays import Mask
from pipelines.rebalance.goal_problems import advised_accounts
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.limits.relaxation import gave_way
from pipelines.rebalance.output.columns import (
    floats,
    integers,
    joined_words,
    names_at,
    of_goal,
    same,
    table_of,
    words,
)
from pipelines.rebalance.solver.solve import SOLVERS
from pipelines.rebalance.trades.weights import NO_TARGET

_OF_UNKNOWN_WORTH = [
    ACCOUNT_ISSUES.index(issue) for issue in (AccountIssue.UNPRICED_HOLDING, AccountIssue.TOO_LARGE)
]


def has_new_target(advice: ShardAdvice) -> Mask:
    """Say for each account whether this run wrote its target."""
    accounts = advice.shard.accounts
    located = advice.targets.account_nanos[:, 0] != NO_TARGET
    return located & (accounts.goal >= 0) & of_goal(advice.targets.is_new, accounts.goal, False)


def outcomes(run_id: str, advice: ShardAdvice) -> pa.Table:
    """Return one row for each account of a shard, sorted by account."""
    accounts, sized = advice.shard.accounts, advice.sized
    count, goal = len(accounts.account_id), accounts.goal
    new = has_new_target(advice)
    has_last = np.asarray(pc.is_valid(accounts.last_run_id))
    score = np.where(
        new,
        of_goal(advice.bounds.risk_score, goal, 0),
        np.where(has_last, accounts.last_risk_score, 0),
    )
    is_advised = advised_accounts(advice.shard, advice.bounds)
    relaxed = gave_way(np.where(is_advised, of_goal(advice.bounds.relaxed, goal, 0), 0), new)
    solver = np.where(new, of_goal(advice.solutions.solver, goal, -1), -1)
    is_worth_known = ~np.isin(accounts.issue, _OF_UNKNOWN_WORTH)
    sells = np.where(sized.traded_micros < 0, sized.notional_cents, 0)
    buys = np.where(sized.traded_micros > 0, sized.notional_cents, 0)
    return table_of(
        CLIENT_OUTCOME,
        {
            "run_id": same(run_id, count),
            "account_id": accounts.account_id,
            "client_id": accounts.client_id,
            "outcome": words(advice.outcome, Outcome),
            "allocation_run_id": pc.if_else(pa.array(new), run_id, accounts.last_run_id),
            "trigger": words(advice.trigger, Trigger),
            "risk_score": integers(score, score > 0),
            "drift": floats(advice.drift),
            "objective": floats(
                np.where(new, of_goal(advice.solutions.objective, goal, np.nan), np.nan)
            ),
            "kkt_residual": floats(
                np.where(new, of_goal(advice.solutions.kkt_residual, goal, np.nan), np.nan)
            ),
            "solver": names_at(SOLVERS, solver),
            "relaxed_constraints": joined_words(relaxed, Constraint),
            "wealth_cents": integers(accounts.wealth_cents, is_worth_known),
            "cash_before_cents": integers(sized.cash_before_cents),
            "sells_cents": integers(sells.sum(axis=1)),
            "buys_cents": integers(buys.sum(axis=1)),
            "fees_cents": integers(sized.fee_cents.sum(axis=1)),
            "cash_after_cents": integers(sized.cash_after_cents),
            "sentence": advice.sentence,
        },
    )
