"""The words that text columns may hold."""

from enum import StrEnum

CASH = "$CASH"
"""The symbol under which cash stands next to the instruments (price 1, quantity in micros)."""

MICROS = 1_000_000
"""Quantities and prices are integers in millionths."""

MICROS_PER_CENT = 10_000
"""A cash quantity in micros for each cent."""

HORIZON_SESSIONS = 21
"""The one horizon of views, covariance and risk aversion inside the optimiser."""

FORECAST_HORIZONS_SESSIONS = (5, HORIZON_SESSIONS)
"""How far ahead models forecast, ascending; the last one is the optimiser's."""

INTERVAL_LEVELS = (0.8, 0.95)
"""Shares of outcomes that forecasts' intervals are to hold."""

BASELINE_PART = "$BASELINE"
"""What a model forecasts without any feature, among the parts of a forecast."""

OTHER_PARTS = "$OTHER"
"""What all features make together that are not named among the parts of a forecast."""

STALE_AFTER_SESSIONS = 5
"""How many sessions a last accepted close may stand in for missing later ones, and no longer."""

MARKET_SYMBOLS = ("SPY", "SP500", "^GSPC")
"""What stands for the market in betas: the first of these that a build has bars of."""


class Source(StrEnum):
    """Where market data comes from."""

    SAMPLE = "sample"
    YAHOO = "yahoo"
    FILES = "files"
    SIMULATED = "simulated"


class TrainingProfile(StrEnum):
    """How much work a training does."""

    QUICK = "quick"
    FULL = "full"


class KnownAtBasis(StrEnum):
    """How ``known_at`` came about: seen by our own polling, dated by the source, or by rule."""

    OBSERVED = "observed"
    VINTAGE = "vintage"
    ASSUMED = "assumed"


class Arrival(StrEnum):
    """How a source's data comes: history loaded in bulk, or polled session by session."""

    BULK = "bulk"
    POLLED = "polled"


class PriceBasis(StrEnum):
    """What a delivered price already contains."""

    AS_TRADED = "as_traded"
    SPLIT_ADJUSTED = "split_adjusted"
    TOTAL_RETURN = "total_return"


class ActionKind(StrEnum):
    """Corporate actions that change what a share is worth overnight."""

    DIVIDEND = "dividend"
    CAPITAL_GAIN = "capital_gain"
    SPLIT = "split"


class AssetClass(StrEnum):
    """Classes that allocation bounds and exclusions speak of."""

    TECHNOLOGY = "technology"
    FINANCIALS = "financials"
    HEALTH_CARE = "health_care"
    CONSUMER = "consumer"
    ENERGY = "energy"
    INDUSTRIALS = "industrials"
    FACTOR = "factor"
    INDEX = "index"
    US_EQUITY = "us_equity"
    INTERNATIONAL_EQUITY = "international_equity"
    BOND = "bond"
    INFLATION_LINKED = "inflation_linked"
    REAL_ESTATE = "real_estate"
    COMMODITY = "commodity"
    VOLATILITY = "volatility"
    UNCLASSIFIED = "unclassified"


class GoalKind(StrEnum):
    """What the money is for."""

    RETIREMENT = "retirement"
    HOUSE = "house"
    EDUCATION = "education"
    EMERGENCY_FUND = "emergency_fund"
    WEALTH = "wealth"


class TaxKind(StrEnum):
    """How an account is taxed."""

    TAXABLE = "taxable"
    TAX_DEFERRED = "tax_deferred"
    TAX_FREE = "tax_free"


class ShareKind(StrEnum):
    """Whether an account may hold fractions of a share."""

    WHOLE = "whole"
    FRACTIONAL = "fractional"


class PreferenceKind(StrEnum):
    """What a client may ask for: leave out a symbol or a class, or cap every symbol's weight."""

    EXCLUDE_SYMBOL = "exclude_symbol"
    EXCLUDE_CLASS = "exclude_class"
    MAX_SYMBOL_WEIGHT = "max_symbol_weight"


class RunStatus(StrEnum):
    """The life of an advice run; readers see ``published`` only."""

    BUILDING = "building"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class ChoiceDecision(StrEnum):
    """How the training that serves a session came to do so."""

    RETRAINED = "retrained"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"


class ModelRole(StrEnum):
    """Why a model serves: it beat the others, or none did and it is the best baseline."""

    CHAMPION = "champion"
    BASELINE = "baseline"


class ScoredPeriod(StrEnum):
    """Which forecasts a score is of: those that chose, those kept for the end, those lived."""

    VALIDATION = "validation"
    TEST = "test"
    LIVE = "live"


class Side(StrEnum):
    """Direction of a trade."""

    BUY = "buy"
    SELL = "sell"


class TradeStatus(StrEnum):
    """The life of a trade."""

    PROPOSED = "proposed"
    SENT = "sent"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What a run did with an account; exactly one each."""

    REBALANCED = "rebalanced"
    WITHIN_BAND = "within_band"
    RELAXED = "relaxed"
    HELD = "held"
    BLOCKED = "blocked"
    FAILED = "failed"


class Trigger(StrEnum):
    """Why an account was traded or not; where several hold, the first of these is named."""

    FIRST_ADVICE = "first_advice"
    PROFILE_CHANGE = "profile_change"
    CONSTRAINT_CHANGE = "constraint_change"
    CASH_FLOW = "cash_flow"
    DRIFT = "drift"
    HARVEST = "harvest"
    NONE = "none"


class NoTrade(StrEnum):
    """Why a symbol whose target differs from what is held is not traded."""

    WITHIN_BAND = "within_band"
    COOLDOWN = "cooldown"
    LESS_THAN_A_LOT = "less_than_a_lot"
    BELOW_MINIMUM = "below_minimum"
    CASH_SHORT = "cash_short"
    WASH_SALE = "wash_sale"
    OPEN_ORDER = "open_order"
    HELD = "held"


class Constraint(StrEnum):
    """What a target keeps to, in the order in which it gives way; the last two never do."""

    TURNOVER = "turnover"
    MINIMUM_INVESTED = "minimum_invested"
    CLASS_LIMIT = "class_limit"
    SYMBOL_LIMIT = "symbol_limit"
    SUITABILITY = "suitability"
    CLIENT_WISH = "client_wish"


class ShardStatus(StrEnum):
    """The life of a part of a run: some clients' accounts."""

    WRITTEN = "written"
    FAILED = "failed"


class TaskState(StrEnum):
    """How a try of a task ended, in Airflow's words."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    SKIPPED = "skipped"


class CashFlowKind(StrEnum):
    """Direction of external cash."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


class Frequency(StrEnum):
    """How often a planned cash flow is paid."""

    ONCE = "once"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class CashFlowStatus(StrEnum):
    """The life of a planned cash flow; ``settled`` once every payment is a transaction."""

    PLANNED = "planned"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class TransactionKind(StrEnum):
    """What happened in an account; buys and sells with a trade are its fills."""

    BUY = "buy"
    SELL = "sell"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    FEE = "fee"
    TAX = "tax"
    SPLIT = "split"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"


class Verdict(StrEnum):
    """A client's answer to advice."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    POSTPONED = "postponed"


class FeedbackReason(StrEnum):
    """Why a client answered so; words of a list, since free text may name a person."""

    TOO_RISKY = "too_risky"
    TOO_CAUTIOUS = "too_cautious"
    TOO_MANY_TRADES = "too_many_trades"
    TOO_COSTLY = "too_costly"
    TAX = "tax"
    NEEDS_CASH = "needs_cash"
    DISLIKES_INSTRUMENT = "dislikes_instrument"
    NOT_UNDERSTOOD = "not_understood"
    OTHER = "other"


class Attribution(StrEnum):
    """How a forecast is split over features."""

    LINEAR_TERMS = "linear_terms"
    INTEGRATED_GRADIENTS = "integrated_gradients"
    SHAPLEY_VALUES = "shapley_values"
    AVERAGE = "average"


class AllocationView(StrEnum):
    """Whose forecasts an allocation follows: the network's, the moving averages', nobody's."""

    LSTM = "lstm"
    MA = "ma"
    NONE = "none"


class GoalLever(StrEnum):
    """What a client can do about a goal that is likely to be missed."""

    SAVE_MORE = "save_more"
    WAIT_LONGER = "wait_longer"
    WANT_LESS = "want_less"
    TAKE_MORE_RISK = "take_more_risk"


class AuditAction(StrEnum):
    """What was done to a row of the store."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
