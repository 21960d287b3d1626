"""Run something in a process of its own and say how long it took and how much memory it held."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_MIB = 1 << 20


@dataclass(frozen=True)
class Measured:
    """``seconds`` as the process measured its work, without its start and its imports.

    ``cpu_seconds`` are those of the whole process and of all that it started, ``process_seconds``
    its whole life. ``peak_mib`` is the largest sum, over it and the processes that it started, of
    the memory that each had for itself (unique set size).
    """

    seconds: float
    peak_mib: float
    process_seconds: float
    cpu_seconds: float
    result: dict[str, Any]


def environ_for(home: Path, files: Path) -> dict[str, str]:
    """Return the environment of a process whose stages read a folder of files into a home.

    No other setting of whoever starts the benchmark counts in it.
    """
    inherited = {name: value for name, value in os.environ.items() if "SMARTINVEST_" not in name}
    return inherited | {
        "SMARTINVEST_HOME": str(home),
        "SMARTINVEST_SOURCE": "files",
        "SMARTINVEST_FILES_FOLDER": str(files),
    }


def measured(
    module: str,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    python: Path | None = None,
    sample_seconds: float = 0.05,
    is_shown: bool = False,
    given: str = "",
) -> Measured:
    """Run ``python -m module`` and read the JSON object that it prints last.

    Parameters
    ----------
    python : another interpreter than our own.
    sample_seconds : between two looks at memory. Each costs the process the longer, the more
        memory it holds.
    is_shown : let its progress be seen where ours is.
    given : what it reads from standard input.

    Raises
    ------
    RuntimeError
        It failed; the message carries what it said, unless that was shown.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        [str(python or sys.executable), "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if is_shown else subprocess.PIPE,
        text=True,
        env=None if environ is None else dict(environ),
    ) as process:
        watch = _Watch(process.pid, sample_seconds)
        watch.start()
        out, err = process.communicate(given)
        took = time.perf_counter() - began
        watch.stop()
    if process.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{(err or '')[-4000:]}")
    result = json.loads(out.splitlines()[-1])
    return Measured(result.pop("seconds"), watch.peak / _MIB, took, watch.cpu_seconds, result)


class _Watch(threading.Thread):
    def __init__(self, pid: int, sample_seconds: float) -> None:
        super().__init__(daemon=True)
        self._sample_seconds = sample_seconds
        self.peak = 0
        self._cpu: dict[int, float] = {}
        self._root = psutil.Process(pid)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._sample_seconds):
            self.peak = max(self.peak, self._held())

    @property
    def cpu_seconds(self) -> float:
        """What every process had used when it was last seen."""
        return sum(self._cpu.values())

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _held(self) -> int:
        total = 0
        try:
            family = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return 0
        for one in family:
            try:
                total += one.memory_full_info().uss
                times = one.cpu_times()
                self._cpu[one.pid] = times.user + times.system
            except psutil.Error:
                continue
        return total
