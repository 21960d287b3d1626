"""Free TCP ports on the loopback."""

import socket

from pipelines.operate.airflow_config import HOST


def free_port(preferred: int = 0) -> int:
    """Return the preferred port if nobody listens there, else a free one that the kernel picks."""
    try:
        return _bindable(preferred)
    except OSError:
        return _bindable(0)


def _bindable(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])
