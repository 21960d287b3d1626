"""Run a suite over a batch and say which rows failed which rule.

Importing this module imports Great Expectations, which takes seconds: stages import it inside
functions.
"""

import logging
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig

from pipelines.errors import QualityError

# Its import sets this logger to INFO, which announces every context that we make.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


@dataclass(frozen=True)
class Failure:
    """One row that failed one rule; ``position`` counts the batch's rows from 0."""

    position: int
    rule: str
    observed_value: str | None
    reason: str
    remedy: str


def validate(suite: gx.ExpectationSuite, batch: pd.DataFrame) -> list[Failure]:
    """Return every failure of every row, in the order of rows and rules.

    Raises
    ------
    QualityError
        An expectation on the batch as a whole failed.
    """
    batch = batch.reset_index(drop=True)
    failures = [
        failure
        for outcome in _results(suite, batch)
        if not outcome.success
        for failure in _failures(outcome, batch, suite.name)
    ]
    return sorted(failures, key=lambda failure: (failure.position, failure.rule))


def _results(suite: gx.ExpectationSuite, batch: pd.DataFrame) -> list[Any]:
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(suite.name)
    whole = asset.add_batch_definition_whole_dataframe("new rows")
    validation = whole.get_batch({"dataframe": batch}).validate(suite, result_format=_FORMAT)
    return list(validation.results)


def _failures(outcome: Any, batch: pd.DataFrame, suite: str) -> list[Failure]:
    meta = outcome.expectation_config.meta
    positions = outcome.result.get("unexpected_index_list")
    if not positions:
        cause = _raised(outcome)
        raise QualityError(
            f"suite {suite}",
            meta["rule"],
            f"the expectation could not be evaluated ({cause})" if cause else meta["reason"],
            meta["remedy"],
        )
    return [
        Failure(
            position,
            meta["rule"],
            _quoted(batch, position, meta["shows"]),
            meta["reason"],
            meta["remedy"],
        )
        for position in positions
    ]


def _raised(outcome: Any) -> str:
    """Return the message of an exception that Great Expectations caught, or nothing."""
    info = outcome.exception_info or {}
    details = [info, *(value for value in info.values() if isinstance(value, dict))]
    return "; ".join(
        str(detail["exception_message"]) for detail in details if detail.get("raised_exception")
    )


def _quoted(batch: pd.DataFrame, position: int, columns: list[str]) -> str | None:
    values: list[Any] = [batch[column].iloc[position] for column in columns]
    if len(values) == 1:
        return None if pd.isna(values[0]) else str(values[0])
    return (
        ", ".join(f"{column}={value}" for column, value in zip(columns, values, strict=True))
        or None
    )
