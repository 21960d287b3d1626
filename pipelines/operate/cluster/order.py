"""Start containers when what they depend on is ready, and end them so that patience is shared."""

import time
from collections.abc import Sequence

from pipelines.operate.cluster.compose import COMPLETED, HEALTHY
from pipelines.operate.cluster.container import Container
from pipelines.progress import step


def start_in_order(containers: Sequence[Container]) -> None:
    """Start all containers of a cluster and wait until they are well.

    Parameters
    ----------
    containers : in the order in which services can start.

    Raises
    ------
    ProcessError
        One did not become well.
    """
    of_service: dict[str, list[Container]] = {}
    for container in containers:
        of_service.setdefault(container.service.name, []).append(container)
    ready: set[str] = set()
    for replicas in of_service.values():
        for other, condition in replicas[0].service.depends_on.items():
            if other not in ready:
                with step(f"start {other}"):
                    _wait_for(of_service[other], condition)
                ready.add(other)
        for container in replicas:
            container.start()
    with step("wait for all services"):
        for name, replicas in of_service.items():
            if name not in ready:
                _wait_for(replicas, HEALTHY)


def end_together(containers: Sequence[Container], grace_s: float | None = None) -> None:
    """Ask all containers at once to end, and end them.

    Parameters
    ----------
    grace_s : seconds that all may take; as long as the file gives each, if None.
    """
    for container in containers:
        container.ask_to_end()
    asked = time.monotonic()
    for container in containers:
        patience = container.service.stop_grace_s if grace_s is None else grace_s
        container.end(max(0.0, asked + patience - time.monotonic()))


def _wait_for(replicas: Sequence[Container], condition: str) -> None:
    for container in replicas:
        if condition == COMPLETED:
            container.wait_until_completed()
        else:
            container.wait_until_well()
