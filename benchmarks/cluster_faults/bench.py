"""Start a cluster once, break it in every way, and put down what came of it."""

import contextlib
import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cluster.native import generate_clients, run_chain, running_cluster
from benchmarks.cluster_faults.data_faults import DATA_FAULTS
from benchmarks.cluster_faults.examination import examine
from benchmarks.cluster_faults.fault import Fault, Finding
from benchmarks.cluster_faults.ground import Ground, reference_of
from benchmarks.cluster_faults.jumping_clock import JUMPING_CLOCK
from benchmarks.cluster_faults.killed_processes import KILLED_PROCESSES
from benchmarks.cluster_faults.page import write_page
from benchmarks.cluster_faults.restarted_servers import RESTARTED_SERVERS
from benchmarks.cluster_faults.run_faults import RUN_FAULTS
from benchmarks.cluster_faults.source_folder import write_source
from benchmarks.cluster_faults.webhook import Webhook, listening
from pipelines.errors import SettingError
from pipelines.ingest.sample import SampleProvider
from pipelines.sessions import session_after
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

FAULTS: tuple[Fault, ...] = (
    *KILLED_PROCESSES,
    *RESTARTED_SERVERS,
    *JUMPING_CLOCK,
    *RUN_FAULTS,
    *DATA_FAULTS,
)
"""All that is injected, in this order: accounts, once poisoned, stay so."""

_WORKERS = 2
_ACCOUNTS_PER_SHARD = 50
_SHARDS_PER_GROUP = 10
_SESSIONS_LEFT = 3
_LAKE_MIB = 1024


@dataclass(frozen=True)
class FaultBenchmark:
    """What came of each fault, and the seconds of all with the cluster's start."""

    findings: tuple[Finding, ...]
    seconds: float

    def line(self) -> dict[str, Any]:
        """Return the machine-readable line."""
        recovered = [found.seconds for found in self.findings if found.seconds is not None]
        return {
            "bench": "cluster-faults",
            "seconds": round(self.seconds, 1),
            "per_second": None,
            "peak_mib": None,
            "ratios": {},
            "errors": {
                "not_met": sum(bool(found.broken) for found in self.findings),
                "never_recovered": len(self.findings) - len(recovered),
                "slowest_recovery_seconds": round(max(recovered, default=0.0), 1),
            },
            "not_met": [found.fault.name for found in self.findings if found.broken],
        }


def run(only: str, clients: int, work: Path | None, page: Path | None) -> FaultBenchmark:
    """Inject all faults, or those whose name contains ``only``, each into the same cluster.

    Parameters
    ----------
    work : folder for the home, kept afterwards; a temporary one if None.
    page : file that gets the table.

    Raises
    ------
    SettingError
        No fault has such a name.
    """
    chosen = [fault for fault in FAULTS if only.lower() in fault.name.lower()]
    if not chosen:
        names = ", ".join(fault.name for fault in FAULTS)
        raise SettingError("--only", only, "no fault's name contains it", f"There are: {names}.")
    began = time.monotonic()
    findings: list[Finding] = []
    conditions = f"{clients:,} generated clients in shards of {_ACCOUNTS_PER_SHARD} accounts."
    with _ground(clients, work) as ground:
        for fault in chosen:
            findings.append(examine(ground, fault))
            if page is not None:
                write_page(page, findings, conditions)
            with contextlib.suppress(TimeoutError):
                ground.settle()
    return FaultBenchmark(tuple(findings), time.monotonic() - began)


@contextlib.contextmanager
def _ground(clients: int, work: Path | None) -> Iterator[Ground]:
    """Start a cluster on a home of its own and have one session's advice made undisturbed."""
    with contextlib.ExitStack() as stack:
        if work is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-faults-")))
        source, lake = work / "source", work / "lake"
        webhook = stack.enter_context(listening())
        write_source(source)
        stack.enter_context(_small_disk(lake))
        variables = _variables(source, lake, webhook)
        cluster = stack.enter_context(running_cluster(work / "home", _WORKERS, variables))
        settings = load_settings(cluster.environment())
        session = session_after(SampleProvider().newest_session(), -_SESSIONS_LEFT)
        generate_clients(cluster.environment(), clients, session)
        sessions = [session_after(session, count) for count in range(1, _SESSIONS_LEFT + 1)]
        ground = Ground(cluster, cluster.api(), settings, webhook, source, session, sessions)
        run_chain(cluster, session)
        ground.settle()
        ground.reference = reference_of(settings, session)
        yield ground


def _variables(source: Path, lake: Path, webhook: Webhook) -> dict[str, str]:
    return {
        "LAKE_URL": str(lake),
        "SMARTINVEST_SOURCE": "files",
        "SMARTINVEST_FILES_FOLDER": str(source),
        "SMARTINVEST_ALERT_WEBHOOK": webhook.url,
        "SMARTINVEST_ACCOUNTS_PER_SHARD": str(_ACCOUNTS_PER_SHARD),
        "SMARTINVEST_SHARDS_PER_GROUP": str(_SHARDS_PER_GROUP),
    }


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """Let a folder lie on a small disk of its own, which only root may make."""
    folder.mkdir(parents=True)
    if os.geteuid() != 0:
        logger.warning("only root may mount a small disk; the lake stays on that of the home")
        yield
        return
    options = ("-t", "tmpfs", "-o", f"size={_LAKE_MIB}m", "tmpfs", str(folder))
    subprocess.run(["mount", *options], check=True)  # noqa: S607 - wherever the system has it
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
