"""The cluster that faults are injected into: its session, its reference run, and how to wait."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx
import sqlalchemy as sa

from benchmarks.cluster.native import withdraw
from benchmarks.cluster_faults.evidence import shards_written, table_digests
from benchmarks.cluster_faults.fault import Recovery
from benchmarks.cluster_faults.webhook import Webhook
from models.vocabulary import RunStatus
from pipelines.errors import ProcessError, SmartInvestError
from pipelines.operate.airflow_api import AirflowApi, DagRun
from pipelines.operate.cluster import Cluster
from pipelines.operate.summary import published_runs
from pipelines.settings import Settings
from pipelines.store import connect, tables, transaction
from pipelines.store.run_rows import delete_runs

Answer = TypeVar("Answer")

PATIENCE_S = 900.0
"""How long a recovery is waited for before it counts as none."""

_SEEN_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Reference:
    """The advice of the session as it came out undisturbed."""

    run_id: str
    digests: Mapping[str, str]


@dataclass
class Ground:
    """A running cluster with two workers, and a session whose advice was made undisturbed once.

    Attributes
    ----------
    settings : those of the cluster's workers.
    source : folder of the files source.
    sessions : sessions that are left for faults that need one of their own.
    """

    cluster: Cluster
    api: AirflowApi
    settings: Settings
    webhook: Webhook
    source: Path
    session: dt.date
    sessions: list[dt.date]
    reference: Reference = field(default_factory=lambda: Reference("", {}))

    def rebalanced_under(
        self, inject: Callable[[DagRun], str], *, after_shards: int = 3
    ) -> Recovery:
        """Make the session's advice anew, break something while it is made, and wait for the end.

        Parameters
        ----------
        inject : is given the DAG run, breaks something and returns what it did.
        after_shards : shards that are written before it is called.
        """
        run = self.begin_anew()
        self.wait(
            lambda: shards_written(self.settings, self.session) >= after_shards,
            f"{after_shards} shards of {self.session}",
        )
        injected = time.monotonic()
        story = inject(run)
        return self.recovery(run, injected, story)

    def begin_anew(self, dag_id: str = "rebalance") -> DagRun:
        """Forget the session's advice (and forecasts, where they are to be made) and trigger it."""
        with transaction(self.settings) as store:
            if dag_id == "forecast":
                delete_runs(store, [self.reference.run_id])
            else:
                withdraw(store, self.reference.run_id)
        return self.api.trigger(dag_id, self.session)

    def recovery(self, run: DagRun, injected: float, story: str) -> Recovery:
        """Wait until a run of ``rebalance`` has ended and its session is published."""
        try:
            ended = self.wait(lambda: self.ended(run), f"the end of DAG run {run.run_id}")
            self.wait(
                lambda: published_runs(self.settings, self.session),
                f"after DAG run {run.run_id} ended in {ended.state}, a published run",
                PATIENCE_S if run.dag_id != "rebalance" else _SEEN_WITHIN_S,
            )
        except TimeoutError as error:
            shown = self.patiently(lambda: published_runs(self.settings, self.session))
            return Recovery(f"{story}; {error}", None, next(iter(shown or {}), ""))
        seconds = time.monotonic() - injected
        [run_id, *others] = published_runs(self.settings, self.session)
        is_reference = run_id == self.reference.run_id
        broken = [] if ended.state == "success" else [f"DAG run {ended.state}"]
        broken += [] if is_reference else ["another run was published than the undisturbed one"]
        broken += [f"{len(others) + 1} runs are published"] if others else []
        return Recovery(story, seconds, run_id, is_reference=is_reference, broken=tuple(broken))

    def chain_of(self, session: dt.date) -> str:
        """Wait until a session whose chain is under way is published; return its run."""
        self.wait(lambda: published_runs(self.settings, session), f"advice of {session}")
        [run_id] = published_runs(self.settings, session)
        return run_id

    def seen_again(self, recovery: Recovery, story: str, *, ok: bool) -> Recovery:
        """Return a recovery as it stands now, with its end told; not ``ok`` breaks it."""
        told = () if ok else ("it did not end as expected",)
        return replace(recovery, story=story, broken=(*recovery.broken, *told))

    @property
    def newest(self) -> dt.date:
        """The newest session that has advice."""
        run = tables["advice_run"]
        published = sa.select(sa.func.max(run.c.session_date)).where(
            run.c.status == RunStatus.PUBLISHED.value
        )
        with connect(self.settings) as store:
            newest: dt.date = store.execute(published).scalar_one()
        return newest

    def ended(self, run: DagRun) -> DagRun | None:
        """Return a DAG run once it has ended."""
        found = self.api.dag_run(run.dag_id, run.run_id)
        return found if found.state in {"success", "failed"} else None

    def settle(self) -> None:
        """Wait until no DAG run is under way and the scheduler beats."""
        since = dt.datetime.now(dt.UTC)
        self.wait(lambda: not self.api.unfinished_runs(), "the end of all DAG runs")
        self.wait(lambda: self.api.scheduler_is_healthy(since), "a scheduler's heartbeat")

    def wait(
        self, found: Callable[[], Answer | None], what: str, patience_s: float = PATIENCE_S
    ) -> Answer:
        """Ask again and again until the answer is something, also while servers are down.

        Raises
        ------
        TimeoutError
            It was not, for too long.
        """
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if answer := self.patiently(found):
                return answer
            time.sleep(_LOOK_EVERY_S)
        raise TimeoutError(f"{what} did not come within {patience_s:.0f} s")

    @staticmethod
    def patiently(ask: Callable[[], Answer | None]) -> Answer | None:
        """Return the answer, or None where the one who should give it is down."""
        try:
            return ask()
        except (httpx.HTTPError, SmartInvestError):
            return None


def reference_of(settings: Settings, session: dt.date) -> Reference:
    """Return the published run of a session and its digests.

    Raises
    ------
    ProcessError
        There is none, or several.
    """
    runs = list(published_runs(settings, session))
    if len(runs) != 1:
        raise ProcessError("session", session, f"it has {len(runs)} published runs", "See the log.")
    return Reference(runs[0], table_digests(settings, runs[0]))
