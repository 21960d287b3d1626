"""The columns of a client file: one row of it is one account with its goal and its client."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from models.vocabulary import GoalKind, ShareKind, TaxKind
from pipelines.clients import values


class Owner(Enum):
    """What a column speaks of; all rows of the same owner must agree on it."""

    CLIENT = "client"
    GOAL = "goal"
    ACCOUNT = "account"


@dataclass(frozen=True)
class CsvColumn:
    """One column: whom it describes, how its text is read, and whether it is personal data.

    The text of a personal column is never shown, logged or stored outside ``client_identity``.
    """

    name: str
    owner: Owner
    read: Callable[[str], Any]
    meaning: str
    personal: bool = False


def _client(
    name: str, read: Callable[[str], Any], meaning: str, *, personal: bool = False
) -> CsvColumn:
    return CsvColumn(name, Owner.CLIENT, read, meaning, personal)


def _goal(name: str, read: Callable[[str], Any], meaning: str) -> CsvColumn:
    return CsvColumn(name, Owner.GOAL, read, meaning)


def _account(name: str, read: Callable[[str], Any], meaning: str) -> CsvColumn:
    return CsvColumn(name, Owner.ACCOUNT, read, meaning)


_dollars = values.dollars_to_cents
_score = values.whole_number(1, 5)
_ordinal = values.whole_number(1, 99)

COLUMNS = (
    _client(
        "external_ref",
        values.plain_text(64),
        "the client's key in your system, at most 64 characters",
        personal=True,
    ),
    _client("full_name", values.plain_text(200), "name", personal=True),
    _client("email", values.email, "contact address", personal=True),
    _client("birth_date", values.iso_date, "date of birth, `YYYY-MM-DD`", personal=True),
    _client("annual_income", _dollars, "yearly income after tax, dollars"),
    _client("annual_expenses", _dollars, "yearly spending, dollars"),
    _client("liquid_assets", _dollars, "savings outside these accounts, dollars"),
    _client("income_stability", _score, "1 very unsure .. 5 very sure"),
    _client(
        "emergency_fund_months",
        values.whole_number(0, 120),
        "months of spending set aside, 0 .. 120",
    ),
    _client(
        "max_loss_percent",
        values.whole_number(0, 100),
        "loss over a year that the client says they could bear, percent",
    ),
    _client("reaction_to_fall", _score, "after a 20 % fall: 1 sell everything .. 5 buy more"),
    _client("gamble_choice", _score, "chosen gamble: 1 the sure amount .. 5 the widest spread"),
    _client("stated_attitude", _score, "own description: 1 very careful .. 5 very daring"),
    _client(
        "exclusions",
        values.exclusions,
        "what not to hold: `symbol:AAPL;class:energy`; may be empty",
    ),
    _client(
        "max_symbol_weight",
        values.weight,
        "largest share of an account in one symbol, above 0 up to 1; empty for no cap",
    ),
    _goal("goal_number", _ordinal, "tells the goals of one client apart, 1 .. 99"),
    _goal("goal_kind", values.word(GoalKind), "what the money is for"),
    _goal("target_amount", _dollars, "amount wanted, dollars, above 0"),
    _goal("target_date", values.iso_date, "when it is wanted, `YYYY-MM-DD`"),
    _goal("goal_priority", values.whole_number(1, 9), "1 is the most important .. 9"),
    _account("account_number", _ordinal, "tells the accounts of one client apart, 1 .. 99"),
    _account("tax_kind", values.word(TaxKind), "how it is taxed"),
    _account("share_kind", values.word(ShareKind), "whole shares only, or fractions"),
    _account("cash_buffer", _dollars, "cash that trades must leave, dollars"),
    _account("cash", _dollars, "cash in the account, dollars"),
    _account(
        "holdings",
        values.holdings,
        "shares held: `AAPL:10;MSFT:2.5`, at most six decimals; may be empty",
    ),
)
BY_NAME = {column.name: column for column in COLUMNS}
