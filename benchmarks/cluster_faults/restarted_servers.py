"""PostgreSQL restarted in mid-publication, Redis in mid-run, MLflow down while it is needed."""

import threading
import time

import sqlalchemy as sa

from benchmarks.cluster_faults.fault import Fault, Recovery
from benchmarks.cluster_faults.ground import Ground
from pipelines.errors import SmartInvestError
from pipelines.operate.airflow_api import DagRun
from pipelines.store import connect

_LAST_WRITTEN = "snapshot_file"
"""Table that a publication writes after others, before the run becomes visible."""


def _postgres(ground: Ground) -> Recovery:
    """Hold a table that a publication writes, so that it is in its middle for sure."""
    over = threading.Event()
    holder = threading.Thread(target=_hold, args=(ground, over), daemon=True)
    holder.start()
    try:
        run = ground.begin_anew()
        ground.wait(lambda: _publication_waits(ground), "a publication that has begun")
        injected = time.monotonic()
        ground.cluster.kill("postgres")
    finally:
        over.set()
        holder.join()
    story = "PostgreSQL killed while the publishing transaction was open, and started again"
    return ground.recovery(run, injected, story)


def _hold(ground: Ground, over: threading.Event) -> None:
    try:
        with connect(ground.settings) as store:
            store.execute(sa.text(f"LOCK TABLE {_LAST_WRITTEN} IN SHARE MODE"))
            over.wait()
    except SmartInvestError:
        over.wait()  # the restart has ended the transaction, as it should


def _publication_waits(ground: Ground) -> bool:
    waiting = sa.text(
        "SELECT count(*) FROM pg_locks "
        f"WHERE NOT granted AND relation = '{_LAST_WRITTEN}'::regclass"
    )
    with connect(ground.settings) as store:
        return bool(store.execute(waiting).scalar_one())


def _redis(ground: Ground) -> Recovery:
    def restart(_run: DagRun) -> str:
        ground.cluster.kill("redis")
        return "Redis killed in mid-shard, and started again"

    return ground.rebalanced_under(restart)


def _mlflow(ground: Ground) -> Recovery:
    """Keep the server away until a task has missed it."""
    ground.cluster.stop_service("mlflow", grace_s=5.0)
    injected = time.monotonic()
    try:
        run = ground.begin_anew("forecast")
        ground.wait(
            lambda: ground.api.task_runs(run, "up_for_retry", "failed"), "a task that misses MLflow"
        )
    finally:
        ground.cluster.start_service("mlflow")
    away = time.monotonic() - injected
    story = f"MLflow was away for {away:.0f} s, until a try of forecast had missed it"
    return ground.recovery(run, injected, story)


RESTARTED_SERVERS = (
    Fault(
        "PostgreSQL restarted in mid-publication",
        "nothing of the publication is seen; it is tried again and seen whole",
        r"postgres|SQL store|database|connection",
        _postgres,
    ),
    Fault(
        "Redis restarted",
        "workers connect again; no queued task is lost",
        r"redis|broker",
        _redis,
    ),
    Fault(
        "MLflow down during forecast",
        "forecast waits for it by retries, and the chain goes on",
        r"mlflow",
        _mlflow,
    ),
)
