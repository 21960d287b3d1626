"""The native cluster: all services of docker-compose.yml on this machine."""

import fcntl
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate.airflow_api import AirflowApi
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster.compose import Service
from pipelines.operate.cluster.container import Container
from pipelines.operate.cluster.description import Description
from pipelines.operate.cluster.keeper_process import KeeperProcess
from pipelines.operate.cluster.order import end_together, start_in_order
from pipelines.operate.cluster.own_ports import require_free_ports
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
WORKER = "airflow-worker"


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
        self._description = Description(settings.home)
        self._keeper = KeeperProcess(settings)

    @property
    def secrets_file(self) -> Path:
        """The secrets that were made for this cluster, readable by their owner only."""
        return self._description.secrets_file

    @property
    def variables(self) -> dict[str, str]:
        """What the compose file's variables stand for since the cluster was started.

        Raises
        ------
        ProcessError
            It was never started.
        """
        return self._description.variables()

    def services(self) -> dict[str, Service]:
        """Return the services in the order in which they start, of the file as it was then."""
        return self._description.services()

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
            It runs already; another program has one of its ports; or a service did not become
            well: what was started is ended again.
        """
        # A second terminal waits, and then finds that it runs.
        with self._alone():
            self._require_stopped()
            # What a killed keeper left behind.
            self._end_all(grace_s=0.0)
            self._description.write(COMPOSE_FILE, workers, variables or {})
            for service in self.services().values():
                require_free_ports(service)
            try:
                start_in_order(self.containers())
                self._keeper.start()
            except BaseException:
                self._end_all(grace_s=0.0)
                raise

    def stop(self, grace_s: float | None = None) -> int:
        """End everything, what depends on others first; return how many containers ran.

        Parameters
        ----------
        grace_s : seconds that each may take to end by itself; those of the file if None.
        """
        if not self._description.exists:
            return 0
        with self._alone():
            return self._end_all(grace_s)

    def scale(self, workers: int) -> None:
        """Have another number of workers, while everything else goes on.

        Those that are too many finish what they have, as long as the file allows.

        Raises
        ------
        ProcessError
            It does not run, or a worker did not become well.
        """
        with self._alone():
            if not self._keeper.is_running():
                raise ProcessError(
                    "cluster", self._settings.home, "it does not run",
                    f"Start it: make up PROFILE=cluster WORKERS={workers}.",
                )  # fmt: skip
            # It knows the containers that there were when it was started.
            self._keeper.stop()
            try:
                before = self.containers(WORKER)
                self._description.write_workers(workers)
                for container in self.containers(WORKER)[len(before) :]:
                    container.start()
                end_together(before[workers:])
            finally:
                self._keeper.start()
        self.wait_until_well(WORKER)

    def stop_service(self, service: str, grace_s: float | None = None) -> None:
        """End a service's containers; they stay away until they are started."""
        with self._alone():
            end_together(self.containers(service), grace_s)

    def start_service(self, service: str, extra: Mapping[str, str] | None = None) -> None:
        """Start a service's containers and wait until they are well.

        Parameters
        ----------
        extra : variables on top of their environment, this time only: such as ``LD_PRELOAD``.
        """
        with self._alone():
            for container in self.containers(service):
                container.start(extra)
        self.wait_until_well(service)

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
        """Wait until every container, or those of a service, has passed its health check.

        One that ends meanwhile is waited for where it is started again.

        Raises
        ------
        ProcessError
            One ended and is not started again, or took too long.
        """
        for container in self.containers(service):
            if container.service.restarts:
                container.wait_until_well(is_kept=self._keeper.is_running())

    def api(self) -> AirflowApi:
        """Return a client of the API server, logged in as the first user."""
        known = self.variables
        user = known.get("ADMIN_USER", "admin")
        return AirflowApi(int(known["AIRFLOW_PORT"]), known["ADMIN_PASSWORD"], user)

    def environment(self, service: str = WORKER) -> dict[str, str]:
        """Return the environment of a service: with a worker's, `smartinvest` works as it does."""
        return self.container(service).environment()

    def run(self, command: Sequence[str], service: str = WORKER) -> int:
        """Run a command inside a service's first container and return how it ended."""
        return self.container(service).run(list(command), show=True)

    def revive(self, containers: Sequence[Container]) -> list[str]:
        """Start again those that ended although they should run; return their names.

        One that cannot be started, such as for lack of room for its log, is left for the next time.
        """
        revived = []
        with self._alone():
            for container in containers:
                if container.service.restarts and container.record and not container.is_running():
                    try:
                        container.start()
                    except (ProcessError, OSError) as error:
                        logger.error("%s cannot be started again: %s", container.name, error)
                    else:
                        revived.append(container.name)
        return revived

    def _require_stopped(self) -> None:
        if self._keeper.is_running():
            raise ProcessError(
                "cluster", self._settings.home, "it runs already",
                "End it first: make down PROFILE=cluster. For another number of workers: "
                "smartinvest cluster scale.",
            )  # fmt: skip

    def _end_all(self, grace_s: float | None) -> int:
        if not self._description.exists:
            return 0
        self._keeper.stop()
        running = [container for container in self.containers() if container.record]
        for name in reversed(self.services()):
            end_together([one for one in running if one.service.name == name], grace_s)
        return len(running)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no one else start or stop containers meanwhile: the keeper, another terminal."""
        folder = self._description.folder
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
