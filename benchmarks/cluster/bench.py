"""``smartinvest bench cluster``: one rebalance by one process, by one Celery worker and by several.

A native cluster brings a session to its advice once, which also compiles what is compiled. Then
the advice is withdrawn and made anew: by the DAG ``rebalance`` with each number of workers, and by
``smartinvest rebalance`` in one process. A worker takes one task at a time and advises in one
process, so that only the number of workers differs. All result tables must have equal digests.
"""

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.cluster.native import (
    CHAIN_PATIENCE_S,
    generate_clients,
    run_chain,
    running_cluster,
    withdraw,
)
from benchmarks.cluster_faults.evidence import broken_laws, table_digests
from pipelines.errors import ProcessError
from pipelines.lineage import json_digest
from pipelines.operate.cluster import Cluster
from pipelines.operate.summary import published_runs
from pipelines.progress import step
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables, transaction

SESSION = dt.date(2022, 12, 27)
_ALONE = 0
"""Number of workers of the run that is ``smartinvest rebalance`` in one process."""
_ONE_AT_A_TIME = {
    "WORKER_CONCURRENCY": "1",
    "SMARTINVEST_WORKERS": "1",
    "SCHEDULE_SESSIONS": "False",
}
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Run:
    """What a run took: ``workers`` is 0 for one process that does all.

    ``seconds`` from the trigger, or the start of the one process, to the moment of publication.
    """

    workers: int
    seconds: float
    digest: str
    broken: tuple[str, ...]

    def line(self) -> dict[str, Any]:
        """Return what it measured, for JSON."""
        return {
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "digest": self.digest,
            "broken": list(self.broken),
        }


@dataclass(frozen=True)
class ClusterBenchmark:
    """All runs of one benchmark; ``load_at_start`` says what else the machine did."""

    accounts: int
    load_at_start: float
    runs: tuple[Run, ...]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON: the measures of most workers, and of all."""
        last = max(self.runs, key=lambda run: run.workers)
        one = next((run for run in self.runs if run.workers == 1), last)
        return {
            "bench": "cluster",
            "seconds": round(last.seconds, 1),
            "per_second": round(self.accounts / last.seconds),
            "peak_mib": None,
            "ratios": {"one_worker": round(one.seconds / last.seconds, 2)},
            "errors": {
                "digests_that_differ": len({run.digest for run in self.runs}) - 1,
                "broken_laws": sum(len(run.broken) for run in self.runs),
            },
            "accounts": self.accounts,
            "load_at_start": self.load_at_start,
            "runs": [run.line() for run in self.runs],
        }


def run(
    clients: int,
    workers: Sequence[int] = (1, 2),
    accounts_per_shard: int = 10_000,
    work: Path | None = None,
) -> ClusterBenchmark:
    """Rebalance all accounts of so many clients with each number of workers, and alone."""
    load = round(os.getloadavg()[0], 2)
    variables = _ONE_AT_A_TIME | {"SMARTINVEST_ACCOUNTS_PER_SHARD": str(accounts_per_shard)}
    with (
        tempfile.TemporaryDirectory(prefix="bench-cluster-", dir=work) as folder,
        running_cluster(Path(folder) / "home", max(workers), variables) as cluster,
    ):
        settings = load_settings(cluster.environment())
        generate_clients(cluster.environment(), clients, SESSION)
        with step(f"the chain of {SESSION}"):
            run_chain(cluster, SESSION)
        [run_id] = published_runs(settings, SESSION)
        runs = []
        # Most first, as those are running; each number has its workers warm from the chain.
        for count in (*sorted(workers, reverse=True), _ALONE):
            if count != _ALONE:
                cluster.scale(count)
            with step(f"rebalance, {count or 'no'} workers"):
                runs.append(_run(cluster, settings, run_id, count))
        return ClusterBenchmark(_accounts(settings, run_id), load, tuple(runs))


def _run(cluster: Cluster, settings: Settings, run_id: str, workers: int) -> Run:
    with transaction(settings) as store:
        withdraw(store, run_id)
    made = _alone if workers == _ALONE else _by_workers
    began = dt.datetime.now(dt.UTC)
    made(cluster)
    published = published_runs(settings, SESSION)[run_id]
    return Run(
        workers=workers,
        seconds=(published - began).total_seconds(),
        digest=json_digest(table_digests(settings, run_id)),
        broken=tuple(broken_laws(settings, run_id)),
    )


def _alone(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "rebalance", "--session", str(SESSION)]
    subprocess.run(command, env=cluster.environment(), check=True, capture_output=True)


def _by_workers(cluster: Cluster) -> None:
    deadline = time.monotonic() + CHAIN_PATIENCE_S
    with closing(cluster.api()) as api:
        run = api.trigger("rebalance", SESSION)
        while run.ended_at is None and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
            run = api.dag_run(run.dag_id, run.run_id)
    if run.state != "success":
        raise ProcessError("DAG run", run.run_id, f"it is {run.state}", "See its tasks' logs.")


def _accounts(settings: Settings, run_id: str) -> int:
    outcome = tables["client_outcome"]
    counted = sa.select(sa.func.count()).where(outcome.c.run_id == run_id)
    with connect(settings) as store:
        return int(store.execute(counted).scalar_one())
