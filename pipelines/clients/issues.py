"""What is wrong with a row of a client file, in words that give no person away."""

import dataclasses

from pipelines.clients.columns import BY_NAME

_SHOWN_CHARACTERS = 60


@dataclasses.dataclass(frozen=True)
class RowIssue:
    """One field of one row that could not be used.

    ``problem`` and ``remedy`` never quote the file and may be stored. ``value`` is for the
    operator's terminal alone and None where the field is personal.
    """

    line: int
    field: str
    problem: str
    remedy: str
    value: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        shown = "(personal, not shown)" if self.value is None else _quoted(self.value)
        return f"line {self.line}, {self.field} = {shown}: {self.problem}. {self.remedy}"


def issue(line: int, name: str, value: str, problem: str, remedy: str) -> RowIssue:
    """Describe a bad field, keeping its value only where the column is not personal."""
    personal = name not in BY_NAME or BY_NAME[name].personal
    return RowIssue(line, name, problem, remedy, None if personal else value)


def _quoted(value: str) -> str:
    """Return the value with control characters escaped, so that it cannot drive a terminal."""
    if len(value) > _SHOWN_CHARACTERS:
        value = value[:_SHOWN_CHARACTERS] + "..."
    return repr(value)
