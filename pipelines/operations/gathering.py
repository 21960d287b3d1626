"""Ask everything that the page shows, in parallel, and never wait long for anything.

A page about what is wrong must answer while something is wrong: what does not answer in time is
shown as it was before, with its age, or as not known.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from pipelines.errors import SmartInvestError
from pipelines.operate.airflow_local import DAG_IDS
from pipelines.operations.advice_panel import advice_panel
from pipelines.operations.airflow_state import AirflowState
from pipelines.operations.alert_panel import alert_panel
from pipelines.operations.chain_panels import (
    airflow_panel,
    beside_panel,
    chain_panel,
    replay_panel,
)
from pipelines.operations.link_panel import link_panel
from pipelines.operations.model_panel import model_panel
from pipelines.operations.panels import Panel, unknown
from pipelines.operations.quarantine_panel import quarantine_panel
from pipelines.operations.source_panels import freshness_panel, frozen_panel
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

BESIDE = ("tune", "backfill", "replay", "maintenance", "watch")

FIRST_WAIT_S = 2.5
"""For an answer that there is no earlier one of."""

WAIT_S = 0.6
"""For one that there is: it is shown in its place."""

FRESH_S = 10.0
"""An answer of so long ago is not asked for again, whoever looks at the page."""

Ask = Callable[[Settings, dt.datetime], Panel]

_ASKED: tuple[tuple[str, str, Ask], ...] = (
    ("advice", "Last published run", advice_panel),
    ("freshness", "Freshness", freshness_panel),
    ("alerts", "Alerts", alert_panel),
    ("quarantine", "Quarantine", quarantine_panel),
    ("frozen", "Frozen symbols", frozen_panel),
    ("model", "Model in service", model_panel),
)


def gather(
    settings: Settings,
    airflow: AirflowState,
    now: dt.datetime,
    chain: Sequence[str] = DAG_IDS,
    beside: Sequence[str] = BESIDE,
) -> list[Panel]:
    """Return every panel of the page; what cannot be found out is one that says so.

    Parameters
    ----------
    airflow : what Airflow's database says.
    now : the moment of asking (UTC).
    chain, beside : DAGs of the chain, in order, and the other ones.
    """
    asked = [_answers(settings, key, title, ask) for key, title, ask in _ASKED]
    for answer in asked:
        answer.begin(now)
    deadline = time.monotonic() + WAIT_S
    first_deadline = time.monotonic() + FIRST_WAIT_S
    told = {
        answer.key: answer.take(deadline if answer.last else first_deadline, now)
        for answer in asked
    }
    return [
        chain_panel(settings, airflow, chain, now),
        told["advice"],
        told["freshness"],
        told["alerts"],
        told["quarantine"],
        told["frozen"],
        told["model"],
        replay_panel(airflow, now),
        beside_panel(airflow, beside, now),
        airflow_panel(airflow, now),
        link_panel(settings),
    ]


@dataclass
class _Answers:
    """The last answer to one question, and the one that is on its way."""

    settings: Settings
    key: str
    title: str
    ask: Ask
    last: Panel | None = None
    asked_at: dt.datetime | None = None
    pending: "Future[Panel] | None" = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, now: dt.datetime) -> None:
        """Ask, unless that was done seconds ago or the answer is still on its way."""
        with self.lock:
            if self.pending is not None and not self.pending.done():
                return
            fresh = self.asked_at is not None and (now - self.asked_at).total_seconds() < FRESH_S
            if self.pending is None or not fresh:
                self.asked_at = now
                self.pending = _askers.submit(self._told, now)

    def take(self, deadline: float, now: dt.datetime) -> Panel:
        """Return the answer, or the one before it if it does not come in time."""
        pending, asked_at = self.pending, self.asked_at
        if pending is None or asked_at is None:
            raise RuntimeError("ask first")
        try:
            return pending.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            late_s = (now - asked_at).total_seconds()
        if self.last is None:
            why = f"It has not answered yet, asked {late_s:.0f} s ago: load the page again."
            return unknown(self.key, self.title, why)
        note = "This is an earlier answer: a newer one takes its time."
        return replace(self.last, notes=(note, *self.last.notes))

    def _told(self, now: dt.datetime) -> Panel:
        try:
            self.last = self.ask(self.settings, now)
        except SmartInvestError as error:
            self.last = unknown(self.key, self.title, str(error))
        # One subject that cannot be shown must not hide the others.
        except Exception as error:
            logger.exception("the panel %s could not be made", self.key)
            self.last = unknown(
                self.key, self.title, f"{type(error).__name__}; the API server's log says more."
            )
        return self.last


_askers = ThreadPoolExecutor(max_workers=2 * len(_ASKED), thread_name_prefix="operations")
_known: dict[tuple[str, str], _Answers] = {}


def _answers(settings: Settings, key: str, title: str, ask: Ask) -> _Answers:
    asked_of = (settings.model_dump_json(), key)
    return _known.setdefault(asked_of, _Answers(settings, key, title, ask))
