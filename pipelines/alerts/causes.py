"""What an error says that anybody may read: its thing, problem and remedy, without secrets."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from models.credentials import HIDDEN, without_secrets
from pipelines.errors import SmartInvestError
from pipelines.recovery import chain_of

_SECRET_ARGUMENT = re.compile(
    r"(?i)\b(?P<name>[\w-]*(?:password|passwd|secret|token|api_?key|sig|signature)[\w-]*)"
    r"(?P<sign>['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;]+"
)
_MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LONGEST = 2000

_SEE_LOG = "See the task's log."


@dataclass(frozen=True)
class Cause:
    """Why something went wrong, as our errors say it; every field may be shown to anybody."""

    error: str
    thing: str
    value: str
    problem: str
    remedy: str

    def __post_init__(self) -> None:
        """Take out what looks like a secret or an address, whoever wrote it in."""
        for name in ("thing", "value", "problem", "remedy"):
            object.__setattr__(self, name, shown(getattr(self, name)))

    def without(self, secrets: Iterable[str]) -> "Cause":
        """Return the cause with known secrets taken out, too."""
        hidden = {name: without_secrets(text, secrets) for name, text in asdict(self).items()}
        return Cause(**hidden)


def shown(text: str) -> str:
    """Return a text without passwords in URLs, secret arguments and mail addresses."""
    text = _SECRET_ARGUMENT.sub(rf"\g<name>\g<sign>{HIDDEN}", without_secrets(text))
    return _MAIL_ADDRESS.sub(HIDDEN, text)[:_LONGEST]


KILLED = Cause(
    "Killed",
    "",
    "",
    "no heartbeat came from it any more: its process or its worker was killed, or its machine lost",
    "Another worker runs it again. If it happens again, look for what takes the memory.",
)
"""What is known of a task that ended without a word."""


def cause_of(error: BaseException | str | None) -> Cause:
    """Return the cause of a failure, as far as it may be told.

    Of an error that is neither ours, nor Airflow's, nor the operating system's, only the class is
    told: its text may quote rows, hence personal data.
    """
    if error is None or isinstance(error, str):
        return Cause("Failed", "", "", error, _SEE_LOG) if error else KILLED
    for each in chain_of(error):
        if isinstance(each, SmartInvestError):
            return Cause(
                type(each).__name__, each.thing, str(each.value), each.problem, each.remedy
            )
    for each in chain_of(error):
        if isinstance(each, OSError) and each.strerror:
            file = "" if each.filename is None else str(each.filename)
            return Cause(type(each).__name__, "file" if file else "", file, each.strerror, _SEE_LOG)
    if type(error).__module__.startswith("airflow."):
        return Cause(type(error).__name__, "", "", str(error), _SEE_LOG)
    problem = "an error that nobody foresaw; its text may quote data and stands in the log only"
    return Cause(type(error).__name__, "", "", problem, _SEE_LOG)
