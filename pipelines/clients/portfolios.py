"""Plausible goals, accounts and holdings for a person, worth what that person could have saved."""

import datetime as dt
import math
import random
from collections.abc import Sequence

from models.vocabulary import (
    MICROS,
    MICROS_PER_CENT,
    GoalKind,
    PreferenceKind,
    ShareKind,
    TaxKind,
)
from pipelines.clients.market import Market
from pipelines.clients.people import Person
from pipelines.clients.records import Account, Goal, Preferences, Questionnaire

_DAYS_PER_YEAR = 365.25
_MOST_GOALS = 3
_LEAST_WORTH_CENTS = 50_000
_THOUSAND_DOLLARS = 100_000
_TEN_DOLLARS = 1_000
_CAPS = (0.1, 0.15, 0.2, 0.25, 0.3)
_MONEY_ALONE = 0.4
_MONEY_ALONE_FOR_EMERGENCIES = 0.85
"""How many accounts are opened with money; the others are portfolios moved from elsewhere."""


def draw_goals(
    rng: random.Random, person: Person, answers: Questionnaire, session: dt.date
) -> list[tuple[Goal, int]]:
    """Draw one to three goals, each with the cents already saved for it, first things first."""
    kinds = [kind for kind, chance in _chances(person, answers).items() if rng.random() < chance]
    kinds = kinds[:_MOST_GOALS] or [GoalKind.WEALTH]
    savings = _savings_cents(rng, person, answers)
    shares = [
        rng.expovariate(1.0) + (2.0 if kind is GoalKind.RETIREMENT else 0.4) for kind in kinds
    ]
    goals = []
    for number, (kind, share) in enumerate(zip(kinds, shares, strict=True), start=1):
        worth = max(round(savings * share / sum(shares)), _LEAST_WORTH_CENTS)
        years = _years(rng, kind, person)
        target = _target_cents(rng, kind, worth, years, answers)
        date = session + dt.timedelta(days=round(years * _DAYS_PER_YEAR))
        goals.append((Goal(number, kind, target, date, priority=number), worth))
    return goals


def draw_accounts(
    rng: random.Random, goals: Sequence[tuple[Goal, int]], boldness: float, market: Market
) -> list[Account]:
    """Draw one account per goal, and sometimes two for retirement, holding what was saved.

    Parameters
    ----------
    boldness : of the person, whose portfolio so far was as bold; see ``Person``.
    """
    share_kind = ShareKind.FRACTIONAL if rng.random() < 0.6 else ShareKind.WHOLE
    accounts: list[Account] = []
    for goal, worth in goals:
        kinds = _tax_kinds(rng, goal.kind)
        first = worth if len(kinds) == 1 else round(worth * rng.uniform(0.3, 0.8))
        for tax_kind, part in zip(kinds, (first, worth - first), strict=False):
            invested = part * _invested_share(rng, goal.kind, boldness)
            holdings, cash = _draw_holdings(rng, part, invested, share_kind, market)
            accounts.append(
                Account(
                    number=len(accounts) + 1,
                    goal_number=goal.number,
                    tax_kind=tax_kind,
                    share_kind=share_kind,
                    cash_buffer_cents=_buffer_cents(rng, part),
                    cash_cents=cash,
                    holdings=holdings,
                )
            )
    return accounts


def draw_preferences(rng: random.Random, market: Market) -> Preferences:
    """Draw exclusions and a cap; most people ask for neither, nobody excludes everything."""
    classes = sorted(set(market.classes.values()))
    exclusions: list[tuple[PreferenceKind, str]] = []
    if rng.random() < 0.15 and len(classes) > 1:
        exclusions.append((PreferenceKind.EXCLUDE_CLASS, rng.choice(classes).value))
    if rng.random() < 0.1:
        count = min(rng.choice((1, 1, 2)), len(market.classes))
        exclusions += [
            (PreferenceKind.EXCLUDE_SYMBOL, symbol)
            for symbol in rng.sample(sorted(market.classes), count)
        ]
    cap = rng.choice(_CAPS) if rng.random() < 0.2 else 1.0
    subjects = {subject for _, subject in exclusions}
    if all(subjects & {symbol, kind.value} for symbol, kind in market.classes.items()):
        exclusions = []
    return Preferences(tuple(sorted(exclusions)), cap)


def _chances(person: Person, answers: Questionnaire) -> dict[GoalKind, float]:
    """How likely each goal is, in the order in which people put them first."""
    age = person.age_years
    return {
        GoalKind.EMERGENCY_FUND: 0.45 if answers.emergency_fund_months < 3 else 0.05,
        GoalKind.RETIREMENT: 0.0 if person.retired else 0.85,
        GoalKind.EDUCATION: 0.3 if 28 <= age <= 52 else 0.02,
        GoalKind.HOUSE: 0.35 if 24 <= age <= 48 else 0.05,
        GoalKind.WEALTH: 0.4,
    }


def _savings_cents(rng: random.Random, person: Person, answers: Questionnaire) -> float:
    years_of_income = 0.3 + 0.07 * person.working_years
    return answers.annual_income_cents * years_of_income * math.exp(rng.gauss(0.0, 0.7))


def _years(rng: random.Random, kind: GoalKind, person: Person) -> float:
    """How many years until the money is wanted; at least half a year."""
    match kind:
        case GoalKind.RETIREMENT:
            return max(rng.gauss(66.0, 2.0) - person.age_years, 1.5)
        case GoalKind.HOUSE:
            return rng.uniform(1.5, 8.0)
        case GoalKind.EDUCATION:
            return rng.uniform(3.0, 17.0)
        case GoalKind.EMERGENCY_FUND:
            return rng.uniform(0.5, 2.0)
        case GoalKind.WEALTH:
            return min(rng.uniform(4.0, 25.0), max(98.0 - person.age_years, 4.0))


def _target_cents(
    rng: random.Random, kind: GoalKind, worth: int, years: float, answers: Questionnaire
) -> int:
    if kind is GoalKind.EMERGENCY_FUND:
        wanted = answers.annual_expenses_cents * rng.choice((3, 6, 6, 9)) / 12
    else:
        wanted = worth * math.exp(0.05 * years) * rng.uniform(0.8, 1.8)
    return max(math.ceil(wanted / _THOUSAND_DOLLARS), 1) * _THOUSAND_DOLLARS


def _tax_kinds(rng: random.Random, kind: GoalKind) -> list[TaxKind]:
    if kind is GoalKind.RETIREMENT:
        kinds = [TaxKind.TAX_DEFERRED, TaxKind.TAX_FREE, TaxKind.TAXABLE]
        if rng.random() < 0.3:
            return [kinds[0], rng.choice(kinds[1:])]
        return rng.choices(kinds, weights=(60, 25, 15))
    if kind is GoalKind.EDUCATION and rng.random() < 0.4:
        return [TaxKind.TAX_FREE]
    return [TaxKind.TAXABLE]


def _buffer_cents(rng: random.Random, worth: int) -> int:
    share = rng.choice((0.0, 0.005, 0.01, 0.01, 0.02))
    return round(worth * share / _TEN_DOLLARS) * _TEN_DOLLARS


def _invested_share(rng: random.Random, kind: GoalKind, boldness: float) -> float:
    """Draw how much of an account is invested when it comes; the rest is cash."""
    is_for_emergencies = kind is GoalKind.EMERGENCY_FUND
    if rng.random() < (_MONEY_ALONE_FOR_EMERGENCIES if is_for_emergencies else _MONEY_ALONE):
        return 0.0
    return min(max(rng.gauss(0.6 + 0.15 * boldness, 0.15), 0.1), 0.97)


def _draw_holdings(
    rng: random.Random,
    worth_cents: int,
    invested: float,
    share_kind: ShareKind,
    market: Market,
) -> tuple[tuple[tuple[str, int], ...], int]:
    """Draw (symbol, micros) and the cents of cash left; together they are worth the amount.

    What is invested is in two to nine symbols, in unequal parts.
    """
    symbols = sorted(market.price_micros)
    if not invested:
        return (), worth_cents
    chosen = rng.sample(symbols, min(rng.randint(2, 9), len(symbols)))
    parts = [rng.expovariate(1.0) + 0.1 for _ in chosen]
    lot = MICROS if share_kind is ShareKind.WHOLE else 1
    holdings = []
    left_micros = worth_cents * MICROS_PER_CENT
    for symbol, part in zip(chosen, parts, strict=True):
        price = market.price_micros[symbol]
        value_micros = int(invested * part / sum(parts)) * MICROS_PER_CENT
        quantity = value_micros * MICROS // price // lot * lot
        if quantity:
            holdings.append((symbol, quantity))
            left_micros -= -(-quantity * price // MICROS)
    return tuple(sorted(holdings)), left_micros // MICROS_PER_CENT
