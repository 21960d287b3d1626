"""From profiles, wishes, holdings and the house's rules to the bounds of a shard's goals."""

from dataclasses import replace

import numpy as np

from models.vocabulary import AssetClass, Constraint
from pipelines.rebalance.arrays import Floats, Integers, Mask, Vector
from pipelines.rebalance.inputs.screening import GOAL_ISSUES, GoalIssue
from pipelines.rebalance.inputs.shard import Goals, Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.changes import (
    has_target,
    lacks_cash,
    may_be_bought,
    profile_changed,
)
from pipelines.rebalance.limits.glide_path import score_in_force
from pipelines.rebalance.limits.holdings import GoalHoldings, goal_holdings
from pipelines.rebalance.limits.relaxation import Relaxed, Wanted, bit, fits, relax
from pipelines.rebalance.limits.suitability import (
    LOWEST_VOLATILITY,
    suitable_risky_weight,
    suitable_volatility,
)
from pipelines.rebalance.market.aversion import reference_exposure, risk_tolerance
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.wash_sales import blocked_buys


def make_bounds(shard: Shard, market: Market, outlook: Outlook, policy: Policy) -> Bounds:
    """Return the limits of a shard's goals, relaxed as far as needed, and say where nothing helps.

    A goal without a profile, or without an account that can be advised on, has limits like any
    other, but is not advised.
    """
    goals, holdings = shard.goals, goal_holdings(shard)
    score = score_in_force(goals, policy)
    risky = suitable_risky_weight(goals, score.astype(np.float64))
    bearable = suitable_volatility(goals, score.astype(np.float64), policy)
    volatility = aimed_volatility(bearable, risky, market, outlook)
    wanted = _wanted(shard, holdings, score, volatility, risky, market, outlook, policy)
    found = relax(wanted, outlook.long_run)
    infeasible = found.infeasible | _unmet_wishes(holdings, wanted, market)
    return Bounds(
        wealth_cents=holdings.wealth_cents,
        tolerance=risk_tolerance(
            np.maximum(volatility, LOWEST_VOLATILITY), outlook.reference_volatility, policy
        ),
        risk_score=score,
        **_limits(found),
        reachable_upper=_reachable(shard, found.limits, market, outlook, policy),
        relaxed=np.where(infeasible > 0, 0, found.relaxed),
        infeasible=infeasible,
        is_advised=_has_profile(goals) & (holdings.wealth_cents > 0) & (infeasible == 0),
    )


def _limits(found: Relaxed) -> dict[str, Floats]:
    kept = set(Wanted.__dataclass_fields__) - {"wish_upper", "current"}
    return {name: getattr(found.limits, name) for name in kept}


def _reachable(
    shard: Shard, limits: Wanted, market: Market, outlook: Outlook, policy: Policy
) -> Floats:
    """Return the largest weights that purchases may lead to.

    A target that asks for what its client may not buy would leave cash idle for a month; so what
    the solver may not have goes elsewhere.
    """
    accounts = shard.accounts
    if not len(shard.loss_sales.client) and not len(shard.orders.account):
        return limits.upper
    blocked = np.zeros(limits.upper.shape, dtype=np.bool_)
    served = accounts.goal >= 0
    blocked[accounts.goal[served]] = blocked_buys(shard, market, policy)[served]
    most = np.maximum(limits.current, limits.lower)
    held = replace(limits, upper=np.where(blocked, np.minimum(limits.upper, most), limits.upper))
    return np.where(fits(held, outlook.long_run)[:, None], held.upper, limits.upper)


def _wanted(
    shard: Shard,
    holdings: GoalHoldings,
    score: Integers,
    volatility: Floats,
    risky: Floats,
    market: Market,
    outlook: Outlook,
    policy: Policy,
) -> Wanted:
    goals, count = shard.goals, len(score)
    wish_upper = _wish_upper(goals, holdings, market)
    upper = np.minimum(wish_upper, symbol_limits(market, policy))
    class_upper = np.array(
        [policy.class_limits[AssetClass(name)].class_weight for name in market.classes]
    )
    floor = np.maximum(policy.cash_floor_weight, _cash_weight(goals, holdings))
    frozen = holdings.frozen_weight
    exposure = least_exposure(volatility, outlook, policy)
    return Wanted(
        lower=np.zeros_like(upper),
        upper=upper,
        wish_upper=wish_upper,
        class_lower=np.zeros((count, len(market.classes))),
        class_upper=np.maximum(class_upper - holdings.frozen_class_weight, 0.0),
        invested_lower=np.maximum(exposure - frozen, 0.0),
        invested_upper=np.clip(1 - floor - frozen, 0.0, 1.0),
        # What we cannot trade we do not know either, and take for risky.
        risky_upper=np.maximum(risky - frozen, 0.0),
        turnover=_turnover(shard, score, upper, market, policy),
        current=holdings.current,
    )


def _wish_upper(goals: Goals, holdings: GoalHoldings, market: Market) -> Floats:
    allowed = np.where(goals.excluded, 0.0, goals.symbol_cap[:, None])
    sold_only = ~may_be_bought(market)
    return np.where(sold_only, np.minimum(allowed, holdings.current), allowed)


def symbol_limits(market: Market, policy: Policy) -> Vector:
    """Return (symbols,): the largest weight that the house allows of each."""
    classes = [AssetClass(market.instruments[symbol].asset_class) for symbol in market.symbols]
    return np.array([policy.class_limits[name].symbol_weight for name in classes])


def _cash_weight(goals: Goals, holdings: GoalHoldings) -> Floats:
    """Return what must stay cash: buffers, and withdrawals of the next three months."""
    wealth = np.maximum(holdings.wealth_cents, 1)
    return np.minimum(np.maximum(goals.min_cash_cents, 0) / wealth, 1.0)


def aimed_volatility(volatility: Floats, risky: Floats, market: Market, outlook: Outlook) -> Floats:
    """Return the annual volatility to aim at: what is asked for, or what the risky share allows.

    The second is the reference portfolio's, scaled to the share. Who aimed at all that was asked
    for would make up for a small share with the riskiest symbols, and shun bonds.

    Parameters
    ----------
    volatility : (goals,) that the score asks for and suits.
    risky : (goals,) largest share of worth in risky classes.
    """
    is_risky = outlook.long_run.is_risky[outlook.long_run.class_of]
    risky_share = float(market.reference_weights[is_risky].sum())
    if not risky_share > 0:
        return volatility
    allowed = risky / risky_share * outlook.reference_volatility
    return np.minimum(volatility, allowed)


def least_exposure(volatility: Floats, outlook: Outlook, policy: Policy) -> Floats:
    """Return the weight to invest at least: a share of what the volatility aimed at asks for."""
    exposure = reference_exposure(volatility, outlook.reference_volatility)
    return policy.minimum_invested_share * exposure


def _turnover(
    shard: Shard, score: Integers, upper: Floats, market: Market, policy: Policy
) -> Floats:
    """Return the limit on turnover; there is none where a target is new or cash is needed."""
    accounts = shard.accounts
    free = ~has_target(accounts) | lacks_cash(accounts)
    free |= profile_changed(accounts, score, upper, market)
    free &= (accounts.goal >= 0) & (accounts.issue == 0)
    limit = np.full(len(score), policy.max_turnover)
    limit[accounts.goal[free]] = np.inf
    return limit


def _unmet_wishes(holdings: GoalHoldings, wanted: Wanted, market: Market) -> Integers:
    """Say where a wish leaves nothing to advise: a buffer above all worth, or nothing to buy."""
    has_wealth = holdings.wealth_cents > 0
    all_buffer = has_wealth & (holdings.cash_buffer_cents >= holdings.wealth_cents)
    nothing_to_buy = ~(wanted.wish_upper[:, may_be_bought(market)] > 0).any(axis=1)
    return np.where(all_buffer | nothing_to_buy, bit(Constraint.CLIENT_WISH), 0)


def _has_profile(goals: Goals) -> Mask:
    without = GOAL_ISSUES.index(GoalIssue.NO_RISK_PROFILE)
    return (goals.issue != without) & (goals.risk_score > 0)
