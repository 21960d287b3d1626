"""From rows of a client file to whole clients, keeping what is consistent."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from models.vocabulary import MICROS, PreferenceKind, ShareKind
from pipelines.clients.columns import COLUMNS, Owner
from pipelines.clients.csv_file import RawRow
from pipelines.clients.issues import RowIssue, issue
from pipelines.clients.market import Market
from pipelines.clients.records import Account, Client, Goal, Identity, Preferences, Questionnaire
from pipelines.clients.values import ValueProblem

_LONGEST_LIFE_YEARS = 120
_LONGEST_HORIZON = dt.timedelta(days=80 * 365 + 20)
"""Beyond this the client profiles call a target date implausible, too."""


class _Rejected(Exception):  # noqa: N818 - it carries a row out of the good path, not to a user
    def __init__(self, name: str, problem: str, remedy: str, part: str | None = None) -> None:
        super().__init__(problem)
        self.name = name
        self.problem = problem
        self.remedy = remedy
        self.part = part


@dataclass(frozen=True)
class _Row:
    """A row whose cells could all be read: values by column name."""

    line: int
    values: dict[str, Any] = field(repr=False)

    def of(self, owner: Owner) -> dict[str, Any]:
        return {
            column.name: self.values[column.name] for column in COLUMNS if column.owner is owner
        }


@dataclass
class _Draft:
    """The rows of one client so far: the first of each goal and the one of each account."""

    first: _Row
    goals: dict[int, _Row] = field(default_factory=dict)
    accounts: dict[int, _Row] = field(default_factory=dict)


@dataclass(frozen=True)
class Assembled:
    """The clients that good rows make up, in order of first appearance, and all other rows."""

    clients: tuple[Client, ...]
    accepted_rows: int
    issues: tuple[RowIssue, ...]
    ref_by_line: dict[int, str] = field(repr=False)
    """The external_ref of each row that has a readable one, for telling whose issue it is."""


def assemble(rows: Iterable[RawRow], market: Market) -> Assembled:
    """Read every cell, check every row by itself and against the rows before it.

    A row with a mistake is left out and described; the first row of a client or a goal says what
    is true of it, and a later row that differs is the mistaken one.
    """
    drafts: dict[str, _Draft] = {}
    issues: list[RowIssue] = []
    refs: dict[int, str] = {}
    accepted = 0
    for raw in rows:
        row, unreadable = _read_cells(raw)
        issues.extend(unreadable)
        if ref := row.values.get("external_ref"):
            refs[raw.line] = ref
        if unreadable:
            continue
        try:
            _check_row(row, market)
            _add(drafts, row)
        except _Rejected as error:
            shown = raw.cells[error.name] if error.part is None else error.part
            issues.append(issue(raw.line, error.name, shown, error.problem, error.remedy))
        else:
            accepted += 1
    clients = tuple(_client(draft) for draft in drafts.values())
    return Assembled(clients, accepted, tuple(issues), refs)


def _read_cells(raw: RawRow) -> tuple[_Row, list[RowIssue]]:
    values: dict[str, Any] = {}
    issues: list[RowIssue] = []
    for column in COLUMNS:
        text = raw.cells[column.name]
        try:
            values[column.name] = column.read(text)
        except ValueProblem as error:
            shown = text if error.part is None else error.part
            issues.append(issue(raw.line, column.name, shown, error.problem, error.remedy))
    return _Row(raw.line, values), issues


def _check_row(row: _Row, market: Market) -> None:
    _check_dates(row.values["birth_date"], row.values["target_date"], market.session)
    if row.values["target_amount"] == 0:
        raise _Rejected("target_amount", "a goal of nothing is no goal", "Write what is wanted.")
    _check_holdings(row.values["holdings"], row.values["share_kind"], market)
    _check_exclusions(row.values["exclusions"], market)


def _check_dates(birth: dt.date, target: dt.date, session: dt.date) -> None:
    if birth >= session or session.year - birth.year > _LONGEST_LIFE_YEARS:
        raise _Rejected(
            "birth_date",
            f"nobody alive on {session} was born on it",
            "Correct the date of birth.",
        )
    if target <= session:
        raise _Rejected(
            "target_date",
            f"the horizon is impossible: it is not after {session}, the session advised on",
            "Write a later date, or leave the goal out when it is over.",
        )
    if target - session > _LONGEST_HORIZON or target.year - birth.year > _LONGEST_LIFE_YEARS:
        raise _Rejected(
            "target_date",
            f"the horizon is impossible: over 80 years, or past the age of {_LONGEST_LIFE_YEARS}",
            "Correct the target date, or the date of birth.",
        )


def _check_holdings(
    holdings: tuple[tuple[str, int], ...], share_kind: ShareKind, market: Market
) -> None:
    for symbol, micros in holdings:
        if symbol not in market.classes:
            raise _unknown_symbol("holdings", symbol)
        if share_kind is ShareKind.WHOLE and micros % MICROS:
            raise _Rejected(
                "holdings",
                "an account of whole shares holds a fraction",
                "Write whole quantities, or set share_kind to fractional.",
                symbol,
            )


def _check_exclusions(exclusions: tuple[tuple[PreferenceKind, str], ...], market: Market) -> None:
    excluded = set(exclusions)
    for kind, subject in exclusions:
        if kind is PreferenceKind.EXCLUDE_SYMBOL and subject not in market.classes:
            raise _unknown_symbol("exclusions", subject)
    if all(
        (PreferenceKind.EXCLUDE_SYMBOL, symbol) in excluded
        or (PreferenceKind.EXCLUDE_CLASS, asset_class.value) in excluded
        for symbol, asset_class in market.classes.items()
    ):
        raise _Rejected(
            "exclusions",
            "the preferences contradict the wish to invest: they leave no instrument",
            "Exclude less.",
        )


def _unknown_symbol(name: str, symbol: str) -> _Rejected:
    return _Rejected(
        name,
        "a symbol is unknown to the market data source, or cannot be held",
        "Correct the symbol, or choose a source that has it.",
        symbol,
    )


def _add(drafts: dict[str, _Draft], row: _Row) -> None:
    """Put the row with its client, or reject it without a trace in the drafts."""
    ref, goal, account = (
        row.values[name] for name in ("external_ref", "goal_number", "account_number")
    )
    draft = drafts.get(ref) or _Draft(first=row)
    _require_same(Owner.CLIENT, draft.first, row)
    _require_same(Owner.GOAL, draft.goals.get(goal, row), row)
    if account in draft.accounts:
        raise _Rejected(
            "account_number",
            f"the client's account is already on line {draft.accounts[account].line}",
            "Give each account of a client its own number, and one row.",
        )
    draft.goals.setdefault(goal, row)
    draft.accounts[account] = row
    drafts[ref] = draft


def _require_same(owner: Owner, first: _Row, row: _Row) -> None:
    before, now = first.of(owner), row.of(owner)
    for name, value in now.items():
        if value != before[name]:
            raise _Rejected(
                name,
                f"it contradicts line {first.line}, which is of the same {owner.value}",
                f"Write the same in every row of a {owner.value}.",
            )


def _client(draft: _Draft) -> Client:
    values = draft.first.values
    return Client(
        identity=Identity(
            external_ref=values["external_ref"],
            full_name=values["full_name"],
            email=values["email"],
            birth_date=values["birth_date"],
        ),
        questionnaire=Questionnaire(
            annual_income_cents=values["annual_income"],
            annual_expenses_cents=values["annual_expenses"],
            liquid_assets_cents=values["liquid_assets"],
            income_stability=values["income_stability"],
            emergency_fund_months=values["emergency_fund_months"],
            max_loss_percent=values["max_loss_percent"],
            reaction_to_fall=values["reaction_to_fall"],
            gamble_choice=values["gamble_choice"],
            stated_attitude=values["stated_attitude"],
        ),
        preferences=Preferences(values["exclusions"], values["max_symbol_weight"]),
        goals=tuple(_goal(row.values) for row in draft.goals.values()),
        accounts=tuple(_account(row.values) for row in draft.accounts.values()),
    )


def _goal(values: dict[str, Any]) -> Goal:
    return Goal(
        number=values["goal_number"],
        kind=values["goal_kind"],
        target_cents=values["target_amount"],
        target_date=values["target_date"],
        priority=values["goal_priority"],
    )


def _account(values: dict[str, Any]) -> Account:
    return Account(
        number=values["account_number"],
        goal_number=values["goal_number"],
        tax_kind=values["tax_kind"],
        share_kind=values["share_kind"],
        cash_buffer_cents=values["cash_buffer"],
        cash_cents=values["cash"],
        holdings=values["holdings"],
    )
