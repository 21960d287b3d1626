"""A market with safe and risky classes, and shards with every kind of limit, for tests of goals."""

import dataclasses
from functools import cache

import numpy as np
from shard_examples import made_shard, valued
from trade_shards import market_of

from pipelines.rebalance.inputs.shard import Goals, Shard
from pipelines.rebalance.market.forecasts import RunForecasts
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.market.outlook import Outlook, make_outlook
from pipelines.rebalance.policy import POLICY

CLASSES = ("us_equity", "us_equity", "technology", "energy", "bond", "bond", "inflation_linked")
PRICES = (400_000_000, 61_000_000, 131_290_000, 9_870_001, 77_120_000, 101_000_000, 25_000_000)
_DEVIATIONS = np.array([0.009, 0.010, 0.014, 0.016, 0.002, 0.003, 0.003])


@cache
def mixed_market(sold_only: int | None = None) -> Market:
    """Seven symbols, three of them safe; one may only be sold, if asked for."""
    is_member = [number != sold_only for number in range(len(PRICES))]
    market = market_of(PRICES, CLASSES, is_member)
    rng = np.random.default_rng(5)
    common = rng.normal(0, 0.7, (600, 1)) * (_DEVIATIONS > 0.005)
    returns = (common + rng.normal(0, 0.7, (600, len(PRICES)))) * _DEVIATIONS
    weights = np.array(is_member) / sum(is_member)
    return dataclasses.replace(market, daily_returns=returns, reference_weights=weights)


@cache
def mixed_outlook(sold_only: int | None = None) -> Outlook:
    return make_outlook(mixed_market(sold_only), RunForecasts((), (), ()), POLICY)


def goals_shard(clients: int, seed: int, sold_only: int | None = None) -> Shard:
    """Clients on the mixed market, with cash planned for, and holdings that cannot be traded."""
    market = mixed_market(sold_only)
    shard = valued(made_shard(market, clients, seed), market)
    rng = np.random.default_rng([seed, 1])
    goals, accounts = len(shard.goals.target_cents), len(shard.accounts.goal)
    frozen = np.where(rng.random(accounts) < 0.2, shard.accounts.wealth_cents // 4, 0)
    share = np.where(rng.random(goals) < 0.3, rng.uniform(0, 1.2, goals), 0.0)
    worth = np.zeros(goals)
    np.add.at(worth, shard.accounts.goal, shard.accounts.wealth_cents)
    shard = changed_goals(
        shard,
        min_cash_cents=(share * worth).astype(np.int64),
        max_risky_weight=rng.uniform(0, 1, goals),
        max_loss=rng.uniform(0, 0.5, goals),
    )
    accounts_with_frozen = dataclasses.replace(
        shard.accounts, frozen_cents=frozen, wealth_cents=shard.accounts.wealth_cents + frozen
    )
    return dataclasses.replace(shard, accounts=accounts_with_frozen)


def changed_goals(shard: Shard, **columns: object) -> Shard:
    goals: Goals = dataclasses.replace(shard.goals, **columns)
    return dataclasses.replace(shard, goals=goals)
