"""The process that starts dead containers again: started with the cluster, ended before it."""

import contextlib
import sys

import psutil

from pipelines.operate.cluster.container import ROLE
from pipelines.operate.cluster.programs import environment_of_image
from pipelines.operate.processes import Household, is_running
from pipelines.settings import Settings


class KeeperProcess:
    """`pipelines.operate.cluster.keeper` for the cluster of one home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._household = Household(settings, f"{ROLE}-keeper")

    def is_running(self) -> bool:
        """Tell whether containers that end are started again."""
        return any(is_running(record) for record in self._household.records())

    def start(self) -> None:
        """Start it; nobody may end a container without telling the cluster from now on."""
        command = [sys.executable, "-m", "pipelines.operate.cluster.keeper"]
        environ = {**environment_of_image(), "SMARTINVEST_HOME": str(self._settings.home)}
        self._household.start("main", command, environ)

    def stop(self) -> None:
        """End it and leave the containers alone that it has started again: its children."""
        for record in self._household.records():
            with contextlib.suppress(psutil.NoSuchProcess):
                if is_running(record):
                    process = psutil.Process(record.pid)
                    process.kill()
                    process.wait()
        self._household.end()
