"""The daily run: start Airflow, let its DAGs run for one session, say what came out, stop it."""

import datetime as dt
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.operate.airflow_local import DAG_IDS, LocalAirflow
from pipelines.operate.chain import Chain, Stage, describe_failure, failed_tasks
from pipelines.operate.chain_view import chain_view
from pipelines.operate.interruption import interruptible, uninterruptible
from pipelines.operate.lock import hold_home
from pipelines.operate.serve import require_not_serving
from pipelines.operate.summary import print_seconds, print_summary, published_runs
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


@contextmanager
def exclusively(settings: Settings) -> Iterator[None]:
    """Hold the home for a run that can be interrupted at any moment.

    Raises
    ------
    HomeError
        Another run holds the home.
    ProcessError
        The user interfaces serve this home: two Airflows cannot share one database.
    """
    with interruptible(), hold_home(settings) as lock:
        try:
            require_not_serving(settings)
            yield
        finally:
            lock.announce("stopping")


def run_daily(settings: Settings, session: dt.date) -> None:
    """Run the chain for a session through Airflow's own scheduler and print what it made.

    Call it inside :func:`exclusively`. Whatever happens, no process is left behind.

    Raises
    ------
    ProcessError
        Airflow did not start, or a task failed; the message carries the end of its log.
    """
    began = time.monotonic()
    before = published_runs(settings, session)
    airflow = LocalAirflow(settings, "daily")
    try:
        airflow.start(stays=False)
        ready_s = time.monotonic() - began
        stages = _run_chain(settings, airflow, session)
    finally:
        with uninterruptible():
            airflow.stop()
    print_summary(settings, session)
    print_seconds(ready_s, stages, time.monotonic() - began)
    if published_runs(settings, session) == before:
        logger.info("nothing changed: the published run stands, no new one was written")


def _run_chain(settings: Settings, airflow: LocalAirflow, session: dt.date) -> list[Stage]:
    logger.info("session %s; while it runs, Airflow is at %s", session, airflow.url)
    chain = Chain(airflow.api, airflow.api.trigger(DAG_IDS[0], session), DAG_IDS, session)
    with chain_view() as view:
        while not chain.complete:
            airflow.require_alive()
            chain.poll()
            view.show(chain.stages())
            if chain.failed:
                raise describe_failure(settings, airflow.api, chain.failed)
            time.sleep(_LOOK_EVERY_S)
    # A batch of symbols that failed stops no run, but whoever asked for it must see it.
    for run in chain.runs:
        for failure in failed_tasks(settings, airflow.api, run):
            logger.warning("%s", failure)
    return chain.stages()
