"""A shard: all goals and accounts of some clients, as arrays aligned to the market's symbols."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.rebalance.arrays import Floats, Integers, Mask

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Goals:
    """The goals of a shard, (goals,) unless said otherwise, sorted by client and goal.

    A goal is the unit of advice: one target for all its accounts together.

    Attributes
    ----------
    goal_id, client_id : text.
    version : of the goal.
    kind : as ``tuple(GoalKind)`` numbers them.
    target_cents : wanted at the target date, US cents.
    target_day : days since 1970-01-01 of the target date.
    horizon_days : calendar days from the session to the target date; 0 or less: it has passed.
    risk_score : 1..100; 0 where there is none.
    capacity_score : the highest risk score that finances and horizon allow, whatever the client is
        willing to take; 0 where there is none.
    max_loss, max_risky_weight : fractions; suitability limits that no forecast overrides.
    min_cash_cents : buffers and withdrawals planned in three months, US cents.
    excluded : (goals, symbols) what the client wants none of, by symbol or class.
    symbol_cap : largest weight of any symbol that the client allows; 1 where none is asked for.
    issue : as ``GOAL_ISSUES`` numbers them; 0 is none.
    """

    goal_id: pa.StringArray
    client_id: pa.StringArray
    version: Integers
    kind: Codes
    target_cents: Integers
    target_day: Integers
    horizon_days: Integers
    risk_score: Integers
    capacity_score: Integers
    max_loss: Floats
    max_risky_weight: Floats
    min_cash_cents: Integers
    excluded: Mask
    symbol_cap: Floats
    issue: Codes


@dataclass(frozen=True)
class Accounts:
    """The accounts of a shard, (accounts,) unless said otherwise, sorted by account id.

    Attributes
    ----------
    account_id, client_id : text.
    client : number of its client among those of the shard, also where its goal does not exist.
    goal : row of the account's goal in ``Goals``; -1 where it does not exist.
    tax_kind : as ``tuple(TaxKind)`` numbers them.
    is_whole : whether it holds whole shares only.
    cash_micros, cash_buffer_cents : cash as delivered, and what trades must leave.
    new_cash_cents : external cash since the last target (deposits less withdrawals), US cents.
    held_micros : (accounts, symbols) settled holdings and what open orders will make of them.
    value_cents : (accounts, symbols) their worth at the session's prices, half-even.
    frozen_cents : worth of priced holdings outside the market's symbols: kept, never traded.
    frozen_class_cents : (accounts, classes) what of it is of one of the market's classes.
    wealth_cents : cash, holdings and what is frozen.
    last_nanos : (accounts, symbols + 1) the last target in billionths, cash last; -1: none.
    last_run_id : text, null where there is no last target.
    last_risk_score : that it was made for; 0 where there is none.
    last_upper : (accounts, symbols) largest weights that it was made under.
    sessions_since_trade : since the account last traded on advice; a large number if never.
    issue : as ``ACCOUNT_ISSUES`` numbers them; 0 is none. Others are held, blocked or failed.
    issue_detail : text for the client (the symbols meant); empty where there is none.
    """

    account_id: pa.StringArray
    client_id: pa.StringArray
    client: Integers
    goal: Integers
    tax_kind: Codes
    is_whole: Mask
    cash_micros: Integers
    cash_buffer_cents: Integers
    new_cash_cents: Integers
    held_micros: Integers
    value_cents: Integers
    frozen_cents: Integers
    frozen_class_cents: Integers
    wealth_cents: Integers
    last_nanos: Integers
    last_run_id: pa.StringArray
    last_risk_score: Integers
    last_upper: Floats
    sessions_since_trade: Integers
    issue: Codes
    issue_detail: pa.StringArray


@dataclass(frozen=True)
class Lots:
    """Tax lots of a shard's accounts, sorted by account, symbol and lot id.

    Attributes
    ----------
    first : (accounts + 1,) where each account's lots begin.
    lot_id : (lots,) text.
    symbol : (lots,) position in the market; -1 outside it.
    quantity_micros : (lots,).
    basis_cents : (lots,) cost of what is left; -1: unknown, never zero.
    held_since_day : (lots,) days since 1970-01-01 from which the holding period counts; -1:
        unknown.
    acquired_day : (lots,) days since 1970-01-01 of the purchase, from which wash sales count; -1:
        unknown. Later than ``held_since_day`` where a wash sale carried an older period over.
    is_replacement : (lots,) whether a wash sale was matched with it already; it is matched once.
    """

    first: Integers
    lot_id: pa.StringArray
    symbol: Integers
    quantity_micros: Integers
    basis_cents: Integers
    held_since_day: Integers
    acquired_day: Integers
    is_replacement: Mask


@dataclass(frozen=True)
class LossSales:
    """Shares that a shard's clients sold at a loss in the last 30 calendar days, (sales,).

    Only what no purchase has been matched with: buying them back, or a substitute, in any of the
    client's accounts, would take the loss away.

    Attributes
    ----------
    client : number of the client among those of the shard.
    symbol : position in the market of what was sold, or of a substitute; never -1.
    quantity_micros, loss_cents : above 0.
    """

    client: Integers
    symbol: Integers
    quantity_micros: Integers
    loss_cents: Integers


@dataclass(frozen=True)
class PlannedFlows:
    """Cash that a shard's clients plan to pay in or take out after the session, (flows,).

    Attributes
    ----------
    goal : row of the account's goal in ``Goals``; sorted.
    signed_cents : of each payment; withdrawals are negative.
    first_day : days from the session to the first payment to come, above 0.
    last_day : days from the session after which nothing is paid; a large number for no end.
    step_months : between payments; 0: there is one only.
    """

    goal: Integers
    signed_cents: Integers
    first_day: Integers
    last_day: Integers
    step_months: Integers


def no_planned_flows() -> PlannedFlows:
    """Return the flows of clients who plan none."""
    return PlannedFlows(*(np.zeros(0, np.int64) for _ in range(5)))


@dataclass(frozen=True)
class OpenOrders:
    """Trades of a shard's accounts that are with the broker, (orders,), sorted by key.

    Attributes
    ----------
    trade_id, symbol : text.
    account : row of the account in ``Accounts``.
    left_micros : signed quantity that the build's holdings lack; 0 only where ``is_own``.
    is_own : whether it is of a run of the same session, which can't be replaced for the account.
    """

    trade_id: pa.StringArray
    symbol: pa.StringArray
    account: Integers
    left_micros: Integers
    is_own: Mask


def no_open_orders() -> OpenOrders:
    """Return the orders of clients who have none."""
    nothing, empty = pa.array([], pa.string()), np.zeros(0, np.int64)
    return OpenOrders(nothing, nothing, empty, empty, np.zeros(0, np.bool_))


@dataclass(frozen=True)
class Shard:
    """Everything that is known of some clients: each client's rows are in one shard."""

    number: int
    goals: Goals
    accounts: Accounts
    lots: Lots
    loss_sales: LossSales
    planned_flows: PlannedFlows = field(default_factory=no_planned_flows)
    orders: OpenOrders = field(default_factory=no_open_orders)
