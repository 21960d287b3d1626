"""What has changed for an account since its last target was made."""

import numpy as np

from models.vocabulary import MICROS_PER_CENT
from pipelines.rebalance.arrays import Floats, Integers, Mask
from pipelines.rebalance.inputs.shard import Accounts
from pipelines.rebalance.market.market import Market

_SAME_LIMIT = 1e-9  # a store may round a bound in its last bits


def has_target(accounts: Accounts) -> Mask:
    """Say which accounts have a last target."""
    return np.asarray(accounts.last_nanos[:, -1] >= 0)


def profile_changed(accounts: Accounts, score: Integers, upper: Floats, market: Market) -> Mask:
    """Say for whom the risk score in force, or what may be held of a symbol, is another one.

    What may only be sold is left out: its limit follows what is held of it.

    Parameters
    ----------
    score : (goals,) in force.
    upper : (goals, symbols) largest weights, before anything gave way.
    """
    goal = np.maximum(accounts.goal, 0)
    if not len(score):
        return np.zeros(len(accounts.goal), dtype=np.bool_)
    members = may_be_bought(market)
    other_limit = np.abs(accounts.last_upper - upper[goal]) > _SAME_LIMIT
    other_score = accounts.last_risk_score != score[goal]
    return has_target(accounts) & (other_score | (other_limit & members).any(axis=1))


def lacks_cash(accounts: Accounts) -> Mask:
    """Say whose cash is below its buffer although there is something to sell."""
    has_holdings = (accounts.held_micros > 0).any(axis=1)
    return has_holdings & (accounts.cash_micros // MICROS_PER_CENT < accounts.cash_buffer_cents)


def may_be_bought(market: Market) -> Mask:
    """Say of each symbol of the market whether it may be bought, not only sold."""
    return np.array([market.instruments[symbol].is_member for symbol in market.symbols])
