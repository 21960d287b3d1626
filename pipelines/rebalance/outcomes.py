"""What a run did with each account: exactly one outcome, and what its sentence tells."""

import numpy as np

from models.vocabulary import Constraint, Outcome
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.decisions import Decisions
from pipelines.rebalance.goal_problems import advised_accounts
from pipelines.rebalance.inputs.screening import ACCOUNT_ISSUES, AccountIssue
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.drift import account_weights, drift
from pipelines.rebalance.limits.relaxation import bit, gave_way
from pipelines.rebalance.limits.sums import total
from pipelines.rebalance.reasons.account_sentences import Told
from pipelines.rebalance.solver.problems import Risk
from pipelines.rebalance.trades.arithmetic import NANOS
from pipelines.rebalance.trades.sized import Sized, Targets
from pipelines.rebalance.trades.weights import NO_TARGET

_OUTCOMES = tuple(Outcome)
_ROUNDED = 1e-6  # weights were rounded down
_TOLD_CASH = 0.05
"""Less cash than this in a target is not spoken of."""
_BLOCKED, _TOO_LARGE = (
    ACCOUNT_ISSUES.index(issue) for issue in (AccountIssue.OPEN_ORDER, AccountIssue.TOO_LARGE)
)


def tell(
    shard: Shard,
    bounds: Bounds,
    decisions: Decisions,
    rows: Integers,
    targets: Targets,
    sized: Sized,
    risk: Risk,
) -> Told:
    """Return what became of each account.

    Parameters
    ----------
    rows : goals that were to have a new target.
    risk : says which symbols are risky.
    """
    accounts, goal = shard.accounts, shard.accounts.goal
    trades = np.count_nonzero(sized.traded_micros, axis=1)
    is_advised = advised_accounts(shard, bounds)
    has_target = is_advised & (targets.account_nanos[:, 0] != NO_TARGET)
    has_new_target = has_target & np.append(targets.is_new, False)[goal]
    of_goal = np.append(bounds.relaxed, 0)[goal]
    relaxed = gave_way(np.where(is_advised, of_goal, 0), has_new_target)
    was_asked = np.zeros(len(targets.is_new) + 1, np.bool_)
    was_asked[rows] = True
    is_failed = is_advised & was_asked[goal] & ~np.append(targets.is_new, False)[goal]
    is_failed |= accounts.issue == _TOO_LARGE  # no person's: somebody has to look into it
    gaps = drift(account_weights(accounts), targets.account_nanos / NANOS)
    is_risk_full = np.append(_is_risk_full(bounds, targets, risk), False)[goal]
    leaves_cash = is_risk_full | (relaxed & bit(Constraint.MINIMUM_INVESTED) != 0)
    cash_weight = np.append(targets.goal_nanos[:, -1] / NANOS, 0.0)[goal]
    is_cash_told = has_new_target & leaves_cash & (cash_weight >= _TOLD_CASH)
    return Told(
        outcome=_outcomes(accounts.issue == _BLOCKED, is_failed, has_target, relaxed, trades),
        trigger=decisions.trigger,
        trades=trades,
        drift=np.where(has_target, gaps, np.nan),
        relaxed=relaxed,
        infeasible=np.append(bounds.infeasible, 0)[goal],
        has_new_target=has_new_target,
        is_flow_only=decisions.is_flow_only,
        is_cooling=decisions.is_cooling,
        raises_cash=np.asarray((sized.traded_micros < 0).any(axis=1)),
        risk_score=np.append(bounds.risk_score, 0)[goal],
        cash_weight=np.where(is_cash_told, cash_weight, np.nan),
        risky_limit=np.where(is_risk_full, np.append(bounds.risky_upper, 0)[goal], np.nan),
    )


def _is_risk_full(bounds: Bounds, targets: Targets, risk: Risk) -> Mask:
    """Say which targets are at the limit on what is risky, while nothing else may be bought."""
    weights, is_risky = targets.goal_nanos / NANOS, risk.is_risky[risk.class_of]
    has_safe = (bounds.upper[:, ~is_risky] > 0).any(axis=1)
    room = bounds.risky_upper - total(weights[:, :-1], is_risky)
    return np.asarray(targets.is_new & ~has_safe & (room < _ROUNDED))


def _outcomes(
    is_blocked: Mask, is_failed: Mask, has_target: Mask, relaxed: Integers, trades: Integers
) -> Integers:
    first_that_holds = {
        Outcome.BLOCKED: is_blocked,
        Outcome.FAILED: is_failed,
        Outcome.HELD: ~has_target,
        Outcome.RELAXED: relaxed != 0,
        Outcome.REBALANCED: trades > 0,
    }
    outcomes: Integers = np.select(
        list(first_that_holds.values()),
        [_OUTCOMES.index(outcome) for outcome in first_that_holds],
        _OUTCOMES.index(Outcome.WITHIN_BAND),
    )
    return outcomes
