"""Shards of any accounts, sized, and what becomes of them once their trades are filled."""

from dataclasses import replace
from typing import Any

import numpy as np
from trade_shards import Case, prices_of

from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.location import locate
from pipelines.rebalance.trades.orders import lot_micros, notional_cents, target_micros
from pipelines.rebalance.trades.sizing import TRADED, size
from pipelines.rebalance.trades.weights import NANOS


class Sizing:
    """A case with what became of it; quantities as Python integers where products are large."""

    def __init__(self, case: Case, **rules: Any) -> None:
        accounts = case.shard.accounts
        count = len(accounts.goal)
        self.case, self.accounts = case, accounts
        self.nanos = locate(case.shard, case.goal_nanos, case.market)
        given_rules = {
            "idle_because": np.full(count, TRADED),
            "is_flow_only": np.zeros(count, np.bool_),
        }
        self.rules = given_rules | rules
        self.sized = size(case.shard, self.nanos, case.bounds, case.market, POLICY, **self.rules)
        self.prices = prices_of(case.market)
        self.target = target_micros(self.nanos, accounts.wealth_cents, self.prices)
        self.lot = lot_micros(accounts.is_whole, POLICY)[:, None]
        self.after = accounts.held_micros + self.sized.traded_micros
        self.is_bought = self.sized.traded_micros > 0
        self.is_sold = self.sized.traded_micros < 0
        left = accounts.wealth_cents - self.sized.fee_cents.sum(axis=1)
        kept = -(-self.nanos[:, -1].astype(object) * left // NANOS)
        reserve = np.maximum(accounts.cash_buffer_cents, kept - accounts.frozen_cents)
        self.reserve = reserve.astype(np.int64)

    def lacks_cash(self) -> Mask:
        """Accounts whose buffer the sells towards targets may not reach."""
        return self.sized.cash_after_cents - self.smallest_overshoot() < (
            self.accounts.cash_buffer_cents
        )

    def smallest_overshoot(self) -> Integers:
        """The worth of the dearest lot: what a sale for the buffer may exceed it by."""
        return notional_cents(self.lot, self.prices[None, :]).max(axis=1) + 1


def any_rules(case: Case, seed: int) -> dict[str, Any]:
    """Accounts that are left alone, flows of cash, and purchases blocked."""
    rng = np.random.default_rng(seed)
    shape = case.shard.accounts.held_micros.shape
    return {
        "idle_because": np.where(rng.random(shape[0]) < 0.1, 0, TRADED),
        "is_flow_only": rng.random(shape[0]) < 0.3,
        "is_buy_blocked": rng.random(shape) < 0.2,
    }


def filled(made: Sizing, *, at_no_fee: bool = False) -> Case:
    """The same accounts once every trade is filled at its price, with the same buffers."""
    accounts, prices = made.accounts, made.prices
    value = notional_cents(made.after, prices[None, :])
    cash = made.sized.cash_after_cents
    wealth = cash + accounts.frozen_cents + value.sum(axis=1)
    after = replace(
        accounts,
        held_micros=made.after,
        value_cents=value,
        cash_micros=cash * 10_000,
        wealth_cents=accounts.wealth_cents if at_no_fee else wealth,
        last_nanos=made.nanos,
    )
    return replace(made.case, shard=replace(made.case.shard, accounts=after))
