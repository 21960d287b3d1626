"""Expectations of the instrument reference at the raw boundary."""

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from expectations.rules import columns_are_declared, declared, rule
from models.lake import INSTRUMENTS

HIGHEST_EXPENSE_RATIO_BPS = 1_000
_REMEDY = "Correct the instrument reference of the source."
_ROUNDING = 1e-9


def instrument_suite() -> gx.ExpectationSuite:
    """Return what the current instruments of one source must satisfy."""
    return gx.ExpectationSuite(
        name="instruments",
        expectations=[
            columns_are_declared(INSTRUMENTS),
            *declared(INSTRUMENTS),
            rule(
                gxe.ExpectColumnValuesToMatchRegex,
                "currency_is_iso",
                "the currency is no ISO 4217 code",
                _REMEDY,
                shows=("currency",),
                column="currency",
                regex="^[A-Z]{3}$",
            ),
            rule(
                gxe.ExpectColumnValuesToBeBetween,
                "expense_ratio_is_plausible",
                f"the expense ratio is above {HIGHEST_EXPENSE_RATIO_BPS} basis points",
                _REMEDY,
                shows=("expense_ratio_bps",),
                column="expense_ratio_bps",
                max_value=HIGHEST_EXPENSE_RATIO_BPS,
            ),
            rule(
                gxe.ExpectColumnValuesToBeBetween,
                "untradable_has_no_reference_weight",
                "an instrument that cannot be held has a reference weight",
                _REMEDY,
                shows=("reference_weight",),
                column="reference_weight",
                max_value=0,
                row_condition=Column("tradable") == False,  # noqa: E712  builds a condition
            ),
            rule(
                gxe.ExpectColumnSumToBeBetween,
                "reference_weights_fit_into_one",
                "the reference weights sum to nothing or to more than 1",
                _REMEDY,
                shows=(),
                column="reference_weight",
                min_value=0,
                strict_min=True,
                max_value=1 + _ROUNDING,
            ),
        ],
    )
