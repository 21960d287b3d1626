"""Errors of the forecasting room as errors of the application."""

from collections.abc import Iterator
from contextlib import contextmanager

from ml.errors import ForecastingError, TrackingError
from pipelines.errors import ModelError, TrackingUnavailableError


@contextmanager
def model_errors() -> Iterator[None]:
    """Turn what ``ml`` raises into a ``ModelError`` that says the same."""
    try:
        yield
    except ForecastingError as error:
        kind = TrackingUnavailableError if isinstance(error, TrackingError) else ModelError
        raise kind(error.thing, error.value, error.problem, error.remedy) from error
