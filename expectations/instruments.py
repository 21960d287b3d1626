"""Rules for the instrument reference at the raw boundary."""

from expectations.rules import (
    Between,
    Matches,
    Rule,
    Suite,
    SumWithin,
    Where,
    columns_are_declared,
    declared,
)
from models.lake import INSTRUMENTS

HIGHEST_EXPENSE_RATIO_BPS = 1_000
_REMEDY = (
    "Correct the instrument reference of the source. Until then the instrument keeps its last "
    "accepted version, or stays out."
)
_ROUNDING = 1e-9

INSTRUMENT_SUITE = Suite(
    "instruments",
    (
        columns_are_declared(INSTRUMENTS),
        *declared(INSTRUMENTS),
        Rule(
            "currency_is_iso",
            Matches("currency", "^[A-Z]{3}$"),
            "the currency is no ISO 4217 code",
            _REMEDY,
            shows=("currency",),
        ),
        Rule(
            "expense_ratio_is_plausible",
            Between("expense_ratio_bps", at_most=HIGHEST_EXPENSE_RATIO_BPS),
            f"the expense ratio is above {HIGHEST_EXPENSE_RATIO_BPS} basis points",
            _REMEDY,
            shows=("expense_ratio_bps",),
        ),
        Rule(
            "untradable_has_no_reference_weight",
            Between("reference_weight", at_most=0),
            "an instrument that cannot be held has a reference weight",
            _REMEDY,
            shows=("reference_weight",),
            where=Where("tradable", False),
        ),
    ),
)
"""What each version of an instrument must satisfy."""

REFERENCE_SUITE = Suite(
    "instrument_reference",
    (
        Rule(
            "reference_weights_fit_into_one",
            SumWithin("reference_weight", 1 + _ROUNDING),
            "the reference weights sum to nothing or to more than 1",
            _REMEDY,
        ),
    ),
)
"""What the current instruments of a source must satisfy together."""
