"""Generated clients are plausible, and the same for the same seed."""

import dataclasses
import datetime as dt
import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.vocabulary import (
    MICROS,
    MICROS_PER_CENT,
    AssetClass,
    CashFlowKind,
    GoalKind,
    ShareKind,
    TaxKind,
)
from pipelines.clients.generate import draw_client
from pipelines.clients.market import Market
from pipelines.clients.portfolios import draw_accounts
from pipelines.clients.records import Client, Goal
from pipelines.lineage import REPOSITORY

SESSION = dt.date(2022, 12, 28)


def market_of(*symbols: str) -> Market:
    classes = list(AssetClass)
    return Market(
        SESSION,
        {symbol: classes[i % len(classes)] for i, symbol in enumerate(symbols)},
        {symbol: 7_123_457 * (i + 1) ** 2 for i, symbol in enumerate(symbols)},
    )


MARKET = market_of("AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH", "II", "JJ", "KK")
seeds = st.integers(min_value=0, max_value=2**32)
indexes = st.integers(min_value=1, max_value=10**6)


@pytest.fixture(scope="module")
def crowd() -> list[Client]:
    return [draw_client(7, index, MARKET) for index in range(1, 801)]


DRAW = """
import dataclasses, datetime as dt, json
from models.vocabulary import AssetClass
from pipelines.clients.generate import draw_client
from pipelines.clients.market import Market
classes = {f"S{i:02}": list(AssetClass)[i % len(AssetClass)] for i in range(30)}
prices = {symbol: 7_123_457 * (i + 1) for i, symbol in enumerate(classes)}
market = Market(dt.date(2022, 12, 28), classes, prices)
clients = [dataclasses.asdict(draw_client(7, index, market)) for index in range(1, 201)]
print(json.dumps(clients, default=str))
"""


def test_a_client_depends_on_seed_number_and_market_alone() -> None:
    """Another process hashes strings otherwise, which shows in the order of sets."""
    drawn = [
        subprocess.run(
            [sys.executable, "-c", DRAW],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert len(json.loads(drawn[0])) == 200
    assert drawn[0] == drawn[1]


@given(seed=seeds, index=indexes)
def test_accounts_hold_tradable_symbols_lots_and_no_debt(seed: int, index: int) -> None:
    for account in draw_client(seed, index, MARKET).accounts:
        lot = MICROS if account.share_kind is ShareKind.WHOLE else 1
        assert account.cash_cents >= 0
        assert account.cash_buffer_cents >= 0
        for symbol, micros in account.holdings:
            assert symbol in MARKET.price_micros
            assert micros > 0
            assert micros % lot == 0


DAYS = [SESSION - dt.timedelta(days=count) for count in range(900, 0, -1)]
PAST = dataclasses.replace(
    MARKET, past={"AA": [(day, 5_000_000 + 1_000 * n) for n, day in enumerate(DAYS)]}
)


@given(seed=seeds, index=indexes)
def test_lots_tell_of_all_that_taxable_accounts_hold_at_past_closes(seed: int, index: int) -> None:
    for account in draw_client(seed, index, PAST).accounts:
        told: dict[str, int] = {}
        step = MICROS if account.share_kind is ShareKind.WHOLE else 1
        for lot in account.lots:
            told[lot.symbol] = told.get(lot.symbol, 0) + lot.quantity_micros
            assert lot.quantity_micros > 0
            assert lot.quantity_micros % step == 0
            assert (lot.acquired_date is None) == (lot.basis_cents is None)
            if lot.acquired_date is not None:
                assert lot.symbol == "AA"  # of nothing else a past is known
                price = dict(PAST.past["AA"])[lot.acquired_date]
                assert lot.basis_cents == lot.quantity_micros * price // 10**10
        assert told == (dict(account.holdings) if account.tax_kind is TaxKind.TAXABLE else {})


def test_savers_pay_in_and_pensioners_take_out(crowd: list[Client]) -> None:
    flows = [flow for client in crowd for account in client.accounts for flow in account.cash_flows]
    kinds = [flow.kind for flow in flows]
    assert 0.3 * len(crowd) < kinds.count(CashFlowKind.DEPOSIT) < 2 * len(crowd)
    assert 0 < kinds.count(CashFlowKind.WITHDRAWAL) < 0.3 * len(crowd)
    assert all(SESSION < flow.first_date <= flow.last_date for flow in flows)
    assert all(flow.amount_cents > 0 for flow in flows)


@given(seed=seeds, index=indexes)
def test_goals_lie_ahead_and_each_has_an_account(seed: int, index: int) -> None:
    client = draw_client(seed, index, MARKET)
    numbers = [goal.number for goal in client.goals]
    assert numbers == list(range(1, len(numbers) + 1))
    assert 1 <= len(numbers) <= 3
    assert {account.goal_number for account in client.accounts} == set(numbers)
    assert all(goal.target_date > SESSION and goal.target_cents > 0 for goal in client.goals)


@given(seed=seeds, index=indexes, symbols=st.integers(min_value=1, max_value=3))
def test_nobody_excludes_all_there_is(seed: int, index: int, symbols: int) -> None:
    market = market_of(*("AA", "BB", "CC")[:symbols])
    excluded = {subject for _, subject in draw_client(seed, index, market).preferences.exclusions}
    assert any({symbol, kind} & excluded == set() for symbol, kind in market.classes.items())


@given(seed=seeds, worth_cents=st.integers(min_value=50_000, max_value=10**10))
def test_cash_and_holdings_are_worth_what_was_saved_to_the_cent(
    seed: int, worth_cents: int
) -> None:
    goal = Goal(1, GoalKind.RETIREMENT, target_cents=1, target_date=SESSION, priority=1)
    accounts = draw_accounts(random.Random(seed), [(goal, worth_cents)], 0.0, MARKET)
    worth_micros = sum(
        account.cash_cents * MICROS_PER_CENT
        + sum(
            Fraction(quantity * MARKET.price_micros[symbol], MICROS)
            for symbol, quantity in account.holdings
        )
        for account in accounts
    )
    short = worth_cents * MICROS_PER_CENT - worth_micros
    assert 0 <= short < len(accounts) * (MICROS_PER_CENT + 10)


def test_different_numbers_are_different_people(crowd: list[Client]) -> None:
    assert len({client.identity.email for client in crowd}) == len(crowd)
    assert len({client.questionnaire for client in crowd}) > 0.99 * len(crowd)


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        (lambda c: c.annual_income_cents, lambda c: c.annual_expenses_cents, 0.7),
        (lambda c: c.annual_income_cents, lambda c: c.liquid_assets_cents, 0.2),
        (lambda c: c.annual_income_cents, lambda c: c.income_stability, 0.1),
        (lambda c: c.gamble_choice, lambda c: c.reaction_to_fall, 0.4),
        (lambda c: c.stated_attitude, lambda c: c.max_loss_percent, 0.4),
    ],
)
def test_answers_go_together(
    crowd: list[Client], one: Callable[..., int], other: Callable[..., int], least: float
) -> None:
    answers = [client.questionnaire for client in crowd]
    correlation = statistics.correlation(list(map(one, answers)), list(map(other, answers)))
    assert least < correlation < 0.97


def test_some_people_contradict_themselves(crowd: list[Client]) -> None:
    gaps = [
        abs(client.questionnaire.gamble_choice - client.questionnaire.stated_attitude)
        for client in crowd
    ]
    assert 0.01 < sum(gap >= 3 for gap in gaps) / len(gaps) < 0.15


def test_some_spend_more_than_they_earn_but_most_do_not(crowd: list[Client]) -> None:
    over = sum(
        client.questionnaire.annual_expenses_cents > client.questionnaire.annual_income_cents
        for client in crowd
    )
    assert 0 < over < 0.1 * len(crowd)


def test_those_without_reserves_want_an_emergency_fund_more_often(crowd: list[Client]) -> None:
    def share(clients: list[Client]) -> float:
        kinds = [{goal.kind for goal in client.goals} for client in clients]
        return sum(GoalKind.EMERGENCY_FUND in found for found in kinds) / len(kinds)

    poor = [c for c in crowd if c.questionnaire.emergency_fund_months < 3]
    rich = [c for c in crowd if c.questionnaire.emergency_fund_months >= 3]
    assert share(poor) > 2 * share(rich)


def test_many_bring_money_alone_and_the_bolder_brought_more_shares(crowd: list[Client]) -> None:
    def invested(client: Client, kinds: set[GoalKind]) -> list[float]:
        goals = {goal.number for goal in client.goals if goal.kind in kinds}
        values = [
            (account.cash_cents, sum(n * MARKET.price_micros[s] for s, n in account.holdings))
            for account in client.accounts
            if account.goal_number in goals
        ]
        return [held / (held + cash * MICROS_PER_CENT * MICROS) for cash, held in values]

    funds = {GoalKind.EMERGENCY_FUND}
    alone = [share == 0 for client in crowd for share in invested(client, set(GoalKind) - funds)]
    assert 0.3 < statistics.mean(alone) < 0.5
    assert statistics.mean(s == 0 for client in crowd for s in invested(client, funds)) > 0.7
    shares = [
        (share, client.questionnaire.max_loss_percent)
        for client in crowd
        for share in invested(client, set(GoalKind))
        if share > 0
    ]
    assert 0.5 < statistics.mean(share for share, _ in shares) < 0.7
    assert 0.3 < statistics.correlation(*zip(*shares, strict=True)) < 0.9


def test_a_person_does_not_show_in_a_repr(crowd: list[Client]) -> None:
    client = crowd[0]
    shown = repr(client)
    assert client.identity.full_name not in shown
    assert client.identity.email not in shown
    assert client.identity.external_ref not in shown
    assert repr(client.identity.birth_date) not in shown
