"""What a cluster is since it was started, written down for whoever speaks of it until it has ended.

Three files under ``home/cluster``: what the variables of the compose file stand for, the compose
file as it was, and the secrets that were made.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster import variables as values
from pipelines.operate.cluster.compose import Service, read_services, variables_of
from pipelines.operate.cluster.container import ROLE


@dataclass(frozen=True)
class Description:
    """The description of the cluster of one home."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where it lies, and the cluster's volumes."""
        return self.home / ROLE

    @property
    def secrets_file(self) -> Path:
        """The secrets that were made for this cluster, readable by their owner only."""
        return self.folder / "secrets.env"

    @property
    def exists(self) -> bool:
        """Whether the cluster was ever started."""
        return self._compose_file.exists()

    def variables(self) -> dict[str, str]:
        """Return what the compose file's variables stand for.

        Raises
        ------
        ProcessError
            The cluster was never started.
        """
        if not self.exists:
            raise ProcessError(
                "cluster", self.home, "it was not started", "Start it: make up PROFILE=cluster."
            )
        return values.read_variables(self._variables_file)

    def services(self) -> dict[str, Service]:
        """Return the services in the order in which they start, of the compose file as it was."""
        return read_services(self._compose_file, self.variables())

    def write(self, compose_file: Path, workers: int | None, variables: Mapping[str, str]) -> None:
        """Write down what is about to be started; secrets that nobody gave are made.

        Parameters
        ----------
        workers, variables : as of :meth:`pipelines.operate.cluster.Cluster.start`.
        """
        given = values.given_variables(variables_of(compose_file), REPOSITORY / ".env")
        given |= {} if workers is None else {"WORKERS": str(workers)}
        given |= values.addresses(given) | dict(variables)
        whole = values.with_secrets(given, self.secrets_file)
        values.write_variables(self._variables_file, whole)
        # Whoever ends the cluster needs the file as it was, whatever it is by then.
        shutil.copyfile(compose_file, self._compose_file)

    def write_workers(self, workers: int) -> None:
        """Write down another number of workers."""
        changed = {**self.variables(), "WORKERS": str(workers)}
        values.write_variables(self._variables_file, changed)

    @property
    def _variables_file(self) -> Path:
        return self.folder / "running.env"

    @property
    def _compose_file(self) -> Path:
        return self.folder / "running.yml"
