"""The panel: every accepted bar of every symbol with its point-in-time features, in one dataset.

A **window** of n sessions is the symbol's last n accepted bars, this session's included. Prices of
a window are taken **in the terms of its last session's share**: divided by what one share held
then has grown to since (splits, and distributions reinvested at the close of their ex-date);
volumes are multiplied by splits alone. A value depends on nothing outside of its window, and is
null until the window is full or where an input is missing. Columns that say **anchored** are
counted from the symbol's first accepted bar instead.

What differs by less than 1e-12 of itself differs by rounding only: such a total-return close did
not move, and such a window has no deviation to be measured in.

``single`` columns are computed in binary64 and rounded once, to binary32, when they are stored.
"""

from models.declaration import Column, Table, date, integer, number, single, text, timestamp
from models.vocabulary import KnownAtBasis, PriceBasis, Source

RETURN_SPANS = (5, 21, 63, 252)
SMA_SPANS = (5, 10, 21, 50, 100, 200)
EMA_SPANS = (5, 10, 12, 21, 26, 50, 100, 200)
VOLATILITY_SPANS = (21, 63, 252)
RANGE_SPANS = (21, 63)
WARM_UP_SPANS = 4
"""An exponential mean of span n is taken over its last 4n values: the weight cut off is 0.03 %."""
WILDER_PERIOD = 14
WILDER_WINDOW = 8 * WILDER_PERIOD
"""Wilder's mean of period n (weights (1 - 1/n) ^ age) over 8n values: 0.02 % is cut off."""
RANKED = {
    "momentum_rank": "momentum_12_1",
    "reversal_rank": "reversal_21d",
    "volatility_rank": "vol_63d_annual",
    "dollar_volume_rank": "dollar_volume_21d",
}
"""Cross-sectional ranks, and what each ranks; ``reversal_21d`` is minus ``log_return_21d``."""


def _annual(span: int) -> str:
    return f"over {span} sessions, times sqrt(252)"


BAR = (
    text("source", "provider of the bar", allowed=Source),
    text("symbol", "the provider's symbol"),
    date("session_date", "exchange session of the bar; features end with its close"),
    number("open", "first price as traded", "USD per share", nullable=True),
    number("high", "highest price as traded", "USD per share", nullable=True),
    number("low", "lowest price as traded", "USD per share", nullable=True),
    number("close", "last price as traded", "USD per share"),
    integer("close_micros", "close rounded half-even to millionths", "micros of USD per share"),
    number("volume", "shares traded as traded", "shares", nullable=True),
    text("price_basis", "what the prices already contain", allowed=PriceBasis),
    timestamp("known_at", "when this version could be known"),
    text("known_at_basis", "how known_at came about", allowed=KnownAtBasis),
)
"""The accepted bar itself."""

ANCHORED = (
    integer("session_number", "anchored: accepted bars of the symbol so far, from 1", "count"),
    number(
        "cumulative_share_ratio",
        "anchored: shares that one share of the first bar has become by splits; 1 at the first",
        "shares per share",
    ),
    number(
        "cumulative_growth",
        "anchored: growth of one share of the first bar by splits and reinvested distributions, "
        "price moves apart; 1 at the first",
        "shares per share",
    ),
    number(
        "obv",
        "anchored: on-balance volume, the sum of volumes of rising less those of falling "
        "total-return closes, in shares of the first bar; 0 at the first; null from the first "
        "missing volume on, be it the first bar's",
        "shares of the first bar",
        nullable=True,
    ),
)
"""What is counted from a symbol's first accepted bar, one bar after the other."""

RETURNS = (
    number("log_return_1d", "log total return since the bar before", "log return", nullable=True),
    *(
        single(
            f"log_return_{span}d",
            f"log total return since {span} bars ago",
            "log return",
            nullable=True,
        )
        for span in RETURN_SPANS
    ),
    single(
        "momentum_12_1",
        "log total return from 252 to 21 bars ago: the year's without its last month",
        "log return",
        nullable=True,
    ),
    single(
        "drawdown_252d",
        "total return since the highest close of 252 sessions, in own terms",
        "fraction",
        nullable=True,
        at_least=-1,
        at_most=0,
    ),
    single(
        "close_to_high_252d",
        "close / highest high of 252 sessions - 1, adjusted for splits only (52-week high)",
        "fraction",
        nullable=True,
        at_least=-1,
    ),
)

AVERAGES = (
    *(
        single(
            f"close_to_sma_{span}",
            f"close / mean close of {span} sessions - 1",
            "fraction",
            nullable=True,
            at_least=-1,
        )
        for span in SMA_SPANS
    ),
    *(
        single(
            f"close_to_ema_{span}",
            f"close / exponential mean close - 1; weights (1 - 2 / {span + 1}) ^ age over "
            f"{WARM_UP_SPANS * span} sessions, scaled to sum to 1",
            "fraction",
            nullable=True,
            at_least=-1,
        )
        for span in EMA_SPANS
    ),
    single("sma_cross_10_50", "sma_10 / sma_50 - 1", "fraction", nullable=True),
    single("sma_cross_50_200", "sma_50 / sma_200 - 1", "fraction", nullable=True),
    single("ema_cross_10_50", "ema_10 / ema_50 - 1", "fraction", nullable=True),
    single("macd_12_26", "ema_12 - ema_26", "USD per share", nullable=True),
    single(
        "macd_histogram_12_26_9",
        "macd_12_26 less its own exponential mean of span 9 over 36 sessions, in own terms",
        "USD per share",
        nullable=True,
    ),
    single(
        "rsi_14",
        "relative strength index: 100 * gains / (gains + losses) of closes, both Wilder means of "
        f"period 14 over {WILDER_WINDOW} changes, in own terms; 50 where nothing moved",
        "0..100",
        nullable=True,
        at_least=0,
        at_most=100,
    ),
    single(
        "bollinger_z_20",
        "close less the mean of 20 closes, over their population standard deviation; null where "
        "that is 0",
        "standard deviations",
        nullable=True,
    ),
    single(
        "bollinger_width_20",
        "four population standard deviations of 20 closes over their mean",
        "fraction",
        nullable=True,
        at_least=0,
    ),
)

RISK = (
    *(
        single(
            f"vol_{span}d_annual",
            f"realised volatility: sample standard deviation of log_return_1d {_annual(span)}",
            "log return per sqrt(year)",
            nullable=True,
            at_least=0,
        )
        for span in VOLATILITY_SPANS
    ),
    *(
        single(
            f"parkinson_vol_{span}d_annual",
            f"Parkinson volatility: sqrt of the mean of ln(high/low)^2 / (4 ln 2) {_annual(span)}",
            "log return per sqrt(year)",
            nullable=True,
            at_least=0,
        )
        for span in RANGE_SPANS
    ),
    *(
        single(
            f"garman_klass_vol_{span}d_annual",
            "Garman-Klass volatility: sqrt of the mean of ln(high/low)^2 / 2 - (2 ln 2 - 1) "
            f"ln(close/open)^2 {_annual(span)}; null where that mean is below 0",
            "log return per sqrt(year)",
            nullable=True,
            at_least=0,
        )
        for span in RANGE_SPANS
    ),
    single(
        "atr_14",
        f"average true range: Wilder mean of period 14 over {WILDER_WINDOW} true ranges (widest "
        "of high - low and of both to the close before), in own terms",
        "USD per share",
        nullable=True,
        at_least=0,
    ),
    single(
        "beta_252d",
        "covariance over variance of 252 log returns to those of the market between the same two "
        "sessions; null where the market did not move",
        "ratio",
        nullable=True,
    ),
    single(
        "market_correlation_252d",
        "correlation of the same; null where either did not move",
        "fraction",
        nullable=True,
        at_least=-1,
        at_most=1,
    ),
)

LIQUIDITY = (
    number("dollar_volume", "close times volume", "USD", nullable=True, at_least=0),
    number(
        "dollar_volume_21d",
        "mean dollar volume of 21 sessions",
        "USD per session",
        nullable=True,
        at_least=0,
    ),
    single(
        "volume_z_63d",
        "volume less its mean over 63 sessions, over their sample standard deviation, adjusted for "
        "splits; null where that is 0",
        "standard deviations",
        nullable=True,
    ),
    single(
        "amihud_21d",
        "Amihud illiquidity: mean over 21 sessions of absolute simple return per million dollars "
        "of volume; null where a session had none",
        "fraction per million USD",
        nullable=True,
        at_least=0,
    ),
)

RANKS = tuple(
    single(
        rank,
        f"percent rank of {of} among the session's members that have one, 0 lowest to 1 highest, "
        "ties share the lower rank; indices are not ranked; null where fewer than two have one",
        "fraction",
        nullable=True,
        at_least=0,
        at_most=1,
    )
    for rank, of in RANKED.items()
)

SYMBOL_FEATURES: tuple[Column, ...] = (*RETURNS, *AVERAGES, *RISK, *LIQUIDITY)
"""Features of one symbol's own bars (and the market's), in stored order."""

PANEL = Table(
    name="panel",
    grain="one row per symbol and session: the newest accepted version of its bar",
    key=("symbol", "session_date"),
    columns=(*BAR, *ANCHORED, *SYMBOL_FEATURES, *RANKS),
)

LAST_BAR = Table(
    name="last_bar",
    grain="one row per symbol that has a bar: its newest one, and what is counted up to it",
    key=("symbol",),
    columns=(
        text("symbol", "the provider's symbol"),
        date("first_session_date", "session of its first accepted bar"),
        integer("session_count", "accepted bars", "count", at_least=1),
        date("session_date", "session of its newest accepted bar"),
        integer(
            "close_micros",
            "close of that bar rounded half-even to millionths",
            "micros of USD per share",
        ),
        text("price_basis", "what its prices already contain", allowed=PriceBasis),
        *ANCHORED[1:],
    ),
)
"""Where the panel ends per symbol: what an incremental build goes on from."""
