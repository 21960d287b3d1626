"""The accounts of a session: what they hold and what their client wants."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.vocabulary import CASH, MICROS_PER_CENT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Position:
    """What an account holds of one symbol; price and value are None where there is no price."""

    quantity_micros: int
    price_micros: int | None
    value_cents: int | None


@dataclass(frozen=True)
class Account:
    """One account with its holdings, its goal's risk score and its client's wishes.

    ``wealth_cents`` counts cash and what has a price. ``account_issue`` and ``profile_issue`` name
    what is wrong with the inputs, as the marts ``account`` and ``client_profile`` say;
    ``risk_score`` is None where there is no profile row.
    """

    account_id: str
    client_id: str
    goal_id: str
    share_kind: str
    cash_buffer_cents: int
    cash_micros: int
    wealth_cents: int
    positions: Mapping[str, Position]
    risk_score: int | None
    excluded_symbols: frozenset[str]
    excluded_classes: frozenset[str]
    max_symbol_weight: float | None
    account_issue: str | None
    profile_issue: str | None

    @property
    def is_priced(self) -> bool:
        """Whether every position has a price, so that ``wealth_cents`` is all that there is."""
        return all(position.price_micros is not None for position in self.positions.values())

    @property
    def cash_cents(self) -> int:
        """Cash in whole cents; what is below a cent cannot be spent."""
        return self.cash_micros // MICROS_PER_CENT


def read_accounts(connection: "DuckDBPyConnection") -> list[Account]:
    """Read the marts ``account``, ``account_holding`` and ``client_profile``, by account id."""
    positions = _positions(connection)
    rows = connection.execute(
        """
        SELECT
            account.account_id, account.client_id, account.goal_id, account.share_kind,
            account.cash_buffer_cents, account.cash_micros, account.wealth_cents,
            profile.risk_score, profile.excluded_symbols, profile.excluded_classes,
            profile.max_symbol_weight, account.issue, profile.issue
        FROM account
        LEFT JOIN client_profile AS profile
            ON profile.client_id = account.client_id AND profile.goal_id = account.goal_id
        """
    ).fetchall()
    return [
        Account(
            account_id=account_id,
            client_id=client_id,
            goal_id=goal_id,
            share_kind=share_kind,
            cash_buffer_cents=buffer,
            cash_micros=cash,
            wealth_cents=wealth,
            positions=positions.get(account_id, {}),
            risk_score=score,
            excluded_symbols=frozenset(symbols or ()),
            excluded_classes=frozenset(classes or ()),
            max_symbol_weight=largest,
            account_issue=account_issue,
            profile_issue=profile_issue,
        )
        for (
            account_id,
            client_id,
            goal_id,
            share_kind,
            buffer,
            cash,
            wealth,
            score,
            symbols,
            classes,
            largest,
            account_issue,
            profile_issue,
        ) in sorted(rows, key=lambda row: row[0])
    ]


def _positions(connection: "DuckDBPyConnection") -> dict[str, dict[str, Position]]:
    rows = connection.execute(
        "SELECT account_id, symbol, quantity_micros, price_micros, value_cents FROM account_holding"
    ).fetchall()
    positions: dict[str, dict[str, Position]] = defaultdict(dict)
    for account_id, symbol, *values in sorted(rows):
        if symbol != CASH:
            positions[account_id][symbol] = Position(*values)
    return positions
