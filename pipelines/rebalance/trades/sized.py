"""Orders of a shard's accounts as arrays."""

from dataclasses import dataclass

from pipelines.rebalance.arrays import Integers, Mask


@dataclass(frozen=True)
class Targets:
    """Targets of a shard in billionths; a row sums to 1,000,000,000.

    Attributes
    ----------
    goal_nanos : (goals, symbols + 1) of each goal, cash last.
    account_nanos : (accounts, symbols + 1) of each account: the goal's target located over its
        accounts, worth-weighted back to the goal's within rounding; frozen holdings count as cash.
    is_new : (goals,) whether the target was made in this run.
    """

    goal_nanos: Integers
    account_nanos: Integers
    is_new: Mask


@dataclass(frozen=True)
class Sized:
    """Executable trades of a shard's accounts, whole integers throughout.

    ``cash_before + sells - buys - fees = cash_after`` holds to the cent for each account.

    Attributes
    ----------
    traded_micros : (accounts, symbols) signed quantities; buys are positive.
    settled_micros : (accounts, symbols) the target quantity as far as cash, tax and the account's
        limits allow; what is traded differs from it by less than a lot.
    notional_cents, fee_cents : (accounts, symbols) at least 0.
    cash_before_cents, cash_after_cents : (accounts,).
    no_trade : (accounts, symbols) as ``tuple(NoTrade)`` numbers them where nothing is traded
        although the target differs from what is held; -1 elsewhere.
    """

    traded_micros: Integers
    settled_micros: Integers
    notional_cents: Integers
    fee_cents: Integers
    cash_before_cents: Integers
    cash_after_cents: Integers
    no_trade: Integers


@dataclass(frozen=True)
class LotSales:
    """Which lots the sells of a shard close, one row per sale of a lot, by account and symbol.

    Attributes
    ----------
    account, symbol, lot : rows of the shard's arrays.
    quantity_micros : sold of the lot.
    proceeds_cents : its part of the sale, after fees.
    basis_cents : its part of the basis; -1: unknown.
    is_long_term : whether held for more than a year; False where unknown.
    disallowed_cents : loss that a wash sale takes away (carried over or forfeited).
    """

    account: Integers
    symbol: Integers
    lot: Integers
    quantity_micros: Integers
    proceeds_cents: Integers
    basis_cents: Integers
    is_long_term: Mask
    disallowed_cents: Integers
