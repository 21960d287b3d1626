"""Errors that name the thing, the value and the remedy, and say what a second attempt is worth."""

from enum import StrEnum
from typing import Any


class Recovery(StrEnum):
    """What it takes until what failed can succeed."""

    BY_A_PERSON = "by_a_person"
    """The same attempt fails again: a person has to mend an input or a setting first."""

    BY_CHANCE = "by_chance"
    """One more attempt is worth its time."""

    BY_WAITING = "by_waiting"
    """Something that others run or fill is away: it comes back, or somebody makes room."""


class SmartInvestError(Exception):
    """Base of every error that a user can act on.

    Parameters
    ----------
    thing : what is wrong, e.g. ``"setting SMARTINVEST_SOURCE"``.
    value : the offending value as the user wrote it; never personal data.
    problem : what is wrong with it.
    remedy : what to do about it.

    Attributes
    ----------
    recovery : whether the same attempt may succeed later.
    """

    recovery: Recovery = Recovery.BY_CHANCE

    def __init__(self, thing: str, value: object, problem: str, remedy: str) -> None:
        super().__init__(f"{thing} = {str(value)!r}: {problem}. {remedy}")
        self.thing = thing
        self.value = value
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes hand errors to their parent; the value goes as the text it is shown as.
        return type(self), (self.thing, str(self.value), self.problem, self.remedy)


class SettingError(SmartInvestError):
    """A SMARTINVEST_* variable is unknown or has a value that is not allowed."""

    recovery = Recovery.BY_A_PERSON


class SessionError(SmartInvestError):
    """A date is not an exchange session, or the source has no data for it."""

    recovery = Recovery.BY_A_PERSON


class SourceError(SmartInvestError):
    """A market data source cannot deliver what was asked for."""

    recovery = Recovery.BY_A_PERSON


class LakeError(SmartInvestError):
    """A file of the lake is missing, truncated or not what its name says."""


class LakeUnavailableError(LakeError):
    """The lake's disk is full, or its server does not answer."""

    recovery = Recovery.BY_WAITING


class QualityError(SmartInvestError):
    """Too much data failed its expectations for the run to go on."""

    recovery = Recovery.BY_A_PERSON


class WarehouseError(SmartInvestError):
    """A warehouse build failed or cannot be found."""


class WarehouseTestError(WarehouseError):
    """The tests of a warehouse build failed; the same inputs and code fail them again."""

    recovery = Recovery.BY_A_PERSON


class ModelError(SmartInvestError):
    """A model cannot be trained, found or used."""


class TrackingUnavailableError(ModelError):
    """MLflow, which keeps trainings and models, does not answer or cannot write."""

    recovery = Recovery.BY_WAITING


class ReplayError(SmartInvestError):
    """A past run cannot be made again from what was kept of it."""

    recovery = Recovery.BY_A_PERSON


class ReplayDifferenceError(ReplayError):
    """A past run was made again and is not what was published."""


class ExplainError(SmartInvestError):
    """Nothing published can be explained of what was asked for."""

    recovery = Recovery.BY_A_PERSON


class ClientInputError(SmartInvestError):
    """A client file cannot be read at all; single bad rows are reported, not raised."""

    recovery = Recovery.BY_A_PERSON


class StoreError(SmartInvestError):
    """The SQL store is unreachable, locked, read-only or of another schema version."""


class StoreUnavailableError(StoreError):
    """The SQL store does not answer, is held by another process, or has no room."""

    recovery = Recovery.BY_WAITING


class RebalanceError(SmartInvestError):
    """A rebalance cannot be made or published."""


class HomeError(SmartInvestError):
    """SMARTINVEST_HOME cannot be written, or another run holds it."""


class ProcessError(SmartInvestError):
    """A process that the run needs did not start, or died."""


class StageProcessError(ProcessError):
    """A stage's own process failed; a second attempt is worth what its error says."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what the process's error said about a second attempt."""
        return (*super().__reduce__(), {"recovery": self.recovery})
