"""The native cluster: all services of docker-compose.yml on this machine."""

import contextlib
import fcntl
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from pipelines.errors import ProcessError
from pipelines.operate.airflow_api import AirflowApi
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster import variables as values
from pipelines.operate.cluster.compose import (
    COMPLETED,
    HEALTHY,
    Service,
    read_services,
    variables_of,
)
from pipelines.operate.cluster.container import ROLE, Container
from pipelines.operate.cluster.programs import environment_of_image
from pipelines.operate.processes import Household, is_running
from pipelines.progress import step
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
WORKER = "airflow-worker"
_KEEPER = f"{ROLE}-keeper"


class Cluster:
    """The cluster of one home: whoever makes this object speaks of the same one.

    Parameters
    ----------
    settings : only its home counts. Volumes lie under ``home/cluster``, logs under ``home/logs``.
        The cluster's own settings come from the compose file and the environment.

    Examples
    --------
    >>> cluster = Cluster(load_settings())        # doctest: +SKIP
    >>> cluster.start(workers=2)                  # doctest: +SKIP
    >>> cluster.kill("airflow-worker", replica=1) # doctest: +SKIP
    >>> cluster.stop()                            # doctest: +SKIP
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.home / ROLE
        self._keeper = Household(settings, _KEEPER)

    @property
    def secrets_file(self) -> Path:
        """The secrets that were made for this cluster, readable by their owner only."""
        return self._folder / "secrets.env"

    @property
    def variables(self) -> dict[str, str]:
        """What the compose file's variables stand for since the cluster was started.

        Raises
        ------
        ProcessError
            It was never started.
        """
        if not self._running_file.exists():
            raise ProcessError(
                "cluster", self._settings.home, "it was not started",
                "Start it: make up PROFILE=cluster.",
            )  # fmt: skip
        return values.read_variables(self._running_file)

    def services(self) -> dict[str, Service]:
        """Return the services in the order in which they start, of the file as it was then."""
        return read_services(self._running_compose, self.variables)

    def containers(self, service: str | None = None) -> list[Container]:
        """Return all containers, or those of one service.

        Raises
        ------
        ProcessError
            There is no such service.
        """
        services = self.services()
        if service is not None and service not in services:
            raise ProcessError(
                "service", service, "there is no such one", f"Known are {', '.join(services)}."
            )
        return [
            Container(self._settings, body, replica)
            for name, body in services.items()
            for replica in range(1, body.replicas + 1)
            if service in (None, name)
        ]

    def container(self, service: str, replica: int = 1) -> Container:
        """Return one container of a service; ``replica`` counts from 1."""
        found = self.containers(service)
        if not 1 <= replica <= len(found):
            raise ProcessError(
                f"replica of {service}", replica, f"there are {len(found)}", "Count from 1."
            )
        return found[replica - 1]

    def start(self, workers: int | None = None, variables: Mapping[str, str] | None = None) -> None:
        """Start everything in the file's order and wait until all of it is well.

        Parameters
        ----------
        workers : how many containers of ``airflow-worker``; as the file says if None.
        variables : more variables of the compose file; they count for more than the environment.

        Raises
        ------
        ProcessError
            It runs already; or a service did not become well: what was started is ended again.
        """
        self._require_stopped()
        # What a killed keeper left behind.
        self.stop(grace_s=0.0)
        given = values.given_variables(variables_of(COMPOSE_FILE), REPOSITORY / ".env")
        given |= {} if workers is None else {"WORKERS": str(workers)}
        given |= values.addresses() | dict(variables or {})
        values.write_variables(self._running_file, values.with_secrets(given, self.secrets_file))
        # Whoever ends the cluster needs the file as it was, whatever it is by then.
        shutil.copyfile(COMPOSE_FILE, self._running_compose)
        try:
            with self._alone():
                self._start_in_order()
            self._start_keeper()
        except BaseException:
            self.stop(grace_s=0.0)
            raise

    def stop(self, grace_s: float | None = None) -> int:
        """End everything, what depends on others first; return how many containers ran.

        Parameters
        ----------
        grace_s : seconds that each may take to end by itself; those of the file if None.
        """
        if not self._running_compose.exists():
            return 0
        self._stop_keeper()
        with self._alone():
            running = [container for container in self.containers() if container.record]
            for name in reversed(self.services()):
                _end([one for one in running if one.service.name == name], grace_s)
        return len(running)

    def scale(self, workers: int) -> None:
        """Have another number of workers, while everything else goes on.

        Those that are too many finish what they have, as long as the file allows.
        """
        self._stop_keeper()
        with self._alone():
            before = self.containers(WORKER)
            values.write_variables(self._running_file, {**self.variables, "WORKERS": str(workers)})
            for container in self.containers(WORKER)[len(before) :]:
                container.start()
            _end(before[workers:])
        self._start_keeper()
        self.wait_until_well(WORKER)

    def stop_service(self, service: str, grace_s: float | None = None) -> None:
        """End a service's containers; they stay away until they are started."""
        with self._alone():
            _end(self.containers(service), grace_s)

    def start_service(self, service: str, extra: Mapping[str, str] | None = None) -> None:
        """Start a service's containers and wait until they are well.

        Parameters
        ----------
        extra : variables on top of their environment, this time only: such as ``LD_PRELOAD``.
        """
        with self._alone():
            for container in self.containers(service):
                container.start(extra)
        for container in self.containers(service):
            container.wait_until_well()

    def restart(
        self,
        service: str,
        extra: Mapping[str, str] | None = None,
        grace_s: float | None = None,
    ) -> None:
        """End a service's containers in order, start them and wait until they are well."""
        self.stop_service(service, grace_s)
        self.start_service(service, extra)

    def kill(self, service: str, replica: int | None = None) -> None:
        """Kill a service's containers, or one of them, as a power cut does.

        Where the file says ``restart: unless-stopped`` they are started again within seconds.
        """
        chosen = [self.container(service, replica)] if replica else self.containers(service)
        # Else the keeper's new processes, which bear the same mark, would be killed with the old.
        with self._alone():
            for container in chosen:
                container.kill()

    def wait_until_well(self, service: str | None = None) -> None:
        """Wait until every container, or those of a service, has passed its health check."""
        for container in self.containers(service):
            if container.service.restarts:
                container.wait_until_well()

    def api(self) -> AirflowApi:
        """Return a client of the API server, logged in as the first user."""
        known = self.variables
        user = known.get("ADMIN_USER", "admin")
        return AirflowApi(int(known["AIRFLOW_PORT"]), known["ADMIN_PASSWORD"], user)

    def log(self, service: str, replica: int = 1) -> Path:
        """Return the file into which a container writes."""
        return self.container(service, replica).log

    def environment(self, service: str = WORKER) -> dict[str, str]:
        """Return the environment of a service: with a worker's, `smartinvest` works as it does."""
        return self.container(service).environment()

    def run(self, command: Sequence[str], service: str = WORKER) -> int:
        """Run a command inside a service's first container and return how it ended."""
        return self.container(service).run(list(command), show=True)

    def revive(self, containers: Sequence[Container]) -> list[str]:
        """Start again those that ended although they should run; return their names."""
        with self._alone():
            dead = [
                container
                for container in containers
                if container.service.restarts and container.record and not container.is_running()
            ]
            for container in dead:
                # What its first process left behind must not work beside the new one.
                container.kill()
                container.start()
        return [container.name for container in dead]

    @property
    def _running_file(self) -> Path:
        return self._folder / "running.env"

    @property
    def _running_compose(self) -> Path:
        return self._folder / "running.yml"

    def _require_stopped(self) -> None:
        for record in self._keeper.records():
            if is_running(record):
                raise ProcessError(
                    "cluster", self._settings.home, "it runs already",
                    "End it first: make down PROFILE=cluster. For another number of workers: "
                    "smartinvest cluster scale.",
                )  # fmt: skip

    def _start_in_order(self) -> None:
        services = self.services()
        ready: set[str] = set()
        for name, service in services.items():
            for other, condition in service.depends_on.items():
                if other not in ready:
                    self._wait_for(other, condition)
                    ready.add(other)
            for container in self.containers(name):
                container.start()
        with step("wait for all services"):
            for name in services.keys() - ready:
                self._wait_for(name, HEALTHY)

    def _wait_for(self, service: str, condition: str) -> None:
        with step(f"start {service}"):
            for container in self.containers(service):
                if condition == COMPLETED:
                    container.wait_until_completed()
                else:
                    container.wait_until_well()

    def _start_keeper(self) -> None:
        command = [sys.executable, "-m", "pipelines.operate.cluster.keeper"]
        image = environment_of_image(self._settings)
        environ = {**image, "SMARTINVEST_HOME": str(self._settings.home)}
        self._keeper.start("main", command, environ)

    def _stop_keeper(self) -> None:
        for record in self._keeper.records():
            # Itself alone: the containers that it has started again are its children.
            with contextlib.suppress(psutil.NoSuchProcess):
                if is_running(record):
                    process = psutil.Process(record.pid)
                    process.kill()
                    process.wait()
        self._keeper.end()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no one else start or stop containers meanwhile: the keeper, another terminal."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _end(containers: Sequence[Container], grace_s: float | None = None) -> None:
    """Ask all of them at once, so that the patience that each is due is not added up."""
    for container in containers:
        container.ask_to_end()
    for container in containers:
        container.end(grace_s)
