"""The trades of a shard: sized towards their destination, with lots, and without wash sales."""

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np

from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.decisions import Decisions
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.limits.bounds import Bounds
from pipelines.rebalance.limits.destination import destination_nanos
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.policy import Policy
from pipelines.rebalance.trades.lots import choose_lots
from pipelines.rebalance.trades.sized import LotSales, Sized
from pipelines.rebalance.trades.sizing import TRADED, size
from pipelines.rebalance.trades.wash_sales import (
    blocked_buys,
    disallowed_cents,
    spoiling_buys,
)


@dataclass(frozen=True)
class Traded:
    """Trades of a shard's accounts.

    Attributes
    ----------
    is_buy_blocked : (accounts, symbols) what is not bought since it would spoil a loss.
    """

    sized: Sized
    lot_sales: LotSales
    is_buy_blocked: Mask


def trade(
    shard: Shard,
    account_nanos: Integers,
    bounds: Bounds,
    decisions: Decisions,
    market: Market,
    policy: Policy,
    session: dt.date,
) -> Traded:
    """Return the trades that lead accounts to their targets, or as far as they are to go.

    Whether a purchase spoils a loss is known once the sells and their lots are. Accounts with such
    a purchase are sized again without it, which changes none of their sells.

    Parameters
    ----------
    account_nanos : (accounts, symbols + 1) targets in force; ``NO_TARGET`` where there is none.
    """
    towards = destination_nanos(shard, account_nanos, decisions.trigger, market, policy)
    # Sizing itself brings only cash to its place: it needs to know where the target is.
    towards = np.where(decisions.is_flow_only[:, None], account_nanos, towards)

    def sized_without(blocked: Mask, idle_because: Integers) -> Sized:
        return size(
            shard,
            towards,
            bounds,
            market,
            policy,
            idle_because=idle_because,
            is_flow_only=decisions.is_flow_only,
            is_buy_blocked=blocked,
        )

    blocked = blocked_buys(shard, market, policy)
    sized = sized_without(blocked, decisions.idle_because)
    sales = choose_lots(shard, sized, market, session)
    spoiling = spoiling_buys(shard, sales, market, policy)
    anew: Mask = np.any(spoiling & (sized.traded_micros > 0), axis=1)
    if anew.any():
        # All of them, not only those that were made: cash that is left now would buy others.
        blocked = blocked | (spoiling & anew[:, None])
        only_those = np.where(anew, decisions.idle_because, _any_idle(decisions))
        sized = _merged(anew, sized_without(blocked, only_those), sized)
        sales = disallowed_cents(shard, sized, sales, market, session)
    return Traded(sized, sales, blocked)


def _any_idle(decisions: Decisions) -> Integers:
    """Return a reason to leave each account alone, its own where it has one."""
    idle: Integers = np.where(decisions.idle_because == TRADED, 0, decisions.idle_because)
    return idle


def _merged(anew: Mask, second: Sized, first: Sized) -> Sized:
    """Return the second sizing of some accounts and the first of all others."""
    return Sized(
        **{
            field.name: np.where(
                anew if (one := getattr(first, field.name)).ndim == 1 else anew[:, None],
                getattr(second, field.name),
                one,
            )
            for field in fields(Sized)
        }
    )
