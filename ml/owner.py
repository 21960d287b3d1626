"""Which process a training or a trial belongs to, so that a killed one is told from a live one."""

import socket
from collections.abc import Mapping

import psutil

HOST_TAG = "smartinvest.host"
PROCESS_TAG = "smartinvest.process"


def owner_tags() -> dict[str, str]:
    """Return tags that name this process: its machine, its number and when it was started."""
    process = psutil.Process()
    return {HOST_TAG: host(), PROCESS_TAG: f"{process.pid} {process.create_time():.0f}"}


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def owner_lives(tags: Mapping[str, str]) -> bool:
    """Say whether the process that the tags name still runs on this machine."""
    pid, started = tags[PROCESS_TAG].split()
    try:
        return f"{psutil.Process(int(pid)).create_time():.0f}" == started
    except psutil.NoSuchProcess:
        return False
