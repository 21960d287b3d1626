"""Every number that decides what is advised, in one record with a digest of its own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from models.vocabulary import HORIZON_SESSIONS, AssetClass, GoalKind
from pipelines.lineage import json_digest


@dataclass(frozen=True)
class ClassLimit:
    """Largest weights in one asset class: of any of its symbols, and of all of them together."""

    symbol_weight: float
    class_weight: float


_CLASS_LIMITS = {
    AssetClass.TECHNOLOGY: ClassLimit(0.15, 0.35),
    AssetClass.FINANCIALS: ClassLimit(0.15, 0.30),
    AssetClass.HEALTH_CARE: ClassLimit(0.15, 0.35),
    AssetClass.CONSUMER: ClassLimit(0.15, 0.35),
    AssetClass.ENERGY: ClassLimit(0.10, 0.20),
    AssetClass.INDUSTRIALS: ClassLimit(0.10, 0.20),
    AssetClass.FACTOR: ClassLimit(0.35, 0.70),
    AssetClass.INDEX: ClassLimit(0.50, 1.00),
    AssetClass.US_EQUITY: ClassLimit(0.50, 0.80),
    AssetClass.INTERNATIONAL_EQUITY: ClassLimit(0.30, 0.50),
    AssetClass.BOND: ClassLimit(0.50, 1.00),
    AssetClass.INFLATION_LINKED: ClassLimit(0.25, 0.50),
    AssetClass.REAL_ESTATE: ClassLimit(0.15, 0.25),
    AssetClass.COMMODITY: ClassLimit(0.10, 0.15),
    AssetClass.VOLATILITY: ClassLimit(0.0, 0.0),
    AssetClass.UNCLASSIFIED: ClassLimit(0.0, 0.0),
}
"""Every class has its limit; nobody is advised to hold volatility, or what nobody classified."""

_SAFE_CLASSES = (AssetClass.BOND, AssetClass.INFLATION_LINKED)
"""What the suitable share of risky investments does not count, besides cash. All else is risky."""

GlideCurve = tuple[tuple[float, float], ...]
"""Years before the target date, ascending, and the highest risk score then; straight between."""

_GLIDE_PATHS: Mapping[GoalKind, GlideCurve] = {
    GoalKind.RETIREMENT: ((-7.0, 30.0), (0.0, 50.0), (25.0, 90.0)),
    GoalKind.HOUSE: ((1.0, 1.0), (10.0, 80.0)),
    GoalKind.EDUCATION: ((0.0, 1.0), (15.0, 95.0)),
    GoalKind.EMERGENCY_FUND: ((0.0, 10.0),),
    GoalKind.WEALTH: ((0.0, 100.0),),
}
"""The highest score is also the highest percentage of risky investments. Retirement follows the
stock shares of Vanguard's Target Retirement Funds (90 % until 25 years before, 50 % at the date,
30 % seven years later), education begins like its Target Enrollment Portfolios (95 % at 15 years)
and, as the bill has a date, ends in cash; a house is in cash for its last year. An emergency fund
may be needed any day."""


class Destination(StrEnum):
    """How far an account that drifted is brought back."""

    TARGET = "target"
    BAND_EDGE = "band_edge"


@dataclass(frozen=True)
class Policy:
    """The house's rules. Weights are fractions of an account's worth, volatilities annual.

    Attributes
    ----------
    class_limits : largest weights by asset class.
    safe_classes : those that the suitable share of risky investments does not count.
    glide_paths : highest risk score by kind of goal and years until its date.
    stress_deviations : the loss that a client must be able to bear, in annual volatilities below
        no return at all: the worst year in a hundred if returns were normal.
    cash_floor_weight : cash that every target keeps.
    minimum_invested_share : share of the exposure that the risk score asks for which must be
        invested whatever forecasts say; the one limit that may be relaxed.
    lowest_target_vol, highest_target_vol : annual volatility asked for by risk scores 1 and 100.
    reference_risk_aversion : aversion at which the reference portfolio is optimal; it sets the
        level of the equilibrium prior.
    tau : uncertainty of the prior relative to the covariance. It cancels where, as here, the
        views' uncertainty is proportional to it.
    risk_free_rate : what cash earns in a year; assumed, since the sample has no rates.
    covariance_half_life_sessions, covariance_window_sessions : of today's covariance.
    long_run_window_sessions : of the long-run covariance.
    minimum_history_sessions : sessions on which a symbol's price must have moved before it may be
        bought.
    largest_condition_number : eigenvalues are lifted until the covariance's is not above it.
    cost_bps : spread and fees of a trade, of its notional.
    holding_sessions : how long what is bought is expected to be held. A trade is paid once and
        earns for so long, so one horizon is charged with its share of cost and tax; see
        :attr:`cost_share`.
    absolute_band, relative_band, narrowest_band : an account trades when a weight is further
        from its target than the smaller of the absolute band and the relative band times the
        target, but never for less than the narrowest band.
    cooldown_sessions : for so long after a trade drift alone is no reason for another.
    cash_flow_weight : external cash is acted on from this share of an account's worth.
    max_turnover : largest sum of weights bought and sold in one rebalance; none for first advice,
        after a change of profile, or where cash is needed.
    destination : where an account goes that drifted.
    aimed_probability : what a goal's levers would raise its probability of success to.
    minimum_notional_cents : a smaller trade is not made, unless it sells a whole position.
    fractional_lot_micros : smallest step of a fractional position.
    trade_valid_sessions : sessions after the run's in which a trade may be executed.
    short_term_tax_rate, long_term_tax_rate : of gains held for a year at most, and for longer;
        assumed, since nobody tells us a client's bracket.
    tax_lookahead_share : the marginal tax of a symbol is that of selling this share of it.
    wash_sale_minimum_loss_cents : a loss below it, of a client in one substitute group, blocks no
        purchase.
    harvest_minimum_loss_cents, harvest_minimum_loss_share : losses are harvested in lots that lost
        this share of their basis, where a symbol's lots lost so much together.
    kkt_tolerance : largest scaled violation of the optimality conditions that is accepted.
    """

    class_limits: Mapping[AssetClass, ClassLimit] = field(
        default_factory=lambda: MappingProxyType(_CLASS_LIMITS)
    )
    safe_classes: tuple[AssetClass, ...] = _SAFE_CLASSES
    glide_paths: Mapping[GoalKind, GlideCurve] = field(
        default_factory=lambda: MappingProxyType(_GLIDE_PATHS)
    )
    stress_deviations: float = 2.33
    cash_floor_weight: float = 0.01
    minimum_invested_share: float = 0.50
    lowest_target_vol: float = 0.01
    highest_target_vol: float = 0.20
    reference_risk_aversion: float = 2.5
    tau: float = 0.05
    risk_free_rate: float = 0.02
    covariance_half_life_sessions: int = 126
    covariance_window_sessions: int = 1260
    long_run_window_sessions: int = 2520
    minimum_history_sessions: int = 252
    largest_condition_number: float = 1e6
    cost_bps: int = 5
    holding_sessions: int = 252
    absolute_band: float = 0.05
    relative_band: float = 0.25
    narrowest_band: float = 0.01
    cooldown_sessions: int = 5
    cash_flow_weight: float = 0.01
    max_turnover: float = 0.30
    destination: Destination = Destination.TARGET
    aimed_probability: float = 0.80
    minimum_notional_cents: int = 1_000
    fractional_lot_micros: int = 1_000
    trade_valid_sessions: int = 1
    short_term_tax_rate: float = 0.24
    long_term_tax_rate: float = 0.15
    tax_lookahead_share: float = 0.25
    wash_sale_minimum_loss_cents: int = 1_000
    harvest_minimum_loss_cents: int = 10_000
    harvest_minimum_loss_share: float = 0.05
    kkt_tolerance: float = 1e-8

    @property
    def cost_share(self) -> float:
        """Share of a trade's cost and tax that the utility of one horizon is charged with."""
        return HORIZON_SESSIONS / self.holding_sessions

    def __reduce__(self) -> tuple[object, ...]:
        # Views of dictionaries cannot travel to worker processes; there they are made anew.
        rules = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return _policy_of, ({name: _plain(rule) for name, rule in rules.items()},)

    def digest(self) -> str:
        """Return the SHA-256 of all rules, in hex; part of every run's ``config_hash``."""
        rules = {name: getattr(self, name) for name in self.__dataclass_fields__}
        limits = {name.value: asdict(limit) for name, limit in self.class_limits.items()}
        paths = {kind.value: curve for kind, curve in self.glide_paths.items()}
        return json_digest(rules | {"class_limits": limits, "glide_paths": paths})


def _plain(rule: object) -> object:
    return dict(rule) if isinstance(rule, Mapping) else rule


def _policy_of(rules: Mapping[str, Any]) -> Policy:
    made: dict[str, Any] = {
        name: MappingProxyType(rule) if isinstance(rule, dict) else rule
        for name, rule in rules.items()
    }
    return Policy(**made)


POLICY = Policy()
"""The rules of this release."""
