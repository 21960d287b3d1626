"""Errors that name the thing, the value and the remedy."""


class SmartInvestError(Exception):
    """Base of every error that a user can act on.

    Parameters
    ----------
    thing : what is wrong, e.g. ``"setting SMARTINVEST_SOURCE"``.
    value : the offending value as the user wrote it; never personal data.
    problem : what is wrong with it.
    remedy : what to do about it.
    """

    def __init__(self, thing: str, value: object, problem: str, remedy: str) -> None:
        super().__init__(f"{thing} = {str(value)!r}: {problem}. {remedy}")
        self.thing = thing
        self.value = value
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        # Worker processes hand errors to their parent; the value goes as the text it is shown as.
        return type(self), (self.thing, str(self.value), self.problem, self.remedy)


class SettingError(SmartInvestError):
    """A SMARTINVEST_* variable is unknown or has a value that is not allowed."""


class SessionError(SmartInvestError):
    """A date is not an exchange session, or the source has no data for it."""


class SourceError(SmartInvestError):
    """A market data source cannot deliver what was asked for."""


class LakeError(SmartInvestError):
    """A file of the lake is missing, truncated or not what its name says."""


class QualityError(SmartInvestError):
    """Too much data failed its expectations for the run to go on."""


class WarehouseError(SmartInvestError):
    """A warehouse build failed or cannot be found."""


class WarehouseTestError(WarehouseError):
    """The tests of a warehouse build failed; the same inputs and code fail them again."""


class ModelError(SmartInvestError):
    """A model cannot be trained, found or used."""


class ReplayError(SmartInvestError):
    """A past run cannot be made again from what was kept of it."""


class ExplainError(SmartInvestError):
    """Nothing published can be explained of what was asked for."""


class ClientInputError(SmartInvestError):
    """A client file cannot be read at all; single bad rows are reported, not raised."""


class StoreError(SmartInvestError):
    """The SQL store is unreachable, locked, read-only or of another schema version."""


class RebalanceError(SmartInvestError):
    """A rebalance cannot be made or published."""


class HomeError(SmartInvestError):
    """SMARTINVEST_HOME cannot be written, or another run holds it."""


class ProcessError(SmartInvestError):
    """A process that the run needs did not start, or died."""
