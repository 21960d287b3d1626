"""Run a suite over a batch in Great Expectations and say which rows failed which rule.

Importing this module imports Great Expectations, which takes seconds: stages import it inside
functions.
"""

import logging
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig

from expectations.rules import Suite
from expectations.suites import expectation_suite
from pipelines.errors import QualityError

# Its import sets this logger to INFO, which announces every context that we make.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


def validate(suite: Suite, batch: pd.DataFrame) -> ExpectationSuiteValidationResult:
    """Return what Great Expectations says of a batch.

    Raises
    ------
    QualityError
        An expectation could not be evaluated.
    """
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(suite.name)
    whole = asset.add_batch_definition_whole_dataframe("rows")
    frame = batch.reset_index(drop=True)
    result = whole.get_batch({"dataframe": frame}).validate(
        expectation_suite(suite), result_format=_FORMAT
    )
    for outcome in result.results:
        if cause := _raised(outcome):
            raise QualityError(
                f"suite {suite.name}",
                outcome.expectation_config.meta["rule"],
                f"Great Expectations could not evaluate it ({cause})",
                "Mend the rule.",
            )
    return result


def failed_rows(result: ExpectationSuiteValidationResult) -> set[tuple[int, str]]:
    """Return position and rule of every failure; position -1 stands for the batch as a whole."""
    return {
        (int(position), outcome.expectation_config.meta["rule"])
        for outcome in result.results
        if not outcome.success
        for position in outcome.result.get("unexpected_index_list") or (-1,)
    }


def _raised(outcome: Any) -> str:
    """Return the message of an exception that Great Expectations caught, or nothing."""
    info = outcome.exception_info or {}
    details = [info, *(value for value in info.values() if isinstance(value, dict))]
    return "; ".join(
        str(detail["exception_message"]) for detail in details if detail.get("raised_exception")
    )
