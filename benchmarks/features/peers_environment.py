"""The environment of peers that are not ours to install: its own lock, its own folder."""

import subprocess
import sys
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.lineage import REPOSITORY, file_digest
from pipelines.settings import Settings

LOCK = REPOSITORY / "benchmarks" / "requirements-peers.lock"
_READY = "installed_lock"


def peers_python(settings: Settings) -> Path:
    """Return the interpreter that has what the lock names, installed once per lock.

    Raises
    ------
    ProcessError
        It cannot be installed.
    """
    folder = settings.home / "cache" / "bench-peers"
    python, ready = folder / "bin" / "python", folder / _READY
    digest = file_digest(LOCK)
    if ready.is_file() and ready.read_text("utf-8") == digest:
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    _run(
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--requirement", str(LOCK)),
        ]
    )
    ready.write_text(digest, "utf-8")
    return python


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["it said nothing"]
        raise ProcessError(
            "peers of the benchmark",
            LOCK,
            f"they cannot be installed ({said[-1].strip().rstrip('.')})",
            "See that pip reaches a package registry (PIP_INDEX_URL), then run it again.",
        )
