"""One replica of a service as a process of this machine, in the place of a container."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster.compose import Service
from pipelines.operate.cluster.own_ports import listens, require_free_ports
from pipelines.operate.cluster.programs import environment_of_image, prepare_postgres
from pipelines.operate.processes import Household, ProcessRecord, is_running, last_line
from pipelines.settings import Settings

ROLE = "cluster"
_NAME = "main"
_LATE_S = 120.0
"""How long after its start period a service may take to become well, on a busy machine."""

_COMPLETED_WITHIN_S = 600.0

# What the environment of this machine says to each program, besides what the file says.
_OF_THIS_MACHINE = ("LANG", "LC_ALL", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Container:
    """A replica of a service; ``replica`` counts from 1.

    It has the service's environment and nothing else, its volumes as folders under
    ``home/cluster``, and a mark by which everything that it starts is found.
    """

    settings: Settings
    service: Service
    replica: int = 1

    @property
    def name(self) -> str:
        """The service and its number, as a container engine would name it."""
        return f"{self.service.name}-{self.replica}"

    @property
    def household(self) -> Household:
        """All processes of this container."""
        return Household(self.settings, f"{ROLE}-{self.name}")

    @property
    def log(self) -> Path:
        """What the container wrote since it was started last."""
        return self.settings.logs / f"{ROLE}-{self.name}-{_NAME}.log"

    @property
    def record(self) -> ProcessRecord | None:
        """The first process as it was started, None where it was not or was stopped."""
        return next(iter(self.household.records()), None)

    @property
    def command(self) -> list[str]:
        """The service's command, with the paths of this machine."""
        return [self._here(word) for word in self.service.command]

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the container's processes."""
        kept = {name: os.environ[name] for name in _OF_THIS_MACHINE if name in os.environ}
        own = {name: self._here(value) for name, value in self.service.environment.items()}
        return {**kept, **environment_of_image(), "HOSTNAME": self.name, **own}

    def start(self, extra: Mapping[str, str] | None = None) -> None:
        """Start the command, after killing what an earlier one left behind.

        Where that fails the earlier record stays, by which it is seen that it should run.

        Parameters
        ----------
        extra : variables on top of the environment, this time only.
        """
        self.household.kill()
        for target, source in self.service.volumes.items():
            self._folder(target, source).mkdir(parents=True, exist_ok=True)
        environ = {**self.environment(), **(extra or {})}
        user = prepare_postgres(environ) if self.service.command[0] == "postgres" else None
        with contextlib.suppress(FileNotFoundError):
            self.household.start(_NAME, self.command, environ, folder=self._place, user=user)
            return
        raise ProcessError(
            f"service {self.service.name}",
            self.command[0],
            "there is no such program",
            "Install it, or the packages of requirements.lock.",
        )

    def stop(self, grace_s: float | None = None) -> None:
        """Ask it to end, wait as long as it may take, and end it."""
        self.ask_to_end()
        self.end(grace_s)

    def ask_to_end(self) -> None:
        """Send the service's signal to its first process, as a container engine does."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if self.is_running():
                self._process().send_signal(signal.Signals[self.service.stop_signal])

    def end(self, grace_s: float | None = None) -> None:
        """Wait until it has ended, then kill what is left, and forget it.

        Parameters
        ----------
        grace_s : seconds of patience; those of the file if None.
        """
        patience = self.service.stop_grace_s if grace_s is None else grace_s
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            if self.is_running():
                self._process().wait(patience)
        self.household.kill()
        self.household.end(0.0)

    def kill(self) -> None:
        """Kill all of it at once; who keeps the cluster starts it again if the file says so."""
        self.household.kill()

    def is_running(self) -> bool:
        """Tell whether its first process, without which a container ends, is there."""
        record = self.record
        return record is not None and is_running(record)

    def is_well(self) -> bool:
        """Tell whether it runs and its health check, if it has one, says so of it itself."""
        if not self.is_running():
            return False
        health = self.service.health
        if health is None:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired, psutil.NoSuchProcess):
            code = self.run([self._here(word) for word in health.command], health.timeout_s)
            return code == 0 and listens(self.service, self._process())
        return False

    def run(self, command: list[str], timeout_s: float | None = None, *, show: bool = False) -> int:
        """Run another command inside, wait for it and return how it ended.

        Parameters
        ----------
        show : whether what it writes goes where this process writes, or nowhere.
        """
        output = None if show else subprocess.DEVNULL
        return subprocess.run(
            command,
            env=self.environment(),
            cwd=self._place,
            timeout=timeout_s,
            check=False,
            stdout=output,
            stderr=output,
        ).returncode

    def wait_until_well(self, *, is_kept: bool = False) -> None:
        """Wait for the health check.

        Parameters
        ----------
        is_kept : whether somebody starts it again where it ends; then only its time can be up.

        Raises
        ------
        ProcessError
            It ended, or took too long.
        """
        health = self.service.health
        patience = _LATE_S + (health.start_period_s if health else 0.0)
        deadline = time.monotonic() + patience
        while not self.is_well():
            if not is_kept and not self.is_running():
                require_free_ports(self.service)
                raise self._problem("it ended by itself")
            if time.monotonic() > deadline:
                raise self._problem(f"it was not well after {patience:.0f} s")
            time.sleep(health.start_interval_s if health else 0.1)

    def wait_until_completed(self) -> None:
        """Wait until the command has ended, and forget it.

        Raises
        ------
        ProcessError
            It did not end well, or took too long.
        """
        code: int | None = None
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            code = self._process().wait(timeout=_COMPLETED_WITHIN_S)
        if code != 0:
            raise self._problem(f"it ended with exit code {code}")
        self.household.end()

    def _problem(self, problem: str) -> ProcessError:
        said = last_line(self.log)
        return ProcessError(
            f"service {self.name}", self.service.name, f"{problem}, saying {said!r}",
            f"Its log is {self.log}.",
        )  # fmt: skip

    def _process(self) -> psutil.Process:
        record = self.record
        if record is None:
            raise psutil.NoSuchProcess(0, self.name)
        return psutil.Process(record.pid)

    @property
    def _place(self) -> Path:
        place = self.service.working_dir
        return Path(self._here(place)) if place else self.settings.home

    def _folder(self, target: str, source: str) -> Path:
        root = self.settings.home / ROLE
        if source:
            return root / "volumes" / source
        return root / "scratch" / self.name / target.strip("/").replace("/", "-")

    def _here(self, text: str) -> str:
        """Return a text with the container's paths replaced by those of this machine."""
        places = {
            target: str(self._folder(target, source))
            for target, source in self.service.volumes.items()
        }
        if self.service.working_dir:
            places[self.service.working_dir] = str(REPOSITORY)
        if not places:
            return text
        longest_first = sorted(places, key=len, reverse=True)
        targets = "|".join(re.escape(target) for target in longest_first)
        return re.sub(rf"(?<![\w./-])(?:{targets})(?![\w.-])", lambda m: places[m[0]], text)
