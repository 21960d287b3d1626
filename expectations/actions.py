"""Rules for corporate actions at the raw boundary."""

from expectations.rules import (
    Between,
    Rule,
    Suite,
    Where,
    columns_are_declared,
    declared,
    is_between,
)
from models.lake import ACTIONS
from models.vocabulary import ActionKind

LARGEST_SPLIT, SMALLEST_SPLIT = 200.0, 1 / 1000
"""Reverse splits of 1 for 1,000 happen; Berkshire's 50 for 1 was the largest of a known share."""

LARGEST_DISTRIBUTION = 100_000.0

MOST_USUAL_DIVIDENDS = 50.0
"""Cents for dollars are 100 times; Microsoft's special dividend of 2004 was 38 usual ones."""

# The derived column ``usual_dividends`` is a dividend as a multiple of the median of the four
# before it; null for fewer than two.
_REMEDY = (
    "Compare with another source. The action stays out, so bars around it are judged, and returns "
    "computed, without it."
)

ACTION_SUITE = Suite(
    "actions",
    (
        columns_are_declared(ACTIONS),
        *declared(ACTIONS),
        is_between("amount", 0, LARGEST_DISTRIBUTION, above=True),
        Rule(
            "split_ratio_is_plausible",
            Between("amount", SMALLEST_SPLIT, LARGEST_SPLIT),
            f"the split gives not {SMALLEST_SPLIT:g} to {LARGEST_SPLIT:g} new shares for one",
            _REMEDY,
            shows=("amount",),
            where=Where("kind", ActionKind.SPLIT.value),
        ),
        Rule(
            "dividend_is_not_in_cents",
            Between("usual_dividends", at_most=MOST_USUAL_DIVIDENDS),
            f"the dividend is more than {MOST_USUAL_DIVIDENDS:g} times the usual one",
            "Look whether it is in cents. " + _REMEDY,
            shows=("amount", "usual_dividends"),
        ),
    ),
)
"""What each version of an action must satisfy; a withdrawn one has no amount."""
