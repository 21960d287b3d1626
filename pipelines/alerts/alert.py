"""An alert as it is told: a subject, a text, JSON, and what makes two of them the same."""

import datetime as dt
import hashlib
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pipelines.alerts.causes import Cause

FORMAT = 1
"""Version of the JSON; fields may be added to it, none changes its meaning."""

BY_A_TASK = "task_failure"
"""Airflow's reason why a run failed, where one of its tasks did."""


class Kind(StrEnum):
    """What an alert tells of."""

    TASK_FAILED = "task_failed"
    TASK_RETRIES = "task_retries"
    RUN_FAILED = "run_failed"
    DEADLINE_MISSED = "deadline_missed"
    SOURCE_LATE = "source_late"
    MARKET_FROZEN = "market_frozen"
    ACCOUNTS_FAILED = "accounts_failed"
    REPLAY_DIFFERS = "replay_differs"
    PROCESS_LOST = "process_lost"


class Severity(StrEnum):
    """Whether somebody has to do something."""

    WARNING = "warning"
    ERROR = "error"


_WARNINGS = {Kind.TASK_RETRIES, Kind.PROCESS_LOST, Kind.ACCOUNTS_FAILED}

_TITLES = {
    Kind.TASK_FAILED: "failed",
    Kind.TASK_RETRIES: "failed and is tried again",
    Kind.RUN_FAILED: "its run failed",
    Kind.DEADLINE_MISSED: "is late",
    Kind.SOURCE_LATE: "the source is late",
    Kind.MARKET_FROZEN: "a share of the market is frozen",
    Kind.ACCOUNTS_FAILED: "accounts got no advice",
    Kind.REPLAY_DIFFERS: "a replay differs from what was published",
    Kind.PROCESS_LOST: "a process was lost",
}


@dataclass(frozen=True)
class Where:
    """Where in Airflow something happened; empty where it happened outside of a task.

    ``beginning`` tells a run apart from itself after it was cleared: its failures are news again.
    """

    dag_id: str = ""
    run_id: str = ""
    session: dt.date | None = None
    task_id: str = ""
    map_index: int = -1
    attempt: int = 0
    log_url: str = ""
    beginning: str = ""

    @property
    def name(self) -> str:
        """The task or DAG, as a person would call it."""
        return ".".join(part for part in (self.dag_id, self.task_id) if part) or "SmartInvest"


@dataclass(frozen=True)
class Alert:
    """One thing that is late or wrong.

    Parameters
    ----------
    subject_of : what the condition is about where it is not the run itself, e.g. a source; alerts
        of one kind about the same thing in the same session are one.
    at : when it was noticed (UTC).
    """

    kind: Kind
    cause: Cause
    where: Where = field(default_factory=Where)
    subject_of: str = ""
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def severity(self) -> Severity:
        """A warning where it is expected to pass by itself."""
        return Severity.WARNING if self.kind in _WARNINGS else Severity.ERROR

    @property
    def subject(self) -> str:
        """One line: how bad, what, which session, which cause."""
        session = f" for {self.where.session}" if self.where.session else ""
        title = _TITLES[self.kind]
        head = f"{self.where.name} {title}" if self._is_of_a_run else f"SmartInvest: {title}"
        about = ", ".join(part for part in (self.cause.error, self.cause.thing) if part)
        return " ".join(f"[{self.severity}] {head}{session}: {about}".split())

    def text(self) -> str:
        """Return the alert as lines that a person reads in a mail."""
        where = self.where
        lines = [
            ("cause", f"{self.cause.error}: {self.cause.problem}"),
            ("thing", f"{self.cause.thing} = {self.cause.value!r}" if self.cause.thing else ""),
            ("remedy", self.cause.remedy),
            ("DAG", where.dag_id),
            ("task", where.task_id + (f" [{where.map_index}]" if where.map_index >= 0 else "")),
            ("attempt", str(where.attempt or "")),
            ("run", where.run_id),
            ("session", str(where.session or "")),
            ("log", where.log_url),
            ("noticed", self.at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ]
        return "\n".join(f"{name:8} {said}" for name, said in lines if said)

    def content(self) -> dict[str, Any]:
        """Return the alert as JSON can hold it; ``text`` is what chat services show."""
        where = asdict(self.where)
        del where["beginning"]
        where["session"] = self.where.session.isoformat() if self.where.session else None
        where["map_index"] = self.where.map_index if self.where.map_index >= 0 else None
        return {
            "format": FORMAT,
            "kind": self.kind.value,
            "severity": self.severity.value,
            "subject": self.subject,
            "text": f"{self.subject}\n{self.text()}",
            "at": self.at.isoformat(),
            "cause": asdict(self.cause),
            **where,
        }

    @property
    def marks(self) -> list[str]:
        """What this alert says has been told by it, as names; the first one is the alert itself.

        A run that failed because of a task says nothing new; one that Airflow gave up does, also
        where a task of it had failed that it went on without. Tasks that were mapped from one and
        fail for the same reason are told once, and so is what several DAGs notice of a session.
        """
        where, session = self.where, str(self.where.session)
        run = (where.dag_id, where.run_id, where.beginning)
        if self.kind is Kind.RUN_FAILED:
            return [_name("run", *run, self.cause.problem)]
        if not self._is_of_a_run:
            return [_name(self.kind, self.subject_of, session)]
        own = _name(self.kind, *run, where.task_id, self.cause.error, self.cause.thing)
        if self.kind in (Kind.TASK_FAILED, Kind.REPLAY_DIFFERS):
            return [own, _name("run", *run, BY_A_TASK)]
        # That this very attempt failed is told, though it may be folded into another's alert.
        attempt = _name("attempt", *run, where.task_id, str(where.map_index), str(where.attempt))
        return [own, attempt] if self.kind is Kind.TASK_RETRIES else [own]

    @property
    def _is_of_a_run(self) -> bool:
        return not self.subject_of


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
