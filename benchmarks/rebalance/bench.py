"""``smartinvest bench rebalance``: solving and verifying accounts, beside three libraries.

Ours and the peers solve the same accounts in one run, one after the other, on the same two cores.
Peers solve the first of them only, since they need milliseconds for each. The reference is the
definition in cvxpy, solved by Clarabel to a tolerance of 1e-12.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import Measured, measured
from benchmarks.peers_environment import Peers, peers_python
from benchmarks.rebalance.reference import utilities
from benchmarks.rebalance.task import THREADS_OF, Array, made_up_accounts
from pipelines.lineage import REPOSITORY
from pipelines.settings import load_settings

_ROOM = "benchmarks.rebalance"
PEERS = ("pypfopt", "skfolio", "riskfolio")


@dataclass(frozen=True)
class RebalanceBenchmark:
    """What one run measured.

    ``errors`` are the largest differences from the reference over the accounts that peers solved:
    of ours in weight and in objective, of the peers in weight. Riskfolio-Lib leaves out trading
    cost and turnover, which is its error.
    """

    accounts: int
    peer_accounts: int
    load_at_start: float
    ours: Measured
    peers: dict[str, Measured]
    errors: dict[str, float]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        per_second = self.accounts / self.ours.seconds
        theirs = {name: self.peer_accounts / peer.seconds for name, peer in self.peers.items()}
        return {
            "bench": "rebalance",
            "seconds": round(self.ours.seconds, 3),
            "per_second": round(per_second),
            "peak_mib": round(self.ours.peak_mib),
            "ratios": {name: round(per_second / rate) for name, rate in theirs.items()},
            "errors": self.errors,
            "accounts": self.accounts,
            "load_at_start": self.load_at_start,
            "per_second_of": {name: round(rate, 1) for name, rate in theirs.items()},
            **self.ours.result,
        }


def run(accounts: int, peer_accounts: int) -> RebalanceBenchmark:
    """Let all contestants solve.

    Raises
    ------
    ProcessError
        The peers cannot be installed.
    """
    settings = load_settings()
    python = peers_python(settings, Peers.PORTFOLIO)
    own = {**settings.libraries_environment(), "PYTHONPATH": str(REPOSITORY)}
    environ = {**os.environ, **THREADS_OF, **own}
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="bench-rebalance-") as folder:
        given = Path(folder) / "accounts.npz"
        np.savez(given, **made_up_accounts(accounts))  # type: ignore[arg-type]

        def solve(name: str, count: int, python: Path | None = None) -> Measured:
            arguments = (
                str(given),
                str(count),
                f"{folder}/{name}.np{'z' if name == 'ours' else 'y'}",
            )
            return measured(f"{_ROOM}.{name}", *arguments, environ=environ, python=python)

        ours = solve("ours", accounts)
        peers = {name: solve(f"{name}_peer", peer_accounts, python) for name in PEERS}
        solve("reference", peer_accounts)
        names = ("reference", *(f"{name}_peer" for name in PEERS))
        weights = {name: np.load(f"{folder}/{name}.npy") for name in names}
        own = np.load(f"{folder}/ours.npz")
    best = utilities(made_up_accounts(accounts), weights["reference"])
    errors = {
        "weight": _worst(own["weights"][:peer_accounts], weights["reference"]),
        "objective": _worst(own["objective"][:peer_accounts], best),
        **{name: _worst(weights[f"{name}_peer"], weights["reference"]) for name in PEERS},
    }
    return RebalanceBenchmark(accounts, peer_accounts, load, ours, peers, errors)


def _worst(weights: Array, reference: Array) -> float:
    return float(np.abs(weights - reference).max())
