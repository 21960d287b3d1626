"""What is known of an advice, as the store keeps it; money, quantities and prices in its units."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from models.vocabulary import (
    AllocationView,
    Constraint,
    GoalKind,
    GoalLever,
    NoTrade,
    Outcome,
    Side,
    Trigger,
)


@dataclass(frozen=True)
class Run:
    """A run, with all that determines it."""

    run_id: str
    source: str
    session_date: dt.date
    status: str
    data_snapshot: str
    feature_hash: str
    model_name: str
    model_version: int
    mlflow_run_id: str
    config_hash: str
    history_hash: str
    code_version: str
    started_at: dt.datetime
    published_at: dt.datetime | None
    supersedes: str | None


@dataclass(frozen=True)
class AccountOutcome:
    """What a run did with an account; see ``client_outcome``."""

    run_id: str
    account_id: str
    client_id: str
    outcome: Outcome
    allocation_run_id: str | None
    trigger: Trigger
    risk_score: int | None
    drift: float | None
    objective: float | None
    kkt_residual: float | None
    solver: str | None
    relaxed: tuple[Constraint, ...]
    wealth_cents: int | None
    cash_before_cents: int
    sells_cents: int
    buys_cents: int
    fees_cents: int
    cash_after_cents: int
    sentence: str


@dataclass(frozen=True)
class LotSale:
    """A tax lot that a sell closes, wholly or in part; None: unknown."""

    lot_id: str
    acquired_date: dt.date | None
    quantity_micros: int
    proceeds_cents: int
    basis_cents: int | None
    is_long_term: bool | None
    disallowed_cents: int

    @property
    def gain_cents(self) -> int | None:
        """Proceeds less basis; None where the basis is unknown."""
        return None if self.basis_cents is None else self.proceeds_cents - self.basis_cents


@dataclass(frozen=True)
class TradeFact:
    """A trade, its signed causes along the path, which sum to it, and the lots that it closes."""

    trade_id: str
    account_id: str
    symbol: str
    side: Side
    quantity_micros: int
    price_micros: int
    notional_cents: int
    fee_cents: int
    sequence: int
    status: str
    valid_until: dt.date
    causes_micros: Mapping[str, int]
    sentence: str
    lots: tuple[LotSale, ...]

    @property
    def signed_micros(self) -> int:
        """Quantity bought, below zero where it is sold."""
        return self.quantity_micros if self.side is Side.BUY else -self.quantity_micros


@dataclass(frozen=True)
class Weight:
    """A symbol's target beside what was held when it was made, as fractions of the account."""

    symbol: str
    target: float
    held: float
    lower: float
    upper: float
    is_on_bound: bool
    constraint: Constraint | None
    no_trade: NoTrade | None


@dataclass(frozen=True)
class Forecast:
    """The serving model's log return over the horizon, and its parts by feature, largest first."""

    symbol: str
    model_name: str
    model_version: int
    horizon_sessions: int
    mean: float
    stdev: float
    interval_80: tuple[float | None, float | None]
    interval_95: tuple[float | None, float | None]
    interval_note: str
    confidence: float
    parts: tuple[tuple[str, float | None, float], ...]


@dataclass(frozen=True)
class Goal:
    """A goal, and how likely it is to be reached; see ``goal_projection``."""

    goal_id: str
    kind: GoalKind
    target_cents: int
    target_date: dt.date
    probability: float
    probability_error: float
    wealth_cents: int
    planned_cents: int
    worth_cents: tuple[int, int, int]
    aimed_probability: float
    extra_monthly_cents: int | None
    later_target_date: dt.date | None
    lower_target_cents: int | None
    higher_risk_score: int | None
    best_lever: GoalLever | None
    sentence: str


@dataclass(frozen=True)
class SnapshotFile:
    """A file of the lake; rows of the explained symbols in it, None where it tells none apart."""

    path: str
    digest: str
    rows: int
    rows_of_symbols: int | None


class Instrument(NamedTuple):
    """What a symbol is."""

    name: str
    asset_class: str


@dataclass(frozen=True)
class Issue:
    """An input of a client that could not be used, with what to do about it; no value of it."""

    field: str
    cause: str
    remedy: str
    since: str


class OpenOrder(NamedTuple):
    """A trade that was with the broker when the run began, and how much of it was left then."""

    trade_id: str
    side: Side
    symbol: str
    left_micros: int
    price_micros: int


@dataclass(frozen=True)
class Standing:
    """What an account held as the run knew it, in micros by symbol, its orders, and issues."""

    held_micros: tuple[tuple[str, int], ...]
    orders: tuple[OpenOrder, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class AccountAdvice:
    """All that is known of one account's advice.

    Attributes
    ----------
    tax_kind, share_kind : as the run knew them; None where that version is gone.
    target_run : run that wrote the target; None where none ever did.
    target_outcome : that run's outcome, which certifies the target.
    views : weights by symbol of each view.
    """

    outcome: AccountOutcome
    tax_kind: str | None
    share_kind: str | None
    trades: tuple[TradeFact, ...]
    target_run: Run | None
    target_outcome: AccountOutcome | None
    weights: tuple[Weight, ...]
    views: Mapping[AllocationView, Mapping[str, float]]
    forecasts: tuple[Forecast, ...]
    goal: Goal | None
    standing: Standing

    @property
    def is_target_new(self) -> bool:
        """Whether the explained run wrote the target."""
        return self.outcome.allocation_run_id == self.outcome.run_id


@dataclass(frozen=True)
class Explanation:
    """What was asked for, and what is known of it.

    Attributes
    ----------
    asked : the key as given, of a thing of that ``kind``.
    symbol : the one symbol asked for; None for all.
    files : of the snapshot; those of the symbols explained first.
    """

    asked: str
    kind: str
    symbol: str | None
    run: Run
    instruments: Mapping[str, Instrument]
    accounts: tuple[AccountAdvice, ...]
    files: tuple[SnapshotFile, ...]

    @property
    def title(self) -> str:
        """What is explained, in a few words."""
        return f"{self.kind} {self.asked}, session {self.run.session_date}"
