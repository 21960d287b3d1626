"""The accounts of a shard."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.vocabulary import MICROS_PER_CENT, ShareKind, TaxKind
from pipelines.rebalance.arrays import Integers, Mask
from pipelines.rebalance.inputs.build_rows import rows_of_clients
from pipelines.rebalance.inputs.columns import integers, positions, text
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.goal_rows import goal_of
from pipelines.rebalance.inputs.holding_rows import Holdings, read_holdings
from pipelines.rebalance.inputs.movements import read_movements
from pipelines.rebalance.inputs.open_orders import read_open_orders
from pipelines.rebalance.inputs.screening import (
    GOAL_ISSUES,
    AccountIssue,
    GoalIssue,
    first_issue,
    symbols_meant,
)
from pipelines.rebalance.inputs.shard import Accounts, Codes, Goals, OpenOrders
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.inputs.targets_in_force import targets_in_force
from pipelines.rebalance.market.market import Market
from pipelines.rebalance.trades.orders import is_too_large

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_QUERY = """
    SELECT
        account_id, client_id, goal_id, tax_kind, share_kind, cash_micros, cash_buffer_cents
    FROM account
    WHERE {clients}
    ORDER BY account_id
"""


def read_accounts(
    warehouse: "DuckDBPyConnection",
    store: sa.Connection,
    market: Market,
    runs: EarlierRuns,
    plan: ShardPlan,
    goals: Goals,
) -> tuple[Accounts, OpenOrders]:
    """Read the accounts of a shard with what they hold, what moved, and their last targets.

    Their orders that are with the broker are returned too.
    """
    rows = rows_of_clients(warehouse, plan, _QUERY)
    account_id = text(rows["account_id"])
    orders = read_open_orders(warehouse, store, runs, plan, account_id)
    holdings = read_holdings(warehouse, plan, market, orders, account_id)
    movements = read_movements(warehouse, plan, runs, account_id)
    last = targets_in_force(store, runs, account_id, market.symbols)
    goal = goal_of(rows, goals)
    delivered_micros = integers(rows["cash_micros"])
    cash_micros = delivered_micros - holdings.ordered_cents * MICROS_PER_CENT
    wealth = (
        cash_micros // MICROS_PER_CENT + holdings.value_cents.sum(axis=1) + holdings.frozen_cents
    )
    accounts = Accounts(
        account_id=account_id,
        client_id=text(rows["client_id"]),
        client=_client_of(rows),
        goal=goal,
        tax_kind=positions(rows["tax_kind"], tuple(TaxKind)).astype(np.int8),
        is_whole=pc.equal(rows["share_kind"], ShareKind.WHOLE.value).to_numpy(),
        cash_micros=cash_micros,
        cash_buffer_cents=integers(rows["cash_buffer_cents"]),
        new_cash_cents=movements.new_cash_cents,
        held_micros=holdings.held_micros,
        value_cents=holdings.value_cents,
        frozen_cents=holdings.frozen_cents,
        frozen_class_cents=holdings.frozen_class_cents,
        wealth_cents=wealth,
        last_nanos=last.nanos,
        last_run_id=last.run_id,
        last_risk_score=last.risk_score,
        last_upper=last.upper,
        sessions_since_trade=movements.sessions_since_trade,
        issue=np.zeros(len(wealth), dtype=np.int8),
        issue_detail=pa.nulls(len(wealth), pa.string()),
    )
    issue = _issues(accounts, goals, orders, holdings, delivered_micros, market)
    detail = symbols_meant(issue, holdings.unpriced, holdings.short)
    return replace(accounts, issue=issue, issue_detail=detail), orders


def _client_of(rows: pa.Table) -> Integers:
    """Return the number of each account's client, in the order of their ids."""
    clients = rows["client_id"].combine_chunks()
    return integers(pc.rank(clients, tiebreaker="dense")) - 1


def _issues(
    accounts: Accounts,
    goals: Goals,
    orders: OpenOrders,
    holdings: Holdings,
    delivered_micros: Integers,
    market: Market,
) -> Codes:
    prices = np.array(market.price_micros, dtype=np.int64)
    return first_issue(
        {
            AccountIssue.TOO_LARGE: is_too_large(accounts, prices),
            AccountIssue.OPEN_ORDER: _has_own_order(orders, len(accounts.goal)),
            AccountIssue.UNPRICED_HOLDING: _is_given(holdings.unpriced),
            AccountIssue.SHORT_POSITION: _is_given(holdings.short),
            AccountIssue.GOAL_MISSING: accounts.goal < 0,
            AccountIssue.NO_RISK_PROFILE: _is_unanswered(goals, accounts.goal),
            AccountIssue.NEGATIVE_CASH: delivered_micros < 0,
            AccountIssue.EMPTY: accounts.wealth_cents <= 0,
        }
    )


def _has_own_order(orders: OpenOrders, accounts: int) -> Mask:
    blocked = np.zeros(accounts, dtype=np.bool_)
    blocked[orders.account[orders.is_own]] = True
    return blocked


def _is_given(words: pa.StringArray) -> Mask:
    return pc.not_equal(words, "").to_numpy(zero_copy_only=False)


def _is_unanswered(goals: Goals, goal: Integers) -> Mask:
    without = GOAL_ISSUES.index(GoalIssue.NO_RISK_PROFILE)
    return (goal >= 0) & np.append(goals.issue == without, False)[goal]
