"""Advice on made-up shards in the small market, and what becomes of accounts that follow it."""

import dataclasses

import numpy as np
from rebalance_examples import SESSION, market
from shard_examples import changed_accounts, made_shard, valued

from models.vocabulary import Outcome
from pipelines.rebalance.advice import ShardAdvice
from pipelines.rebalance.inputs.shard import Lots, Shard
from pipelines.rebalance.market.forecasts import Forecast, RunForecasts
from pipelines.rebalance.market.outlook import Outlook, make_outlook
from pipelines.rebalance.policy import POLICY, Policy
from pipelines.rebalance.shard_advice import advise
from pipelines.rebalance.trades.orders import lot_micros

MARKET = market()
NEVER = 1_000_000
OUTCOMES = tuple(Outcome)


def forecasts(confidence: float, seed: int) -> tuple[Forecast, ...]:
    means = np.random.default_rng(seed).normal(0.01, 0.02, len(MARKET.symbols)).tolist()
    return tuple(
        Forecast(symbol, mean, 0.06, confidence)
        for symbol, mean in zip(MARKET.symbols, means, strict=True)
    )


def outlook_of(confidence: float) -> Outlook:
    network, averages = forecasts(confidence, 5), forecasts(confidence, 6)
    return make_outlook(MARKET, RunForecasts(network, network, averages), POLICY)


OUTLOOK = outlook_of(0.2)


def advised(shard: Shard, outlook: Outlook = OUTLOOK, policy: Policy = POLICY) -> ShardAdvice:
    return advise(shard, MARKET, outlook, policy, SESSION)


def outcomes(advice: ShardAdvice) -> list[Outcome]:
    return [OUTCOMES[number] for number in advice.outcome.tolist()]


def some_shard() -> Shard:
    return valued(made_shard(MARKET, 12, seed=3), MARKET)


def followed() -> Shard:
    """Accounts that hold their targets."""
    return filled(advised(without_lots(some_shard())))


def filled(advice: ShardAdvice) -> Shard:
    """The shard once all trades are done, on a day without news; nobody knows what lots cost."""
    accounts, sized = advice.shard.accounts, advice.sized
    is_new = (advice.targets.account_nanos[:, -1] >= 0) & advice.targets.is_new[accounts.goal]
    shard = changed_accounts(
        without_lots(advice.shard),
        held_micros=accounts.held_micros + sized.traded_micros,
        cash_micros=accounts.cash_micros % 10_000 + sized.cash_after_cents * 10_000,
        new_cash_cents=np.zeros_like(accounts.new_cash_cents),
        last_nanos=np.where(
            is_new[:, None], advice.targets.account_nanos, advice.shard.accounts.last_nanos
        ),
        last_risk_score=np.where(
            is_new, advice.bounds.risk_score[accounts.goal], accounts.last_risk_score
        ),
        last_upper=np.where(
            is_new[:, None], advice.bounds.upper[accounts.goal], accounts.last_upper
        ),
        sessions_since_trade=np.full_like(accounts.sessions_since_trade, NEVER),
    )
    return valued(shard, MARKET)


def without_lots(shard: Shard) -> Shard:
    """The shard without any lot, so that tax plays no part."""
    nothing = np.zeros(0, np.int64)
    none: Lots = dataclasses.replace(
        shard.lots,
        first=np.zeros(len(shard.accounts.goal) + 1, np.int64),
        lot_id=shard.lots.lot_id.slice(0, 0),
        symbol=nothing,
        quantity_micros=nothing,
        basis_cents=nothing,
        held_since_day=nothing,
        acquired_day=nothing,
        is_replacement=np.zeros(0, np.bool_),
    )
    return dataclasses.replace(shard, lots=none)


def lots_of_trades(advice: ShardAdvice) -> np.ndarray:
    """(trades,) the smallest step of the account of each trade."""
    steps = lot_micros(advice.shard.accounts.is_whole, POLICY)
    return np.asarray(steps[np.nonzero(advice.sized.traded_micros)[0]])
