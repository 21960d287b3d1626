"""The rules as Great Expectations suites. Importing this takes seconds: import it in functions."""

from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.row_conditions import Column

from expectations.rules import (
    Between,
    Columns,
    Demand,
    Matches,
    NotBelow,
    OneOf,
    Present,
    Rule,
    Suite,
    SumWithin,
    Unique,
)


def expectation_suite(suite: Suite) -> gx.ExpectationSuite:
    """Return a suite whose expectations carry rule, reason and remedy in their ``meta``."""
    return gx.ExpectationSuite(name=suite.name, expectations=[_expectation(one) for one in suite])


def _expectation(rule: Rule) -> gxe.Expectation:
    kind, arguments = _demanded(rule.demand)
    if rule.where is not None:
        arguments["row_condition"] = Column(rule.where.column) == rule.where.value
    meta = {
        "rule": rule.name,
        "reason": rule.reason,
        "remedy": rule.remedy,
        "shows": list(rule.shows),
    }
    sentence = f"{rule.name}: a row fails when {rule.reason}"
    return kind(meta=meta, description=sentence, **arguments)


def _demanded(demand: Demand) -> tuple[type[gxe.Expectation], dict[str, Any]]:
    match demand:
        case Present(column):
            return gxe.ExpectColumnValuesToNotBeNull, {"column": column}
        case Between(column, at_least, at_most, above):
            bounds = {"min_value": at_least, "max_value": at_most, "strict_min": above}
            return gxe.ExpectColumnValuesToBeBetween, {"column": column, **bounds}
        case OneOf(column, values):
            return gxe.ExpectColumnValuesToBeInSet, {"column": column, "value_set": list(values)}
        case Matches(column, pattern):
            return gxe.ExpectColumnValuesToMatchRegex, {"column": column, "regex": pattern}
        case NotBelow(larger, smaller):
            pair = {"column_A": larger, "column_B": smaller, "or_equal": True}
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB, {
                **pair,
                "ignore_row_if": "either_value_is_missing",
            }
        case Unique((column,)):
            return gxe.ExpectColumnValuesToBeUnique, {"column": column}
        case Unique(columns):
            return gxe.ExpectCompoundColumnsToBeUnique, {"column_list": list(columns)}
        case Columns(names):
            return gxe.ExpectTableColumnsToMatchSet, {
                "column_set": list(names),
                "exact_match": False,
            }
        case SumWithin(column, at_most):
            bounds = {"min_value": 0, "strict_min": True, "max_value": at_most}
            return gxe.ExpectColumnSumToBeBetween, {"column": column, **bounds}
