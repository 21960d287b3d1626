"""Ports of a service on this machine: free before it starts, its own from then on.

A health check asks a port, and would take another program's answer for the service's.
"""

import contextlib

import psutil

from pipelines.errors import ProcessError
from pipelines.operate.cluster.compose import Service
from pipelines.operate.ports import free_port


def require_free_ports(service: Service) -> None:
    """Check that nobody listens where a service is going to.

    Raises
    ------
    ProcessError
        Somebody does; the message names the variable that chooses the port.
    """
    for variable, port in service.ports.items():
        if free_port(port) != port:
            raise ProcessError(
                f"port of {service.name}",
                port,
                "another program of this machine listens there",
                f"End it, or choose another port: {variable}=..., in the environment or in .env.",
            )


def listens(service: Service, process: psutil.Process) -> bool:
    """Tell whether a process, or one that it started, listens on each of a service's ports."""
    own: set[int] = set()
    try:
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                sockets = one.net_connections("tcp")
                own |= {each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # PostgreSQL of a superuser runs as another user, whose sockets a container may hide.
        return True
    return own >= set(service.ports.values())
