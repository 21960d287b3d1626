"""A client as one record, before it becomes rows of the store."""

import datetime as dt
from dataclasses import dataclass, field

from models.vocabulary import (
    CashFlowKind,
    Frequency,
    GoalKind,
    PreferenceKind,
    ShareKind,
    TaxKind,
)


@dataclass(frozen=True)
class Identity:
    """Who the person is; hidden from ``repr`` so that no log or traceback shows it."""

    external_ref: str = field(repr=False)
    full_name: str = field(repr=False)
    email: str = field(repr=False)
    birth_date: dt.date = field(repr=False)


@dataclass(frozen=True)
class Questionnaire:
    """The answers that the risk score is made of; names and units as in ``risk_profile``."""

    annual_income_cents: int
    annual_expenses_cents: int
    liquid_assets_cents: int
    income_stability: int
    emergency_fund_months: int
    max_loss_percent: int
    reaction_to_fall: int
    gamble_choice: int
    stated_attitude: int


@dataclass(frozen=True)
class Preferences:
    """What the client asks for: exclusions as (kind, subject), and a cap on every symbol.

    ``max_symbol_weight`` is 1 where the client asks for no cap.
    """

    exclusions: tuple[tuple[PreferenceKind, str], ...] = ()
    max_symbol_weight: float = 1.0


@dataclass(frozen=True)
class Goal:
    """What money is for; ``number`` tells the goals of one client apart."""

    number: int
    kind: GoalKind
    target_cents: int
    target_date: dt.date
    priority: int


@dataclass(frozen=True)
class Lot:
    """Shares that were bought together; date and basis are None where nobody knows them."""

    symbol: str
    quantity_micros: int
    acquired_date: dt.date | None
    basis_cents: int | None


@dataclass(frozen=True)
class CashFlow:
    """Cash that is to come or go, until the last date."""

    kind: CashFlowKind
    amount_cents: int
    frequency: Frequency
    first_date: dt.date
    last_date: dt.date


@dataclass(frozen=True)
class Account:
    """An account, the goal it serves and what it holds; ``number`` is unique within the client.

    ``holdings`` are (symbol, millionths of a share), each symbol once; cash stands apart. ``lots``
    tell of holdings when they were bought, where that is known.
    """

    number: int
    goal_number: int
    tax_kind: TaxKind
    share_kind: ShareKind
    cash_buffer_cents: int
    cash_cents: int
    holdings: tuple[tuple[str, int], ...]
    lots: tuple[Lot, ...] = ()
    cash_flows: tuple[CashFlow, ...] = ()


@dataclass(frozen=True)
class Client:
    """One person with everything that advice needs."""

    identity: Identity
    questionnaire: Questionnaire
    preferences: Preferences
    goals: tuple[Goal, ...]
    accounts: tuple[Account, ...]
