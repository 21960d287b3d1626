"""The environments of peers that are not ours to install: a lock and a folder for each."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.lineage import REPOSITORY, file_digest
from pipelines.settings import Settings

_READY = "installed_lock"


class Peers(StrEnum):
    """Which environment; PyTorch's takes four gigabytes, so it has one of its own."""

    FRAMES = "peers"
    PORTFOLIO = "portfolio"
    TORCH = "torch"

    @property
    def lock(self) -> Path:
        """The file that names every package with its hashes."""
        return REPOSITORY / "benchmarks" / f"requirements-{self.value}.lock"


def peers_python(settings: Settings, peers: Peers) -> Path:
    """Return the interpreter that has what the lock names, installed once per lock.

    Raises
    ------
    ProcessError
        It cannot be installed.
    """
    folder = settings.home / "cache" / f"bench-{peers.value}"
    python, ready = folder / "bin" / "python", folder / _READY
    digest = file_digest(peers.lock)
    if ready.is_file() and ready.read_text("utf-8") == digest:
        return python
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], peers.lock)
    _run(
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--requirement", str(peers.lock)),
        ],
        peers.lock,
    )
    ready.write_text(digest, "utf-8")
    return python


def _run(command: list[str], lock: Path) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["it said nothing"]
        raise ProcessError(
            "peers of the benchmark",
            lock,
            f"they cannot be installed ({said[-1].strip().rstrip('.')})",
            "See that pip reaches a package registry (PIP_INDEX_URL), then run it again.",
        )
