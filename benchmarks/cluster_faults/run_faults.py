"""One DAG twice at once, a published run cleared, and a migration while shards are written."""

import subprocess
import sys
import time

import sqlalchemy as sa

from benchmarks.cluster_faults.fault import Fault, Recovery
from benchmarks.cluster_faults.ground import Ground
from pipelines.operate.airflow_api import DagRun
from pipelines.store import connect, tables
from pipelines.store.engine import migration
from pipelines.store.schema import SCHEMA_VERSION

_NEXT_VERSION = "next"
_REFUSAL_PATIENCE_S = 120.0


def _twice(ground: Ground) -> Recovery:
    """Trigger a second DAG run, and start a third rebalance by hand beside them."""
    also: list[DagRun] = []
    by_hand: list[subprocess.Popen[bytes]] = []

    def again(_run: DagRun) -> str:
        also.append(ground.api.trigger("rebalance", ground.session))
        command = ["-m", "pipelines.cli", "rebalance", "--session", str(ground.session)]
        by_hand.append(
            subprocess.Popen(
                [sys.executable, *command],
                env=ground.cluster.environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return "a second DAG run for the session, and a rebalance by hand, while the first writes"

    recovery = ground.rebalanced_under(again, after_shards=1)
    code = by_hand[0].wait()
    second = ground.wait(lambda: ground.ended(also[0]), "the end of the second DAG run")
    ended = f"{recovery.story}; the second ended in {second.state}, that by hand with code {code}"
    return ground.seen_again(recovery, ended, ok=second.state == "success" and code == 0)


def _cleared(ground: Ground) -> Recovery:
    """Clear all tasks of the DAG run that has published, so that they run again."""
    run = ground.begin_anew()
    ground.wait(lambda: ground.ended(run), f"the end of DAG run {run.run_id}")
    published = _published_row(ground)
    injected = time.monotonic()
    ground.api.begin_anew(run)
    story = "the DAG run was cleared after it had published, and ran again"
    recovery = ground.recovery(run, injected, story)
    return ground.seen_again(recovery, story, ok=_published_row(ground) == published)


def _published_row(ground: Ground) -> sa.Row[tuple[object, ...]]:
    run = tables["advice_run"]
    of_reference = sa.select(run).where(run.c.run_id == ground.reference.run_id)
    with connect(ground.settings) as store:
        return store.execute(of_reference).one()


def _migration(ground: Ground) -> Recovery:
    """Migrate the store as a next release would, and take that back once a task was refused."""

    def migrate_and_back(run: DagRun) -> str:
        began = time.monotonic()
        with migration(ground.settings) as store:
            store.execute(sa.text("ALTER TABLE trade ADD COLUMN venue TEXT"))
            _set_version(store, _NEXT_VERSION)
        took = time.monotonic() - began
        try:
            ground.wait(
                lambda: ground.api.task_runs(run, "up_for_retry", "failed"),
                "a task that is refused",
                patience_s=_REFUSAL_PATIENCE_S,
            )
        finally:
            with migration(ground.settings) as store:
                store.execute(sa.text("ALTER TABLE trade DROP COLUMN venue"))
                _set_version(store, SCHEMA_VERSION)
        return (
            f"the store was migrated in mid-shard ({took:.1f} s with waiting for writers), tasks "
            "of this release were refused, then the release was taken back"
        )

    return ground.rebalanced_under(migrate_and_back)


def _set_version(store: sa.Connection, version: str) -> None:
    store.execute(
        sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version}
    )


RUN_FAULTS = (
    Fault(
        "same DAG triggered twice at once",
        "one publishes; whoever comes second finds it published and writes nothing",
        "",
        _twice,
    ),
    Fault(
        "run cleared and rerun after publication",
        "nothing new is written: the run that is published stands, moment of publication included",
        "",
        _cleared,
    ),
    Fault(
        "schema migration with a run in flight",
        "tasks refuse a schema that is not theirs and write nothing; the retry goes on",
        r"schema",
        _migration,
    ),
)
