"""Rules for macro observations at the raw boundary.

``OBSERVATION_SUITE`` judges each vintage by itself; ``MACRO_SUITE`` also beside what was accepted
of its series before, through the columns in ``MACRO_COLUMNS``.
"""

from expectations.rules import (
    Between,
    NotBelow,
    Rule,
    Suite,
    columns_are_declared,
    declared,
    is_between,
)
from models.lake import MACRO

LARGEST_VALUE = 1e9

LARGEST_FACTOR = 4.0
"""From one observation to the next; unemployment rose 3.4-fold in April 2020."""

MOST_USUAL_STEPS = 10.0
"""A larger factor needs a step of no more than so many usual ones: the federal funds rate fell
13-fold in April 2020, by 9 usual steps."""

IMPOSSIBLE_FACTOR = 50.0
"""No step of that size is a step, however small the numbers: it is another unit."""

NEVER_NEGATIVE = frozenset(
    {
        "CPIAUCNS",
        "CPIAUCSL",
        "CPILFESL",
        "DFF",
        "DGS1",
        "DGS10",
        "DGS2",
        "DGS30",
        "DGS3MO",
        "DGS5",
        "FEDFUNDS",
        "INDPRO",
        "PAYEMS",
        "RSAFS",
        "UNRATE",
        "VIXCLS",
    }
)
"""Levels, shares, and yields that the Treasury resets to zero when they fall below it."""

MACRO_COLUMNS = ("observed_from", "lowest_value", "usual_steps", "days_into_period")
"""When the period began; the least that the series can be (null: anything); by how many usual
steps the value lies from the one before, if it is more than ``LARGEST_FACTOR`` times or part of it
(else 0); days since the first of the month in a series of months (else null)."""

_REMEDY = (
    "Compare with FRED. The series keeps its last accepted value until the source corrects this "
    "one, or until somebody who has looked releases it (`smartinvest quarantine release`)."
)

OBSERVATION_SUITE = Suite(
    "macro_observation",
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
        Rule(
            "value_is_not_negative",
            NotBelow("value", "lowest_value"),
            "the series cannot be negative",
            _REMEDY,
            shows=("value",),
        ),
    ),
)
"""What each vintage of an observation must satisfy by itself."""

MACRO_SUITE = Suite(
    "macro",
    (
        *OBSERVATION_SUITE,
        Rule(
            "value_is_plausible",
            Between("usual_steps", at_most=MOST_USUAL_STEPS),
            "the value lies further from the one before than this series moves",
            "Look for another unit. " + _REMEDY,
            shows=("value", "usual_steps"),
        ),
        Rule(
            "period_begins_with_a_month",
            Between("days_into_period", at_most=0),
            "it is dated inside a month, and all observations before it by the first of theirs",
            _REMEDY,
            shows=("observation_date",),
        ),
    ),
)
"""What each vintage of an observation must satisfy."""
