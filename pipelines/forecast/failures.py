"""Errors of the forecasting room as errors of the application."""

from collections.abc import Iterator
from contextlib import contextmanager

from ml.errors import ForecastingError
from pipelines.errors import ModelError


@contextmanager
def model_errors() -> Iterator[None]:
    """Turn what ``ml`` raises into a ``ModelError`` that says the same."""
    try:
        yield
    except ForecastingError as error:
        raise ModelError(error.thing, error.value, error.problem, error.remedy) from error
