"""Errors of the forecasting room; the stage turns them into the application's own."""

import zlib
from zipfile import BadZipFile

UNREADABLE_ARRAYS = (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error)
"""What numpy raises of a file of arrays that is missing, empty, cut off or something else."""


class ForecastingError(Exception):
    """Base of every error raised here: what is wrong, its value, the problem and the remedy."""

    def __init__(self, thing: str, value: object, problem: str, remedy: str) -> None:
        super().__init__(f"{thing} = {str(value)!r}: {problem}. {remedy}")
        self.thing = thing
        self.value = value
        self.problem = problem
        self.remedy = remedy


class PanelError(ForecastingError):
    """The files cannot be read as a panel."""


class SplitError(ForecastingError):
    """There are too few sessions to train, validate and test on."""


class TrainingError(ForecastingError):
    """A model cannot be fitted to this panel."""


class ModelNotFoundError(ForecastingError):
    """A registered model version, or a file of it, is not there."""


class TrackingError(ForecastingError):
    """The tracking database cannot be read or written."""
