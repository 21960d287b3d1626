"""The limits of one account's target, whether any target can keep to them, and what gives way."""

from dataclasses import dataclass, replace

import numpy as np

from models.vocabulary import AssetClass
from pipelines.rebalance.inputs.accounts import Account
from pipelines.rebalance.market.aversion import reference_exposure
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.solver.definition import Limits

MINIMUM_INVESTED = "minimum_invested"
_TOLERANCE = 1e-12


class InfeasibleError(Exception):
    """No target keeps to the limits, whatever is relaxed; the message says why, for the client."""


@dataclass(frozen=True)
class AccountLimits:
    """Limits that some target keeps to, and the names of those that were given up for it."""

    limits: Limits
    relaxed: tuple[str, ...]


def unbounded_limits(market: Market) -> Limits:
    """Return the limits of an investor without wishes or house rules: long-only, no debt."""
    return Limits(np.ones(len(market.symbols)), np.ones(len(market.classes)), 0.0, 1.0)


def account_limits(
    account: Account, market: Market, reference_volatility: float, policy: Policy
) -> AccountLimits:
    """Return the limits of one account, relaxed as far as needed.

    Asset within class within budget is a tree, so the most that can be invested is the sum over
    classes of the smaller of the class's limit and its symbols' limits. If that, or the cash that
    must stay, leaves less than the minimum to invest, the minimum is given up: it is ours, while
    exclusions, caps and buffers are the client's.

    Raises
    ------
    InfeasibleError
        The cash buffer is above the account's worth, or nothing may be bought.
    """
    limits = _wanted_limits(account, market, reference_volatility, policy)
    if limits.cash_floor >= 1:
        raise InfeasibleError("its cash buffer is not below its worth")
    most = _most_investable(market, limits)
    if most <= 0:
        raise InfeasibleError("the wishes exclude everything that could be bought")
    if 1 - min(most, 1 - limits.cash_floor) > limits.cash_ceiling + _TOLERANCE:
        return AccountLimits(replace(limits, cash_ceiling=1.0), (MINIMUM_INVESTED,))
    return AccountLimits(limits, ())


def _wanted_limits(
    account: Account, market: Market, reference_volatility: float, policy: Policy
) -> Limits:
    if account.risk_score is None:
        raise ValueError(f"account {account.account_id} has no risk score; screen it first")
    upper = [_symbol_limit(account, market, symbol, policy) for symbol in market.symbols]
    class_upper = [
        policy.class_limits[AssetClass(name)].class_weight
        if name not in account.excluded_classes
        else 0.0
        for name in market.classes
    ]
    exposure = reference_exposure(account.risk_score, reference_volatility, policy)
    buffer_weight = account.cash_buffer_cents / account.wealth_cents
    return Limits(
        upper=np.array(upper),
        class_upper=np.array(class_upper),
        cash_floor=max(policy.cash_floor_weight, buffer_weight),
        cash_ceiling=1 - policy.minimum_invested_share * exposure,
    )


def _symbol_limit(account: Account, market: Market, symbol: str, policy: Policy) -> float:
    instrument = market.instruments[symbol]
    asset_class = AssetClass(instrument.asset_class)
    is_excluded = symbol in account.excluded_symbols or asset_class in account.excluded_classes
    if is_excluded or not instrument.is_member:
        return 0.0
    limit = policy.class_limits[asset_class].symbol_weight
    return limit if account.max_symbol_weight is None else min(limit, account.max_symbol_weight)


def _most_investable(market: Market, limits: Limits) -> float:
    return float(np.minimum(market.membership @ limits.upper, limits.class_upper).sum())
