"""A native cluster of a benchmark's own: on free ports, driven to the end of a session's chain."""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import ProcessError
from pipelines.operate.airflow_api import DagRun
from pipelines.operate.airflow_config import HOST
from pipelines.operate.airflow_local import DAG_IDS
from pipelines.operate.chain import Chain
from pipelines.operate.cluster import Cluster
from pipelines.operate.ports import free_port
from pipelines.settings import load_settings
from pipelines.store import tables
from pipelines.store.run_rows import delete_advice

CHAIN_PATIENCE_S = 3600.0
"""For a session's chain, with a training, on a machine that may be busy."""

_GRACE_S = 10.0
_LOOK_EVERY_S = 0.1


def own_addresses() -> dict[str, str]:
    """Return ports of its own: another cluster of this machine may have the usual ones.

    Not of those that the kernel gives to outgoing connections: a killed server wants its own back.
    """
    airflow, tracking = free_port(18_080), free_port(15_000)
    return {
        "AIRFLOW_PORT": str(airflow),
        "AIRFLOW_URL": f"http://{HOST}:{airflow}",
        "TRACKING_PORT": str(tracking),
    }


@contextmanager
def running_cluster(
    home: Path, workers: int, variables: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """Start a cluster on a home, and end it and all that it started."""
    cluster = Cluster(load_settings({}, home=home))
    try:
        cluster.start(workers, own_addresses() | dict(variables or {}))
        yield cluster
    finally:
        cluster.stop(grace_s=_GRACE_S)


def generate_clients(environ: Mapping[str, str], clients: int, session: dt.date) -> None:
    """Generate clients into the store of an environment, worth what they are at a session."""
    command = [sys.executable, "-m", "pipelines.cli", "clients", "generate", "--seed", "1"]
    own = {**environ, "SMARTINVEST_SESSION": session.isoformat()}
    subprocess.run([*command, "--count", str(clients)], env=own, check=True)


def run_chain(cluster: Cluster, session: dt.date) -> list[DagRun]:
    """Trigger ``ingest`` for a session and return the runs of all DAGs once the last succeeded.

    Raises
    ------
    ProcessError
        A DAG failed, or it took too long.
    """
    with closing(cluster.api()) as api:
        chain = Chain(api, api.trigger(DAG_IDS[0], session), DAG_IDS, session)
        deadline = time.monotonic() + CHAIN_PATIENCE_S
        while not chain.complete:
            if chain.failed is not None or time.monotonic() > deadline:
                raise ProcessError(
                    "chain", session, f"it stands at {chain.stages()}", "See the cluster's logs."
                )
            time.sleep(_LOOK_EVERY_S)
            chain.poll()
        return chain.runs


def withdraw(store: sa.Connection, run_id: str) -> None:
    """Take a run's advice out, so that it has to be made again; its forecasts stay."""
    delete_advice(store, [run_id])
    run = tables["advice_run"]
    store.execute(
        run.update()
        .where(run.c.run_id == run_id)
        .values(status=RunStatus.BUILDING.value, published_at=None, supersedes=None)
    )
