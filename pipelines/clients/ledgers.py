"""When a person bought what is held, and what that person means to pay in or take out."""

import datetime as dt
import itertools
import random

from models.vocabulary import MICROS, MICROS_PER_CENT, CashFlowKind, Frequency, ShareKind, TaxKind
from pipelines.clients.market import Market
from pipelines.clients.people import Person
from pipelines.clients.records import Account, CashFlow, Goal, Lot, Questionnaire

_MEAN_AGE_SESSIONS = 400
_UNKNOWN_SHARE = 0.1  # of lots: shares came from a broker who did not tell
_SAVERS, _SPENDERS = 0.6, 0.5
_SPENT_IN_A_YEAR = 0.04
_TEN_DOLLARS = 1_000


def draw_lots(rng: random.Random, account: Account, market: Market) -> tuple[Lot, ...]:
    """Draw one to three purchases of each holding of a taxable account, at real past closes.

    Where the market has no past of a symbol, date and basis are unknown.
    """
    if account.tax_kind is not TaxKind.TAXABLE:
        return ()
    step = MICROS if account.share_kind is ShareKind.WHOLE else 1
    return tuple(
        _bought(rng, symbol, part, market)
        for symbol, quantity in account.holdings
        for part in _parts(rng, quantity, step)
    )


def _parts(rng: random.Random, quantity: int, step: int) -> list[int]:
    count = min(rng.choice((1, 1, 2, 3)), quantity // step)
    cuts = sorted(rng.randint(1, quantity // step) * step for _ in range(count - 1))
    edges = [0, *cuts, quantity]
    return [end - begin for begin, end in itertools.pairwise(edges) if end > begin]


def _bought(rng: random.Random, symbol: str, quantity: int, market: Market) -> Lot:
    past = market.past.get(symbol, ())
    age = int(rng.expovariate(1 / _MEAN_AGE_SESSIONS))
    is_unknown = rng.random() < _UNKNOWN_SHARE
    if is_unknown or not past:
        return Lot(symbol, quantity, None, None)
    day, price_micros = past[max(len(past) - 1 - age, 0)]
    basis = quantity * price_micros // (MICROS * MICROS_PER_CENT)
    return Lot(symbol, quantity, day, basis)


def draw_cash_flows(
    rng: random.Random,
    person: Person,
    answers: Questionnaire,
    goal: Goal,
    account: Account,
    market: Market,
) -> tuple[CashFlow, ...]:
    """Draw what is paid into an account every month, or taken out of it by who lives on it."""
    first = market.session + dt.timedelta(days=rng.randint(1, 31))
    if person.retired:
        yearly, kind = _worth_cents(account, market) * _SPENT_IN_A_YEAR, CashFlowKind.WITHDRAWAL
    else:
        yearly = answers.annual_income_cents * rng.uniform(0.01, 0.08)
        kind = CashFlowKind.DEPOSIT
    amount = round(yearly / 12 / _TEN_DOLLARS) * _TEN_DOLLARS
    pays = rng.random() < (_SPENDERS if person.retired else _SAVERS)
    if not pays or amount == 0 or first > goal.target_date:
        return ()
    return (CashFlow(kind, amount, Frequency.MONTHLY, first, goal.target_date),)


def _worth_cents(account: Account, market: Market) -> int:
    held = sum(market.price_micros[symbol] * quantity for symbol, quantity in account.holdings)
    return account.cash_cents + held // (MICROS * MICROS_PER_CENT)
