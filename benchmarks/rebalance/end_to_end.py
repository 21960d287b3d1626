"""A rebalance of a whole clientele, from reading a build to published trades, on two days.

The market is the bundled sample's last three sessions and went through every stage before. On the
first of them a few ordinary clients are rebalanced by the ordinary stage, as in any home that has
been in use: that compiles what is compiled once for each release of the code (``first_use_seconds``
is what it took, and no part of the rest). Then the clientele is made up in the build's place.

Measured is what ``smartinvest rebalance`` does: read, decide, solve, verify, size, explain, write,
publish. The first day advises everybody for the first time. On the day after
(``ordinary_day``) its trades are filled and prices are the next session's, for which about one
account in twenty trades. The invariants are asked of what either wrote.

``seconds_by_tenth`` says whether an account costs the same in an empty and in a full store: the
first tenth has the start in it, the others only accounts.
"""

import dataclasses
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.measured import Measured, measured
from benchmarks.rebalance.next_day import write_next_day
from benchmarks.rebalance.population import write_population
from benchmarks.rebalance.server import Database, Taken, database_of
from pipelines.lineage import REPOSITORY
from pipelines.progress import step
from pipelines.rebalance.market.market import read_market
from pipelines.rebalance.output.invariants import violations
from pipelines.rebalance.policy import POLICY
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables
from pipelines.warehouse import WarehouseBuild, build_for
from pipelines.warehouse import connect as connect_warehouse

_MODULE = "benchmarks.rebalance.one_day"
_FIRST_USE, _FIRST_DAY, _ORDINARY_DAY = (dt.date(2022, 12, day) for day in (23, 27, 28))
_ORDINARY_CLIENTS = "200"
_WRITTEN = (
    *("client_outcome", "target_allocation", "counterfactual_target"),
    *("trade", "trade_reason", "trade_lot", "goal_projection"),
)


@dataclass(frozen=True)
class Day:
    """What one rebalance measured: ``violations`` by law, ``rows`` by table, ``outcomes`` by kind.

    ``run`` is of our processes, ``server`` of the database's.
    """

    run: Measured
    server: Taken
    rows: dict[str, int]
    outcomes: dict[str, int]
    traded: int
    solved: int
    violations: dict[str, int]

    def line(self) -> dict[str, Any]:
        """Return what it measured, for JSON."""
        found, accounts = self.run.result, self.run.result["accounts"]
        return {
            "seconds": round(self.run.seconds, 1),
            "per_second": round(accounts / self.run.seconds),
            "peak_mib": round(self.run.peak_mib),
            "accounts": accounts,
            "traded_share": round(self.traded / accounts, 3),
            "solved_share": round(self.solved / accounts, 4),
            "cpu_seconds": round(self.run.cpu_seconds, 1),
            "micros_per_account": found["micros_per_account"],
            "seconds_by_tenth": found["seconds_by_tenth"],
            "publication_seconds": round(found["publication_seconds"], 1),
            "server_cpu_seconds": round(self.server.cpu_seconds, 1),
            "server_peak_mib": round(self.server.peak_mib),
            "disk_mib": round(self.server.disk_mib),
            "outcomes": self.outcomes,
            "rows": self.rows,
            "violations": self.violations,
        }


@dataclass(frozen=True)
class EndToEnd:
    """What the two days measured, one after the other in the same store."""

    store: str
    first_use_seconds: float
    first_day: Day
    ordinary_day: Day

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON: the first day's measures, and the others'."""
        days = (self.first_day, self.ordinary_day)
        return {
            "bench": "rebalance",
            **self.first_day.line(),
            "ratios": {},
            "errors": {"violations": sum(sum(day.violations.values()) for day in days)},
            "store": self.store,
            "first_use_seconds": round(self.first_use_seconds, 1),
            "ordinary_day": self.ordinary_day.line(),
        }


def run(accounts: int, store: str, work: Path | None = None) -> EndToEnd:
    """Rebalance so many accounts into a new store of a kind, ``sqlite`` or ``postgresql``."""
    with tempfile.TemporaryDirectory(prefix="bench-e2e-", dir=work) as folder:
        home = Path(folder)
        with database_of(store, home) as database:
            settings = load_settings({}, home=home, store_url=database.url)
            environ = _environ(settings)
            first_use_seconds = _prepare(environ)
            first, second = home / "first", home / "second"
            with step(f"make {accounts} accounts up"):
                _write_clientele(settings, first, accounts)
            first_day = _day(settings, database, environ, first, _FIRST_DAY)
            with step("make the day after up"):
                _write_day_after(settings, first, second, first_day.run.result["run_id"])
            ordinary_day = _day(settings, database, environ, second, _ORDINARY_DAY)
    return EndToEnd(store, first_use_seconds, first_day, ordinary_day)


def _environ(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if "SMARTINVEST_" not in name}
    return {
        **own,
        "PYTHONPATH": str(REPOSITORY),
        "SMARTINVEST_HOME": str(settings.home),
        "SMARTINVEST_STORE_URL": settings.store_url,
        **settings.libraries_environment(),
    }


def _prepare(environ: Mapping[str, str]) -> float:
    """Bring three sessions to their forecasts; return how long the first rebalance took."""

    def smartinvest(*arguments: str) -> None:
        with step(f"smartinvest {' '.join(arguments)}"):
            command = [sys.executable, "-m", "pipelines.cli", *arguments]
            subprocess.run(command, env=environ, check=True, capture_output=True)

    smartinvest("ingest")
    smartinvest("clients", "generate", "--count", _ORDINARY_CLIENTS, "--seed", "1")
    took = 0.0
    for session in (_FIRST_USE, _FIRST_DAY, _ORDINARY_DAY):
        for stage in ("transform", "train", "forecast"):
            smartinvest(stage, "--session", session.isoformat())
        if session == _FIRST_USE:
            began = time.perf_counter()
            smartinvest("rebalance", "--session", session.isoformat())
            took = time.perf_counter() - began
    return took


def _clientele_in(build: WarehouseBuild, folder: Path) -> Path:
    """Return where a clientele's warehouse file lies in a folder that stands for a build."""
    return dataclasses.replace(build, path=folder).warehouse_path


def _write_clientele(settings: Settings, folder: Path, accounts: int) -> None:
    build = build_for(settings, _FIRST_DAY)
    with connect_warehouse(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
    folder.mkdir()
    write_population(
        _clientele_in(build, folder),
        market,
        _FIRST_DAY,
        accounts,
        market_build=build.warehouse_path,
    )


def _write_day_after(settings: Settings, first: Path, second: Path, run_id: str) -> None:
    build = build_for(settings, _ORDINARY_DAY)
    second.mkdir()
    with connect(settings) as store:
        write_next_day(
            _clientele_in(build, first),
            _clientele_in(build, second),
            store,
            run_id,
            _FIRST_DAY,
            market_build=build.warehouse_path,
            days=(_ORDINARY_DAY - _FIRST_DAY).days,
            drifted_share=0.0,
        )


def _day(
    settings: Settings,
    database: Database,
    environ: Mapping[str, str],
    clientele: Path,
    session: dt.date,
) -> Day:
    before = _row_counts(settings)
    with step(f"rebalance {session}"), database.watched() as taken:
        found = measured(
            _MODULE,
            str(clientele),
            session.isoformat(),
            environ=environ,
            sample_seconds=1.0,
            is_shown=True,
        )
    with step("let the server settle"):
        database.settle()
    run_id = found.result["run_id"]
    after = _row_counts(settings)
    with connect(settings) as connection:
        outcome = tables["client_outcome"]
        of_run = outcome.c.run_id == run_id
        outcomes = connection.execute(
            sa.select(outcome.c.outcome, sa.func.count()).where(of_run).group_by(outcome.c.outcome)
        ).all()
        traded, solved = (
            connection.execute(sa.select(sa.func.count()).where(of_run, condition)).scalar_one()
            for condition in (
                outcome.c.sells_cents + outcome.c.buys_cents > 0,
                outcome.c.solver.is_not(None),
            )
        )
        with step("ask the invariants"):
            broken = violations(connection, run_id)
    [server] = taken
    rows = {name: after[name] - before[name] for name in _WRITTEN}
    return Day(found, server, rows, dict(outcomes), traded, solved, broken)


def _row_counts(settings: Settings) -> dict[str, int]:
    with connect(settings) as connection:
        return {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(tables[name])
            ).scalar_one()
            for name in _WRITTEN
        }
