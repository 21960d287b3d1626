"""What learned models see, declared once: from which column each feature is made, and how.

Features are free of the price level, so that one model can speak of all symbols and times. Left out
are twins of others (``reversal_21d`` is minus ``log_return_21d``), what is counted from a symbol's
first bar, and ages of observations. A feature that a source does not have is null throughout, and
the models leave it out; see :mod:`ml.scaling`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Transform(StrEnum):
    """How a feature is made of its column; what cannot be computed is missing."""

    AS_IS = "as it is"
    LOG = "natural logarithm"
    TO_CLOSE = "over the session's close"
    YEAR_SINE = "sine of the month's place in the year"
    YEAR_COSINE = "cosine of the month's place in the year"


@dataclass(frozen=True)
class Feature:
    """A number that models see, and the column that it is made of."""

    name: str
    column: str
    transform: Transform = Transform.AS_IS


def _plain(*names: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, name) for name in names)


SYMBOL_FEATURES: tuple[Feature, ...] = (
    *_plain(
        "log_return_1d",
        "log_return_5d",
        "log_return_21d",
        "log_return_63d",
        "log_return_252d",
        "momentum_12_1",
        "drawdown_252d",
        "close_to_high_252d",
        "close_to_sma_5",
        "close_to_sma_10",
        "close_to_sma_21",
        "close_to_sma_50",
        "close_to_sma_100",
        "close_to_sma_200",
        "close_to_ema_10",
        "close_to_ema_21",
        "close_to_ema_50",
        "close_to_ema_200",
        "sma_cross_10_50",
        "sma_cross_50_200",
        "ema_cross_10_50",
    ),
    Feature("macd_to_close", "macd_12_26", Transform.TO_CLOSE),
    Feature("macd_histogram_to_close", "macd_histogram_12_26_9", Transform.TO_CLOSE),
    *_plain(
        "rsi_14",
        "bollinger_z_20",
        "bollinger_width_20",
        "vol_21d_annual",
        "vol_63d_annual",
        "vol_252d_annual",
        "parkinson_vol_21d_annual",
        "parkinson_vol_63d_annual",
        "garman_klass_vol_21d_annual",
        "garman_klass_vol_63d_annual",
    ),
    Feature("atr_14_to_close", "atr_14", Transform.TO_CLOSE),
    *_plain("beta_252d", "market_correlation_252d", "volume_z_63d"),
    Feature("log_amihud_21d", "amihud_21d", Transform.LOG),
    Feature("log_dollar_volume_21d", "dollar_volume_21d", Transform.LOG),
    *_plain("momentum_rank", "reversal_rank", "volatility_rank", "dollar_volume_rank"),
)
"""Of one symbol; columns of the warehouse's panel."""

SESSION_FEATURES: tuple[Feature, ...] = (
    *_plain(
        "fed_funds_percent",
        "treasury_2y_percent",
        "treasury_10y_percent",
        "term_spread_percent",
        "unemployment_percent",
    ),
    Feature("log_vix", "vix", Transform.LOG),
    *_plain(
        "fed_funds_change_3m",
        "fed_funds_change_12m",
        "treasury_2y_change_21d",
        "treasury_10y_change_21d",
        "term_spread_change_21d",
        "unemployment_change_3m",
        "unemployment_change_12m",
        "vix_change_21d",
        "inflation_12m",
        "payrolls_growth_3m",
        "industrial_production_growth_12m",
        "retail_sales_growth_12m",
        "sessions_to_month_end",
        "sessions_to_quarter_end",
        "days_to_next_session",
        "is_turn_of_month",
        "is_option_expiry",
    ),
    Feature("year_sine", "month", Transform.YEAR_SINE),
    Feature("year_cosine", "month", Transform.YEAR_COSINE),
)
"""Of a session, shared by all symbols; columns of the warehouse's mart ``session_features``.

A horizon of five sessions begins on any weekday alike, and half days are too rare to learn from.
"""

FEATURES: tuple[str, ...] = tuple(feature.name for feature in (*SYMBOL_FEATURES, *SESSION_FEATURES))
"""Names of all of them, those of symbols first."""
