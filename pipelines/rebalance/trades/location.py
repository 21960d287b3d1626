"""Where a goal's one target is held: over its accounts, by how each is taxed.

What pays ordinary income every year (bonds, real estate, commodities) goes to tax-deferred accounts
first, then to tax-free ones. What grows goes to tax-free accounts first, then to taxable ones,
where gains are taxed late and lightly. Foreign equity prefers taxable ones, where tax withheld
abroad is credited. That bonds belong in tax-deferred accounts: Dammon, Spatt and Zhang, "Optimal
Asset Location and Allocation with Taxable and Tax-Deferred Investing", J. of Finance 59 (2004).

A taxable account sells nothing merely to move it: it keeps what it holds as far as the goal's
target goes. Trades inside sheltered accounts realise no gain, so only those relocate; and what such
an account already holds of a tier stays there before anything is moved to it. Hence accounts that
hold their targets are given the same targets again.
"""

import numpy as np

from models.vocabulary import AssetClass, TaxKind
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.shard import Shard
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.trades.location_kernel import locate_accounts
from pipelines.rebalance.trades.orders import is_tradable

_SHELTERED_FIRST = (TaxKind.TAX_DEFERRED, TaxKind.TAX_FREE, TaxKind.TAXABLE)
_GROWTH = (TaxKind.TAX_FREE, TaxKind.TAXABLE, TaxKind.TAX_DEFERRED)
_TAXABLE_FIRST = (TaxKind.TAXABLE, TaxKind.TAX_FREE, TaxKind.TAX_DEFERRED)

LOCATION_TIERS: tuple[tuple[frozenset[AssetClass], tuple[TaxKind, ...]], ...] = (
    (frozenset({AssetClass.REAL_ESTATE, AssetClass.INFLATION_LINKED}), _SHELTERED_FIRST),
    (frozenset({AssetClass.BOND}), _SHELTERED_FIRST),
    (
        frozenset({AssetClass.COMMODITY, AssetClass.VOLATILITY, AssetClass.UNCLASSIFIED}),
        _SHELTERED_FIRST,
    ),
    (
        frozenset(
            {
                AssetClass.TECHNOLOGY,
                AssetClass.FINANCIALS,
                AssetClass.HEALTH_CARE,
                AssetClass.CONSUMER,
                AssetClass.ENERGY,
                AssetClass.INDUSTRIALS,
                AssetClass.FACTOR,
                AssetClass.INDEX,
                AssetClass.US_EQUITY,
            }
        ),
        _GROWTH,
    ),
    (frozenset({AssetClass.INTERNATIONAL_EQUITY}), _TAXABLE_FIRST),
)
"""Classes from the least tax-efficient on, and the kinds of account that they fill in order."""


def locate(shard: Shard, goal_nanos: Integers, market: Market) -> Integers:
    """Return each account's target: its goal's target located over the goal's accounts.

    An account keeps its own buffer and what is frozen in it; what else the goal keeps in cash is
    spread over its accounts by worth, so that each can pay its fees. Where buffers and frozen
    holdings leave less to invest than the goal's target asks for, every symbol gets less in
    proportion. What may only be sold stays where it is held.

    Parameters
    ----------
    shard : goals and accounts, the latter sorted by account id.
    goal_nanos : (goals, symbols + 1) billionths, cash last; ``NO_TARGET`` where there is none.
    market : symbols, their classes and prices, and which may be bought.

    Returns
    -------
    (accounts, symbols + 1) billionths of each account's wealth, cash last, frozen holdings counting
    as cash; a goal with one account gives it the identical target. ``NO_TARGET`` for accounts
    without a target: with an issue, without a goal, whose goal has no target, or beyond
    ``orders.is_tradable``.
    """
    accounts = shard.accounts
    prices = np.array(market.price_micros, dtype=np.int64)
    takes_part = (accounts.goal >= 0) & (accounts.issue == 0) & is_tradable(accounts, prices)
    order = np.argsort(np.where(takes_part, accounts.goal, len(goal_nanos)), kind="stable")
    counts = np.bincount(accounts.goal[takes_part], minlength=len(goal_nanos))
    return locate_accounts(
        np.ascontiguousarray(goal_nanos),
        order,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        accounts.tax_kind.astype(np.int64),
        accounts.wealth_cents,
        accounts.frozen_cents + accounts.cash_buffer_cents,
        accounts.value_cents,
        _tier_of(market),
        _preferences(),
        may_buy(market),
    )


def may_buy(market: Market) -> Mask:
    """Return (symbols,): False for what left its universe and may only be sold."""
    return np.array([market.instruments[symbol].is_member for symbol in market.symbols])


def _tier_of(market: Market) -> Integers:
    tiers = {name: tier for tier, (names, _) in enumerate(LOCATION_TIERS) for name in names}
    classes = [AssetClass(market.instruments[symbol].asset_class) for symbol in market.symbols]
    return np.array([tiers[name] for name in classes], dtype=np.int64)


def _preferences() -> Integers:
    kinds = list(TaxKind)
    return np.array([[kinds.index(kind) for kind in order] for _, order in LOCATION_TIERS])
