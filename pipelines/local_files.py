"""Files of a folder, this machine's own or one that several share: whole under their name or not.

Bytes are written under a temporary name beside the file, which names who writes them, and then get
the file's name in one step.
"""

import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import pyarrow as pa

_LEFTOVER = re.compile(r"^\.(?P<host>[A-Za-z0-9_]+)-(?P<pid>\d+)-[0-9a-f]{32}\.part$")
_ABANDONED_S = 24 * 3600.0
"""No write takes as long; another machine's process cannot be asked whether it lives."""


def write_local(path: Path, content: "pa.Buffer | bytes | Path") -> None:
    """Write a file of a folder under a temporary name and rename it; raises ``OSError``.

    Parameters
    ----------
    content : the bytes, or another file that has them.
    """
    part = stage(path, content)
    try:
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def create_local(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; return whether it was ours that came to be.

    A link to bytes that are on the disk is made in one step, on network file systems too, and
    fails where the name is taken.
    """
    part = stage(path, content)
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    finally:
        part.unlink(missing_ok=True)
    return True


def stage(path: Path, content: "pa.Buffer | bytes | Path") -> Path:
    """Write the bytes of a file beside it, under a temporary name, which is returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / part_name(this_host(), os.getpid())
    try:
        with part.open("wb") as stream:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, stream, 1 << 20)
            else:
                stream.write(content)
            stream.flush()
            # Else a power cut could leave the name without its bytes.
            os.fsync(stream.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def part_name(host: str, pid: int) -> str:
    """Return a new temporary name that says which process of which machine writes under it."""
    return f".{host}-{pid}-{uuid.uuid4().hex}.part"


def remove_leftovers(root: Path) -> int:
    """Remove temporary files anywhere below of processes that are gone; return how many."""
    removed = 0
    for part in root.rglob(".*.part"):
        found = _LEFTOVER.match(part.name)
        if found and _is_abandoned(part, found["host"], int(found["pid"])):
            part.unlink(missing_ok=True)
            removed += 1
    return removed


def local_files(folder: Path, prefix: str, suffix: str) -> Iterator[str]:
    """Yield the finished files below a folder, each after the prefix that stands for it."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from local_files(folder / entry.name, f"{prefix}/{entry.name}", suffix)
        elif entry.name.endswith(suffix) and not entry.name.startswith("."):
            yield f"{prefix}/{entry.name}"


def _is_abandoned(part: Path, host: str, pid: int) -> bool:
    if host == this_host():
        return not psutil.pid_exists(pid)
    try:
        return time.time() - part.stat().st_mtime > _ABANDONED_S
    except FileNotFoundError:
        return False


@cache
def this_host() -> str:
    """Return this machine's name, of letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9_]", "_", socket.gethostname())
