"""From account targets to executable trades, in integers throughout.

Sells come first, to the nearest lot within bounds, and never exceed what is held; buys are rounded
down, never spend cash that must stay and never lift a class above its limit; what is left is spent
again in a fixed order, up to a lot beyond the target. Then

    cash before + sells - buys - fees = cash after

holds to the cent, and cash after is never below the buffer unless nothing is left to sell. A
symbol that is less than a lot above its target is left alone unless it is above its limit, so that
what a run rounded up is not sold by the next one.

The limits of a goal hold for each of its accounts in its own way: an account may exceed its own
target of a symbol or a class by its share, by worth, of what the goal's target leaves to the
limit. So the accounts' limits add up to the goal's, and each account is sized without the others.
"""

import numpy as np

from models.vocabulary import MICROS_PER_CENT, NoTrade
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.limits_kernel import goal_totals
from pipelines.rebalance.trades.location import may_buy
from pipelines.rebalance.trades.no_trade_kernel import no_trade_codes
from pipelines.rebalance.trades.orders import is_tradable, lot_micros, target_micros
from pipelines.rebalance.trades.sized import Sized
from pipelines.rebalance.trades.sizing_kernel import size_accounts
from pipelines.rebalance.trades.weights import NO_TARGET, WeightLimits, floor_nanos

TRADED = -1
"""In ``idle_because``: the account is traded."""

_HELD = list(NoTrade).index(NoTrade.HELD)


def size(
    shard: Shard,
    account_nanos: Integers,
    bounds: WeightLimits,
    market: Market,
    policy: Policy,
    *,
    idle_because: Integers,
    is_flow_only: Mask,
    is_buy_blocked: Mask | None = None,
) -> Sized:
    """Return the trades that bring accounts as near to their targets as lots and cash allow.

    What is sold does not depend on ``is_buy_blocked``.

    Parameters
    ----------
    shard : what accounts hold.
    account_nanos : (accounts, symbols + 1) targets, as ``location.locate`` gives them;
        ``NO_TARGET`` rows are not traded, nor are accounts beyond ``orders.is_tradable``.
    bounds : (goals, ...) limits of each goal.
    market : symbols, prices, and which may be bought.
    policy : lots, fees and the smallest trade.
    idle_because : (accounts,) why an account is not traded, as ``tuple(NoTrade)`` numbers it
        (within_band, cooldown, open_order, held); ``TRADED``: it is.
    is_flow_only : (accounts,) whether the target stands and only cash is brought to its place:
        what is too much buys what is furthest below its target, what is missing is raised from
        what is furthest above, and nothing else is traded.
    is_buy_blocked : (accounts, symbols) what a wash sale keeps from being bought; None: nothing.
    """
    accounts, shape = shard.accounts, shard.accounts.held_micros.shape
    prices = np.array(market.price_micros, dtype=np.int64)
    has_target = (account_nanos[:, -1] != NO_TARGET) & (accounts.goal >= 0)
    can_trade = has_target & is_tradable(accounts, prices)
    is_traded = can_trade & (idle_because == TRADED)
    wealth = np.where(can_trade, accounts.wealth_cents, 0)
    target = target_micros(account_nanos, wealth, prices)
    cash = accounts.cash_micros // MICROS_PER_CENT
    lots = lot_micros(accounts.is_whole, policy)
    if is_buy_blocked is None:
        is_buy_blocked = np.zeros((1, shape[1]), dtype=np.bool_)
    buyable = may_buy(market)
    class_of = market.membership.argmax(axis=0).astype(np.int64)
    is_risky = np.array([name not in policy.safe_classes for name in market.classes])
    group_upper = floor_nanos(np.column_stack([bounds.class_upper, bounds.risky_upper]))
    traded, settled, notional, fee = (np.zeros(shape, np.int64) for _ in range(4))
    size_accounts(
        is_traded, is_flow_only, accounts.goal, account_nanos, target, wealth,
        accounts.held_micros, cash, accounts.cash_buffer_cents, accounts.frozen_cents, lots,
        buyable & ~is_buy_blocked, prices, class_of, is_risky[class_of],
        *goal_totals(can_trade, accounts.goal, account_nanos, wealth, len(bounds.upper)),
        floor_nanos(bounds.upper), group_upper,
        (policy.cost_bps, policy.minimum_notional_cents), traded, settled, notional, fee,
    )  # fmt: skip
    no_trade = no_trade_codes(
        has_target, np.where(can_trade, idle_because, _HELD), is_flow_only, accounts.held_micros,
        target, traded, lots, buyable, is_buy_blocked, prices,
        policy.minimum_notional_cents,
    )  # fmt: skip
    return Sized(
        traded_micros=traded,
        settled_micros=settled,
        notional_cents=notional,
        fee_cents=fee,
        cash_before_cents=cash,
        cash_after_cents=cash - (np.sign(traded) * notional + fee).sum(axis=1),
        no_trade=no_trade,
    )
