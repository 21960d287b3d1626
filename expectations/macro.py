"""Rules for macro observations at the raw boundary."""

from expectations.rules import (
    NotBelow,
    Rule,
    Suite,
    columns_are_declared,
    declared,
    is_between,
)
from models.lake import MACRO

LARGEST_VALUE = 1e9

MACRO_SUITE = Suite(
    "macro",
    (
        columns_are_declared(MACRO),
        *declared(MACRO),
        is_between("value", -LARGEST_VALUE, LARGEST_VALUE),
        Rule(
            "value_is_not_known_early",
            NotBelow("known_at", "observed_from"),
            "the value was known before the period that it speaks of began",
            "Look for a shifted date or a forecast among the observations.",
            shows=("observation_date", "known_at"),
        ),
    ),
)
"""What each vintage of an observation must satisfy."""
