"""A worker, both workers, the scheduler or the DAG processor killed while shards are written."""

from benchmarks.cluster_faults.evidence import shards_written
from benchmarks.cluster_faults.fault import Fault, Recovery
from benchmarks.cluster_faults.ground import Ground
from pipelines.operate.airflow_api import DagRun
from pipelines.operate.cluster.cluster import WORKER


def _killed(ground: Ground, service: str, replica: int | None = None) -> Recovery:
    def kill(_run: DagRun) -> str:
        written = shards_written(ground.settings, ground.session)
        ground.cluster.kill(service, replica)
        which = service if replica is None else f"{service} {replica}"
        return f"SIGKILL to {which} and all under it, {written} shards written"

    return ground.rebalanced_under(kill)


def _worker(ground: Ground) -> Recovery:
    return _killed(ground, WORKER, 1)


def _both_workers(ground: Ground) -> Recovery:
    return _killed(ground, WORKER)


def _scheduler(ground: Ground) -> Recovery:
    return _killed(ground, "airflow-scheduler")


def _dag_processor(ground: Ground) -> Recovery:
    return _killed(ground, "airflow-dag-processor")


KILLED_PROCESSES = (
    Fault(
        "worker killed",
        "its group of shards is tried again, on either worker; what was written stays",
        r"worker|heartbeat|SIGKILL|signal 9",
        _worker,
    ),
    Fault(
        "both workers killed",
        "both are started again and finish the run",
        r"worker|heartbeat|SIGKILL|signal 9",
        _both_workers,
    ),
    Fault(
        "scheduler killed",
        "tasks that run go on; the next scheduler adopts them and ends the run",
        r"scheduler",
        _scheduler,
    ),
    Fault(
        "dag-processor killed",
        "the run under way does not notice",
        r"dag.processor",
        _dag_processor,
    ),
)
