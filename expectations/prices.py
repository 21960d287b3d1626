"""Expectations of price bars at the raw boundary, in two suites.

The first judges each bar by itself. The second judges the bars that passed against their symbol's
own accepted past, never against what comes later, so a verdict does not change when the lake
grows. Its batch carries three derived columns:

``asset_class``
    class of the instrument.
``log_move``
    log of the close over the last accepted close before it; null for a symbol's first bar.
``unchanged_sessions``
    bars in a row, up to this one, that repeat the close before them.
"""

import datetime as dt
import math
from collections.abc import Iterable

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from expectations.rules import (
    columns_are_declared,
    declared,
    is_between,
    is_not_below,
    is_one_of,
    is_present,
    rule,
)
from models.lake import PRICES
from models.vocabulary import AssetClass

HIGHEST_PRICE = 10_000_000.0
"""Above any price or index level ever quoted in dollars."""

MOST_SHARES = 1e12
"""Above any day's volume; a larger number is an overflow."""

DIVERSIFIED = (AssetClass.FACTOR, AssetClass.INDEX)
DIVERSIFIED_MOVE_LIMIT = 0.35
"""Largest log move of a basket of many stocks. 19 October 1987 was -0.229, 16 March 2020 -0.128."""

SINGLE_MOVE_LIMIT = math.log(3)
"""Largest log move of one stock. Apple's -0.731 on 29 September 2000 was real, so a limit cannot
tell a two-for-one split from a real fall; it is there for wrong units, digits and symbols."""

STALE_AFTER_SESSIONS = 21
"""A close that repeats for longer is no longer a price of the day."""


def move_limit(asset_class: str | None) -> float:
    """Return the largest plausible absolute log move of an instrument of a class."""
    return DIVERSIFIED_MOVE_LIMIT if asset_class in DIVERSIFIED else SINGLE_MOVE_LIMIT


def bar_suite(sessions: Iterable[dt.date], symbols: Iterable[str]) -> gx.ExpectationSuite:
    """Return what each bar must satisfy by itself.

    Parameters
    ----------
    sessions : the exchange's sessions over the batch's dates.
    symbols : the instruments that the source's reference knows.
    """
    prices = ("open", "high", "low", "close")
    return gx.ExpectationSuite(
        name="prices_bar",
        expectations=[
            columns_are_declared(PRICES),
            *declared(PRICES),
            is_present("close"),
            *(is_between(name, 0, HIGHEST_PRICE, above=True) for name in prices),
            is_between("volume", 0, MOST_SHARES),
            *(is_not_below("high", name) for name in ("low", "open", "close")),
            *(is_not_below(name, "low") for name in ("open", "close")),
            is_one_of(
                "session_date",
                sorted(sessions),
                "session_is_open",
                "the exchange was closed on that day",
                "The bar stays out. Ask the source why it has one for a day without trading.",
            ),
            is_one_of(
                "symbol",
                sorted(symbols),
                "symbol_is_known",
                "the symbol is not in the instrument reference",
                "Add the symbol to the source's instrument reference: bars that arrive or change "
                "after that are judged with it. This one stays out.",
            ),
        ],
    )


def history_suite() -> gx.ExpectationSuite:
    """Return what each bar must satisfy given its symbol's accepted past."""
    diversified = [asset_class.value for asset_class in DIVERSIFIED]
    asset_class = Column("asset_class")
    return gx.ExpectationSuite(
        name="prices_history",
        expectations=[
            _move_within(
                SINGLE_MOVE_LIMIT, "move_is_plausible", asset_class.is_not_in(diversified)
            ),
            _move_within(
                DIVERSIFIED_MOVE_LIMIT, "basket_move_is_plausible", asset_class.is_in(diversified)
            ),
            rule(
                gxe.ExpectColumnValuesToBeBetween,
                "price_is_not_stale",
                f"the close has not changed for more than {STALE_AFTER_SESSIONS} sessions",
                shows=("close", "unchanged_sessions"),
                column="unchanged_sessions",
                max_value=STALE_AFTER_SESSIONS,
            ),
        ],
    )


def _move_within(limit: float, name: str, condition: object) -> gxe.Expectation:
    return rule(
        gxe.ExpectColumnValuesToBeBetween,
        name,
        "the close lies outside "
        f"{math.exp(-limit):.2f} to {math.exp(limit):.2f} times the last accepted close",
        "Look for a wrong unit, a split or another company under the symbol. This bar stays out; "
        "the symbol keeps its last accepted close until the source delivers one near it.",
        shows=("close", "log_move"),
        column="log_move",
        min_value=-limit,
        max_value=limit,
        row_condition=condition,
    )
