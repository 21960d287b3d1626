"""Trades do not follow from trades, nor from who else is traded, nor from who counts them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sized_shards import Sizing, any_rules, filled
from trade_shards import Case, any_case, ordinary_case

from pipelines.rebalance.arrays import Integers
from pipelines.rebalance.limits.drift import account_grains, account_weights, outside_band
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.trades.sized import Sized
from pipelines.rebalance.trades.weights import NANOS

SEEDS = st.integers(0, 2**63 - 1)


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_once_trades_are_filled_the_same_quantities_ask_for_no_trade(seed: int) -> None:
    first = Sizing(any_case(seed, 12))
    again = Sizing(filled(first, at_no_fee=True))
    assert not again.sized.traded_micros.any()


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_a_rerun_once_trades_are_filled_gives_no_trade(seed: int, accounts_of_a_goal: int) -> None:
    first = Sizing(ordinary_case(seed, 12, accounts_of_a_goal))
    after = filled(first)
    accounts = after.shard.accounts
    grains = account_grains(accounts, after.market, POLICY)
    is_out = outside_band(account_weights(accounts), accounts.last_nanos / NANOS, grains, POLICY)
    is_out |= accounts.cash_micros // 10_000 < accounts.cash_buffer_cents
    idle = np.where(is_out & (first.nanos[:, -1] >= 0), -1, 0)
    again = Sizing(after, idle_because=idle)
    assert not again.sized.traded_micros.any()


def rows_of(case: Case, rows: Integers) -> Case:
    """The case with accounts in another order, or fewer of them; goals stay where they are."""
    accounts = case.shard.accounts
    columns = {field.name: getattr(accounts, field.name) for field in fields(accounts)}
    taken = {
        name: column[rows] if isinstance(column, np.ndarray) else column.take(rows)
        for name, column in columns.items()
    }
    return replace(case, shard=replace(case.shard, accounts=type(accounts)(**taken)))


def bits_of(sized: Sized, nanos: Integers) -> list[bytes]:
    """What becomes of each account, byte by byte."""
    columns = [getattr(sized, field.name) for field in fields(Sized)]
    return [
        b"".join(np.ascontiguousarray(column[row]).tobytes() for column in (*columns, nanos))
        for row in range(len(nanos))
    ]


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 3))
def test_no_account_depends_on_those_of_other_goals(seed: int, accounts_of_a_goal: int) -> None:
    case = any_case(seed, 12, accounts_of_a_goal)
    rules = any_rules(case, seed)
    whole = Sizing(case, **rules)
    expected = bits_of(whole.sized, whole.nanos)
    rng = np.random.default_rng(seed)
    members = np.split(np.arange(12), range(accounts_of_a_goal, 12, accounts_of_a_goal))
    order = np.concatenate([members[at] for at in rng.permutation(len(members))])
    for rows in (order, order[: accounts_of_a_goal * 2]):
        some = Sizing(rows_of(case, rows), **{name: rule[rows] for name, rule in rules.items()})
        assert bits_of(some.sized, some.nanos) == [expected[row] for row in rows]


def test_threads_change_no_bit() -> None:
    case = any_case(7, 200, 2)
    alone = Sizing(case)
    expected = bits_of(alone.sized, alone.nanos)

    def sized(rows: Integers) -> list[bytes]:
        made = Sizing(rows_of(case, rows))
        return bits_of(made.sized, made.nanos)

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(sized, np.split(np.arange(200), 10)))
    assert [bits for part in parts for bits in part] == expected
