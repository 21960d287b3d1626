"""``smartinvest bench cluster``: one rebalance by one process, by one worker and by several.

A worker takes the groups of the DAG ``rebalance`` one after the other, each in a process of its
own as Airflow starts it, with what JSON hands over; it advises in one process (``workers=1``).
Everything else is that of production: the DAG's functions, one PostgreSQL server, one build.
Airflow and Celery themselves are left out, so that only the number of workers differs.

Each run begins with a copy of the same database, in which a session was brought to its forecasts,
and ends with the digests of all result tables. They must be equal.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.cluster_faults.evidence import broken_laws, table_digests
from benchmarks.measured import Measured, measured
from benchmarks.rebalance.population import write_population
from benchmarks.rebalance.server import Database, database_of
from pipelines.lineage import REPOSITORY, json_digest
from pipelines.progress import step
from pipelines.rebalance.market.market import read_market
from pipelines.rebalance.policy import POLICY
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import build_for
from pipelines.warehouse import connect as connect_warehouse

_MODULE = "benchmarks.cluster.part"
_FIRST_USE, _SESSION = dt.date(2022, 12, 23), dt.date(2022, 12, 27)
_ORDINARY_CLIENTS = "200"
_ALONE = 0
"""Number of workers of the run that is ``smartinvest rebalance`` in one process."""


@dataclass(frozen=True)
class Run:
    """What a run took: ``workers`` is 0 for one process that does all.

    ``seconds`` from the start of the first process to the end of the last; ``cpu_seconds`` of all
    of them, without the server's. ``peak_mib`` is that of the largest, times the workers.
    """

    workers: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    groups: int
    digest: str
    broken: tuple[str, ...]

    def line(self) -> dict[str, Any]:
        """Return what it measured, for JSON."""
        return {
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "cpu_seconds": round(self.cpu_seconds, 1),
            "peak_mib": round(self.peak_mib),
            "groups": self.groups,
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
            "peak_mib": round(last.peak_mib),
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
    accounts: int,
    workers: Sequence[int] = (1, 2),
    accounts_per_shard: int = 10_000,
    work: Path | None = None,
) -> ClusterBenchmark:
    """Rebalance so many made-up accounts alone and with each number of workers."""
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="bench-cluster-", dir=work) as folder:
        home = Path(folder)
        with database_of("postgresql", home) as database:
            settings = load_settings(
                {},
                home=home,
                store_url=database.url,
                workers=1,
                accounts_per_shard=accounts_per_shard,
                shards_per_group=2,
            )
            _prepare(settings)
            with step(f"make {accounts} accounts up"):
                _write_clientele(settings, accounts)
            runs = tuple(_run(settings, database, count) for count in (_ALONE, *workers))
    return ClusterBenchmark(accounts, load, runs)


def _prepare(settings: Settings) -> None:
    """Bring a session to its forecasts; rebalancing the one before compiles what is compiled."""
    environ = _environ(settings)

    def smartinvest(*arguments: str) -> None:
        with step(f"smartinvest {' '.join(arguments)}"):
            command = [sys.executable, "-m", "pipelines.cli", *arguments]
            subprocess.run(command, env=environ, check=True, capture_output=True)

    smartinvest("ingest")
    smartinvest("clients", "generate", "--count", _ORDINARY_CLIENTS, "--seed", "1")
    for session in (_FIRST_USE, _SESSION):
        for stage in ("transform", "train", "forecast"):
            smartinvest(stage, "--session", session.isoformat())
        if session == _FIRST_USE:
            smartinvest("rebalance", "--session", session.isoformat())


def _write_clientele(settings: Settings, accounts: int) -> None:
    """Make accounts up in the place of those that the session's build has."""
    build = build_for(settings, _SESSION)
    made_up = build.path / "made_up.duckdb"
    with connect_warehouse(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
    write_population(made_up, market, _SESSION, accounts, market_build=build.warehouse_path)
    made_up.replace(build.warehouse_path)


def _run(settings: Settings, database: Database, workers: int) -> Run:
    with _copy_of(database.url, f"workers_{workers}") as url, step(f"rebalance, {workers} workers"):
        own = settings.model_copy(update={"store_url": url})
        environ = _environ(own)
        began = time.monotonic()
        parts, groups = _alone(environ) if workers == _ALONE else _by_workers(environ, workers)
        seconds = time.monotonic() - began
        run_id = parts[-1].result["run_id"]
        return Run(
            workers=workers,
            seconds=seconds,
            cpu_seconds=sum(part.cpu_seconds for part in parts),
            peak_mib=max(part.peak_mib for part in parts) * max(workers, 1),
            groups=groups,
            digest=json_digest(table_digests(own, run_id)),
            broken=tuple(broken_laws(own, run_id)),
        )


def _alone(environ: Mapping[str, str]) -> tuple[list[Measured], int]:
    return [_part("alone", environ)], 1


def _by_workers(environ: Mapping[str, str], workers: int) -> tuple[list[Measured], int]:
    prepared = _part("prepare", environ)
    groups = prepared.result["groups"]
    with ThreadPoolExecutor(workers) as pool:
        advised = list(pool.map(lambda group: _part("advise", environ, [group]), groups))
    return [prepared, *advised, _part("publish", environ, groups)], len(groups)


def _part(
    name: str, environ: Mapping[str, str], groups: Sequence[Mapping[str, Any]] = ()
) -> Measured:
    return measured(
        _MODULE,
        name,
        _SESSION.isoformat(),
        environ=environ,
        sample_seconds=1.0,
        is_shown=True,
        given=json.dumps(groups),
    )


def _environ(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if "SMARTINVEST_" not in name}
    return own | settings.environment() | {"PYTHONPATH": str(REPOSITORY)}


@contextmanager
def _copy_of(url: str, name: str) -> Iterator[str]:
    """Yield a copy of a database of the same server, and take it away."""
    whole = sa.make_url(url)
    elsewhere = whole.set(database="template1").set(drivername="postgresql+psycopg")
    engine = sa.create_engine(elsewhere, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as server:
        server.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{whole.database}"'))
    try:
        yield whole.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as server:
            server.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
