"""Processes that we start: recorded by pid and start time, so that none outlives its run.

A pid alone proves nothing, because the kernel gives it to somebody else later. A record holds the
pid and the moment the kernel says the process began. Children that lost their parent are found by
a mark in their environment, which every descendant inherits.
"""

import contextlib
import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from pipelines.errors import ProcessError
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

OWNER_MARK = "PROCESS_OWNER"
"""Environment variable that every process of a household carries."""

GRACE_S = 4.0
"""Seconds between a polite request to end and the end."""


@dataclass(frozen=True)
class ProcessRecord:
    """What is written down about a process, so that a later run can know it again."""

    name: str
    pid: int
    started: str
    log: str


class Household:
    """All processes that one role (``daily`` or ``serve``) runs on one home.

    Parameters
    ----------
    settings : names the home; records lie under ``home/run/<role>``, logs under ``home/logs``.
    role : who started them; ending one role's processes leaves the other's alone.
    """

    def __init__(self, settings: Settings, role: str) -> None:
        digest = hashlib.sha256(str(settings.home.resolve()).encode()).hexdigest()
        self.mark = f"{digest[:16]}-{role}"
        self._records = settings.home / "run" / role
        self._logs = settings.logs
        self._role = role

    def start(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        folder: Path | None = None,
        user: str | None = None,
    ) -> ProcessRecord:
        """Start a process in a session of its own, its output in a log file, and record it.

        Parameters
        ----------
        name : of the record and of the log file.
        command, environ : what is run, with nothing in its environment but this and our mark.
        folder : where it runs; where this process does, if none.
        user : who it runs as, which takes a superuser; this process's user, if none.
        """
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{self._role}-{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        # setproctitle would otherwise overwrite the memory in which the kernel shows our mark.
        marked = {**environ, OWNER_MARK: self.mark, "SPT_NOENV": "1"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command),
                env=marked,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=folder,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        record = ProcessRecord(name, process.pid, start_identity(process.pid) or "", str(log))
        _write_record(self._records / f"{name}.json", record)
        return record

    def records(self) -> list[ProcessRecord]:
        """Return what was recorded and not yet ended, by this process or an earlier one."""
        return [_read_record(path) for path in sorted(self._records.glob("*.json"))]

    def require_alive(self, record: ProcessRecord) -> None:
        """Check that a process still runs.

        Raises
        ------
        ProcessError
            It ended; the message carries the last line of its log.
        """
        if not is_running(record):
            raise ProcessError(
                f"process {record.name}",
                record.pid,
                f"it ended by itself, saying {last_line(Path(record.log))!r}",
                f"Its log is {record.log}.",
            )

    def end(self, grace_s: float = GRACE_S) -> int:
        """End every process of this role and forget the records; return how many there were.

        Processes get SIGTERM, then ``grace_s`` seconds, then SIGKILL. What they started meanwhile
        is found again, until nothing is left.

        Raises
        ------
        ProcessError
            Something could not be ended, e.g. because it belongs to another user.
        """
        first = self._members()
        for process in first:
            _signal(process, "terminate")
        psutil.wait_procs(first, timeout=grace_s)
        self.kill()
        for path in self._records.glob("*.json"):
            path.unlink()
        return len(first)

    def kill(self) -> None:
        """Kill every process of this role without asking it, and leave the records as they are.

        Raises
        ------
        ProcessError
            Something could not be ended, e.g. because it belongs to another user.
        """
        members: list[psutil.Process] = []
        for _ in range(10):
            members = self._members()
            if not members:
                return
            for process in members:
                _signal(process, "kill")
            psutil.wait_procs(members, timeout=2)
        raise ProcessError(
            "processes", [process.pid for process in members], "they cannot be ended",
            "End them by hand.",
        )  # fmt: skip

    def _members(self) -> list[psutil.Process]:
        roots = [_find(record) for record in self.records()]
        roots += [process for process in psutil.process_iter() if self._is_marked(process)]
        found = {process.pid: process for process in _with_descendants(roots)}
        found.pop(os.getpid(), None)
        return [process for process in found.values() if not _is_gone(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            return process.environ().get(OWNER_MARK) == self.mark
        return False


def start_identity(pid: int) -> str | None:
    """Return when the kernel says the process began, or None if there is none.

    On Linux the clock tick since boot (field 22 of ``/proc/<pid>/stat``) with the boot's id, which
    no clock adjustment moves; elsewhere the creation time.
    """
    stat = Path(f"/proc/{pid}/stat")
    try:
        if stat.exists():
            # The command in field 2 may hold spaces and brackets: count from its last bracket.
            ticks = stat.read_text().rpartition(")")[2].split()[19]
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{boot}:{ticks}"
        return str(psutil.Process(pid).create_time())
    except (OSError, psutil.Error):
        return None


def is_running(record: ProcessRecord) -> bool:
    """Tell whether the very process that was recorded still runs."""
    process = _find(record)
    return process is not None and not _is_gone(process)


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")
    return ""


def _find(record: ProcessRecord) -> psutil.Process | None:
    if start_identity(record.pid) != record.started:
        return None
    with contextlib.suppress(psutil.Error):
        return psutil.Process(record.pid)
    return None


def _with_descendants(roots: Iterable[psutil.Process | None]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for root in roots:
        if root is not None:
            found.append(root)
            with contextlib.suppress(psutil.Error):
                found += root.children(recursive=True)
    return found


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _signal(process: psutil.Process, how: str) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        getattr(process, how)()


def _write_record(path: Path, record: ProcessRecord) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(record)))
    temporary.replace(path)


def _read_record(path: Path) -> ProcessRecord:
    return ProcessRecord(**json.loads(path.read_text()))
