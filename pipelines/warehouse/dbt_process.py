"""The process in which dbt runs: it can be started before it is known what it shall do."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from pipelines.errors import WarehouseError

_WORKER = Path(__file__).with_name("dbt_worker.py")


class DbtProcess:
    """A process that imports dbt, which takes seconds, and then waits for its one command.

    It is killed at the end of the context, whatever it does then.

    Parameters
    ----------
    environment : its environment variables.
    output : file for what it prints.
    lock : descriptor of a lock that it inherits and so holds until its own end; None for none.
    parse : a command that reads the project already while it waits; the one command then takes the
        project as it was read. Empty if that reads for itself.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        output: Path,
        lock: int | None = None,
        parse: Sequence[str] = (),
    ) -> None:
        self._environment, self.output, self._lock = environment, output, lock
        self._parse = list(parse)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.__exit__(kind, error, trace)

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the process, unless it was started before.

        Raises
        ------
        WarehouseError
            The file for its output cannot be written.
        """
        if self._process is None:
            try:
                self.output.parent.mkdir(parents=True, exist_ok=True)
                log = self.output.open("wb")
            except OSError as error:
                raise WarehouseError(
                    "dbt's output",
                    self.output,
                    f"it cannot be written ({error.strerror or error})",
                    "Mend its permissions or make room on the disk; nothing was changed.",
                ) from None
            with log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", str(_WORKER), json.dumps(self._parse)],
                    bufsize=0,
                    env={**self._environment},
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=() if self._lock is None else (self._lock,),
                )
        return self._process

    def run(self, arguments: Sequence[str]) -> int:
        """Run one dbt command, as its arguments on a command line, and return its exit code."""
        process = self.start()
        commands = cast(IO[bytes], process.stdin)
        with suppress(BrokenPipeError):  # it died before; its exit code says so
            commands.write(json.dumps(list(arguments)).encode() + b"\n")
        return process.wait()
