"""Run a stage in a process of its own, its output streamed into this process's log.

TensorFlow starts threads when it is imported and deadlocks in a process that was forked from a
threaded one, as Airflow's task processes are. A new interpreter has nothing to inherit.
"""

import collections
import datetime as dt
import logging
import signal
import subprocess
import sys

from pipelines.errors import StageProcessError
from pipelines.recovery import recovery_of_output

logger = logging.getLogger(__name__)

_END_PATIENCE_S = 10.0
_KEPT_LINES = 20


def run_stage_process(stage: str, session: dt.date, *arguments: str) -> None:
    """Run ``smartinvest STAGE --session SESSION ARGUMENTS`` and wait for it.

    Parameters
    ----------
    stage : a command of the command line, e.g. ``train``.
    session : the session the stage works on.
    arguments : further ones of that command.

    Raises
    ------
    StageProcessError
        The process ended with an exit code other than 0; the message carries its last line.
    """
    command = [sys.executable, "-m", "pipelines.cli", stage, "--session", session.isoformat()]
    command += arguments
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    last_lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
    try:
        for line in process.stdout or ():
            if line.strip():
                logger.info("%s", line.rstrip())
                last_lines.append(line.strip())
        code = process.wait()
    finally:
        # An exception here means that this task was told to end: its process must not live on.
        _end(process)
    if code != 0:
        said = last_lines[-1] if last_lines else "nothing"
        error = StageProcessError(
            f"process of stage {stage}",
            " ".join(command[1:]),
            f"it ended with {_describe(code)}; it last said: {said}",
            "Mend that cause and run the stage again.",
        )
        error.recovery = recovery_of_output(last_lines)
        raise error


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _describe(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
