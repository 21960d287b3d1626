"""Rules for price bars at the raw boundary, in two suites.

``BAR_SUITE`` judges each bar by itself. ``HISTORY_SUITE`` judges the bars that passed beside their
symbol's own accepted past and their session's other bars, never beside what comes later, so a
verdict does not change when the lake grows. What is derived for that stands in
``EXCHANGE_COLUMNS`` and ``HISTORY_COLUMNS``; ``docs/quality.md`` says where each limit comes from.
"""

import math

from expectations.rules import (
    Between,
    NotBelow,
    Present,
    Rule,
    Suite,
    columns_are_declared,
    declared,
    is_between,
    is_not_below,
    is_present,
)
from models.lake import PRICES
from models.vocabulary import AssetClass

HIGHEST_PRICE = 10_000_000.0
"""Above any price or index level ever quoted in dollars."""

MOST_SHARES = 1e12
"""Above any day's volume; a larger number is an overflow."""

MOST_VOLUME_RATIO = 2_000.0
"""Largest volume over its own mean of the last sessions; a wrapped counter lies above it."""

SINGLE_STOCKS = frozenset(
    {
        AssetClass.TECHNOLOGY,
        AssetClass.FINANCIALS,
        AssetClass.HEALTH_CARE,
        AssetClass.CONSUMER,
        AssetClass.ENERGY,
        AssetClass.INDUSTRIALS,
        AssetClass.UNCLASSIFIED,
        AssetClass.VOLATILITY,
    }
)
"""Classes whose price may move like one company's. Every other class is a basket."""

LONGEST_HOLE_SESSIONS = 63
"""A ticker that comes back after a longer hole may be another company's."""

TOLERATED_GAP_TO_ADJUSTED = 0.004
"""Largest difference between our return and the source's adjusted one. Two formulae for the
dividend of the day differ by dividend yield times return, which stays below it."""

EXCHANGE_COLUMNS = ("exchange_closed_at", "instrument")
"""When the bar's session ended (null: the exchange was closed), and the instrument it is of
(null: unknown)."""

HISTORY_COLUMNS = (
    "log_move",
    "upper_move",
    "lower_move",
    "gap_to_adjusted",
    "split_likeness",
    "unchanged_sessions",
    "unchanged_limit",
    "hole_sessions",
    "volume_ratio",
    "bars_repeated",
    "bars_shared",
    "bars_flat",
)

_JUMP = (
    "Look for a wrong unit, a split or another company under the symbol. The symbol keeps its "
    "last accepted close until the source delivers one near it, or until somebody who has looked "
    "releases the bars (`smartinvest quarantine release`)."
)

BAR_SUITE = Suite(
    "prices_bar",
    (
        columns_are_declared(PRICES),
        *declared(PRICES),
        is_present("close"),
        *(is_between(name, 0, HIGHEST_PRICE, above=True) for name in PRICES.column_names[3:7]),
        is_between("volume", 0, MOST_SHARES),
        *(is_not_below("high", name) for name in ("low", "open", "close")),
        *(is_not_below(name, "low") for name in ("open", "close")),
        Rule(
            "session_is_open",
            Present("exchange_closed_at"),
            "the exchange was closed on that day",
            "The bar stays out. Ask the source why it has one for a day without trading.",
            shows=("session_date",),
        ),
        Rule(
            "session_is_over",
            NotBelow("known_at", "exchange_closed_at"),
            "the bar was delivered before its session had ended",
            "Ingest again after the close: the finished bar is a new version.",
            shows=("session_date", "known_at"),
        ),
        Rule(
            "session_is_not_later",
            NotBelow("ingest_session", "session_date"),
            "the bar speaks of a session after the one that was asked for",
            "The bar stays out; the ingest of its own session brings it again.",
            shows=("session_date", "ingest_session"),
        ),
        Rule(
            "symbol_is_known",
            Present("instrument"),
            "the symbol is not in the instrument reference",
            "Add the symbol to the source's instrument reference: bars that arrive or change "
            "after that are judged with it. This one stays out.",
            shows=("symbol",),
        ),
    ),
)
"""What each bar must satisfy by itself."""

HISTORY_SUITE = Suite(
    "prices_history",
    (
        Rule(
            "move_is_plausible",
            NotBelow("upper_move", "log_move"),
            "the close lies further above the last accepted close than this instrument moves",
            _JUMP,
            shows=("close", "log_move", "upper_move"),
        ),
        Rule(
            "fall_is_plausible",
            NotBelow("log_move", "lower_move"),
            "the close lies further below the last accepted close than this instrument moves",
            _JUMP,
            shows=("close", "log_move", "lower_move"),
        ),
        Rule(
            "adjusted_return_agrees",
            Between("gap_to_adjusted", at_most=TOLERATED_GAP_TO_ADJUSTED),
            "the return since the bar before is not that of the source's own adjusted close",
            "A close is wrong, or one side does not know a split or a dividend. Compare the "
            "source's actions with another source.",
            shows=("close", "adjusted_return_1d", "gap_to_adjusted"),
        ),
        Rule(
            "overnight_gap_is_no_split",
            Between("split_likeness", at_most=0),
            "the opening gap is that of a split which the source's actions do not have, and no "
            "unusual volume speaks for a real move",
            _JUMP,
            shows=("open", "log_move", "volume_ratio"),
        ),
        Rule(
            "price_is_not_stale",
            NotBelow("unchanged_limit", "unchanged_sessions"),
            "the close has not changed for longer than this instrument's closes do",
            shows=("close", "unchanged_sessions", "unchanged_limit"),
        ),
        Rule(
            "bar_is_not_repeated",
            Between("bars_repeated", at_most=0),
            "prices and volume repeat those of the bar before",
            shows=("close", "volume"),
        ),
        Rule(
            "bar_is_not_flat",
            Between("bars_flat", at_most=0),
            "shares traded, and all prices are the close before; the symbol had no such bar lately",
            shows=("close", "volume", "volume_ratio"),
        ),
        Rule(
            "bar_is_not_shared",
            Between("bars_shared", at_most=0),
            "prices and volume are those of another symbol, whose close was another before",
            shows=("close", "volume"),
        ),
        Rule(
            "symbol_has_no_long_hole",
            Between("hole_sessions", at_most=LONGEST_HOLE_SESSIONS),
            f"there is no accepted bar in the {LONGEST_HOLE_SESSIONS} sessions before it",
            "The symbol may be another company's by now. Compare the names; if it is the same "
            "one, release the bars (`smartinvest quarantine release`).",
            shows=("close", "hole_sessions"),
        ),
        Rule(
            "volume_is_plausible",
            Between("volume_ratio", at_most=MOST_VOLUME_RATIO),
            f"the volume is more than {MOST_VOLUME_RATIO:,.0f} times its usual one",
            shows=("volume", "volume_ratio"),
        ),
    ),
)
"""What each bar must satisfy given its symbol's accepted past."""

HIGHEST_MOVE = math.log(3)
"""No limit of a single stock lies above it."""
