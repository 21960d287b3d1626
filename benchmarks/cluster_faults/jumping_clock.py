"""A worker whose clock jumps by two days and back while it writes shards (libfaketime)."""

import time
from collections.abc import Mapping
from pathlib import Path

import libfaketime

from benchmarks.cluster_faults.fault import Fault, Recovery
from benchmarks.cluster_faults.ground import Ground
from pipelines.operate.airflow_api import DagRun
from pipelines.operate.cluster.cluster import WORKER
from pipelines.operate.cluster.container import Container

_LIBRARY = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src"
_AHEAD, _BEHIND, _RIGHT = "+2d", "-2d", "+0"
_JUMP_S = 5.0
_REPLICA = 2


def _jump(ground: Ground) -> Recovery:
    """Give one worker a clock of its own, and set that ahead, then back, while it writes shards."""
    clock = ground.source.with_name("clock")
    clock.write_text(_RIGHT)
    worker = ground.cluster.container(WORKER, _REPLICA)
    _start_anew(worker, _faked(clock))

    def jump(_run: DagRun) -> str:
        for setting in (_AHEAD, _BEHIND):
            clock.write_text(setting)
            time.sleep(_JUMP_S)
        return "the clock of one of two workers jumped two days ahead, then two days behind"

    try:
        return ground.rebalanced_under(jump)
    finally:
        _start_anew(worker, {})


def _start_anew(worker: Container, extra: Mapping[str, str]) -> None:
    worker.stop(grace_s=10.0)
    worker.start(extra)
    worker.wait_until_well()


def _faked(clock: Path) -> Mapping[str, str]:
    return {
        "LD_PRELOAD": str(_LIBRARY / "libfaketime.so.1"),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        # Processes of a worker share no memory: each reads the clock's file.
        "FAKETIME_DISABLE_SHM": "1",
    }


JUMPING_CLOCK = (
    Fault(
        "jumping clock",
        "shards are the same whatever the clock says; heartbeats count by the server's clock",
        "",
        _jump,
    ),
)
