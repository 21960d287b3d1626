"""``smartinvest bench train``: training the network and forecasting with all models.

All who train do the same work in one run, one after the other, each in a process of its own: the
same windows, network, loss, optimizer and number of batches; the clock starts after a first epoch,
in which they compile.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measured import Measured, measured
from benchmarks.peers_environment import Peers, peers_python
from benchmarks.train.moving_averages import moving_averages
from benchmarks.train.task import BATCH, FEATURES, UNITS, WINDOW_SESSIONS, Task
from pipelines.lineage import REPOSITORY
from pipelines.settings import load_settings

_ROOM = "benchmarks.train"
_SAMPLE_SECONDS = 0.5
"""Between two looks at memory: a look at gigabytes would slow the training that it looks at."""


@dataclass(frozen=True)
class TrainBenchmark:
    """What one run measured.

    ``load_at_start`` is the machine's load average before: what others did makes all slower.
    """

    task: Task
    load_at_start: float
    ours: Measured
    peers: dict[str, Measured]
    forecast: Measured
    moving_averages: dict[str, Any]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        ours, peers = self.ours, self.peers
        everyone = {"ours": ours, **peers}
        return {
            "bench": "train",
            "seconds": round(ours.seconds, 3),
            "per_second": round(self.task.samples / ours.seconds),
            "peak_mib": round(ours.peak_mib),
            "ratios": {
                **{name: round(peer.seconds / ours.seconds, 3) for name, peer in peers.items()},
                **{
                    f"{name}_memory": round(peer.peak_mib / ours.peak_mib, 2)
                    for name, peer in peers.items()
                },
            },
            "errors": {name: peer.result["error"] for name, peer in peers.items()},
            "units": list(UNITS),
            "window_sessions": WINDOW_SESSIONS,
            "features": FEATURES,
            "batch": BATCH,
            "samples": self.task.samples,
            "windows": self.task.windows,
            "load_at_start": self.load_at_start,
            "seconds_of": {name: round(one.seconds, 3) for name, one in everyone.items()},
            "cpu_seconds_of": {name: round(one.cpu_seconds, 1) for name, one in everyone.items()},
            "peak_mib_of": {name: round(one.peak_mib) for name, one in everyone.items()},
            "loss_of": {name: round(one.result["loss"], 4) for name, one in everyone.items()},
            "forecast_5000_symbols": {
                "seconds": round(self.forecast.seconds, 3),
                "peak_mib": round(self.forecast.peak_mib),
            },
            "moving_averages": self.moving_averages,
        }


def run(task: Task, *, torch: bool = True, moving_average_symbols: int = 5000) -> TrainBenchmark:
    """Let all contestants work.

    Parameters
    ----------
    torch : whether PyTorch is a peer; its environment takes four gigabytes.

    Raises
    ------
    ProcessError
        PyTorch cannot be installed.
    """
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "2"}
    pythons: dict[str, Path | None] = {"keras_fit": None}
    if torch:
        pythons["torch"] = peers_python(load_settings(), Peers.TORCH)
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        given = (*task.arguments(), f"{folder}/weights.npz")
        how: dict[str, Any] = {"environ": environ, "sample_seconds": _SAMPLE_SECONDS}
        ours = measured(f"{_ROOM}.ours", "train", *given, **how)
        peers = {
            name: measured(
                f"{_ROOM}.{name.removesuffix('_fit')}_peer", *given, python=python, **how
            )
            for name, python in pythons.items()
        }
    forecast = measured(f"{_ROOM}.ours", "forecast", **how)
    return TrainBenchmark(
        task=task,
        load_at_start=load,
        ours=ours,
        peers=peers,
        forecast=forecast,
        moving_averages=moving_averages(symbols=moving_average_symbols),
    )
