"""The ingest stage: ask the source, stamp the rows, append what is new or restated.

An ingest is a plan, batches of symbols, and an end. The three are functions of their own, so that
a scheduler can map a task over the batches; :func:`ingest` does them one after the other, bulk
sources in several processes.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence

from models.lake import PRICES
from models.vocabulary import Arrival
from pipelines.errors import SourceError
from pipelines.ingest.provider import Provider
from pipelines.ingest.report import BatchReport, IngestReport, summed
from pipelines.ingest.sources import provider_for
from pipelines.ingest.storing import store_delivery, store_reference
from pipelines.ingest.workers import in_processes, worker_count, workers
from pipelines.lake import clean_leftovers, rejections, sole_writer
from pipelines.progress import step, track
from pipelines.quality import check_unchecked
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


def ingest(settings: Settings, session: dt.date, provider: Provider | None = None) -> IngestReport:
    """Append everything up to a session that the source knows and the lake does not.

    Raises
    ------
    SourceError
        The source cannot be read, or has no bar at all for the session.
    LakeError
        The lake cannot be written, or a file in it is broken.
    HomeError
        Another process ingests from the same source, and does not end.
    """
    what = f"ingest of {settings.source.value} up to {session}"
    with step(what), sole_writer(settings):
        if provider is None:
            provider = provider_for(settings)
            count = worker_count(len(provider.batches(session)))
            if provider.arrival is Arrival.BULK and count > 1:
                with workers(count) as pool:
                    batches = plan(settings, session, provider)
                    reports = in_processes(pool, settings, session, batches)
                    return _done(settings, session, batches, reports)
        batches = plan(settings, session, provider)
        one_by_one = _one_by_one(settings, session, batches, provider)
        return _done(settings, session, batches, one_by_one)


def _one_by_one(
    settings: Settings, session: dt.date, batches: Sequence[tuple[str, ...]], provider: Provider
) -> Iterator[BatchReport]:
    """Ingest batch after batch; one that a server refuses costs its own symbols only."""
    for batch in batches:
        try:
            yield ingest_batch(settings, session, batch, provider)
        except SourceError as error:
            if provider.arrival is Arrival.BULK:
                raise
            yield BatchReport.refused(batch, error)


def _done(
    settings: Settings,
    session: dt.date,
    batches: Sequence[Sequence[str]],
    reports: Iterable[BatchReport],
) -> IngestReport:
    done = list(track(reports, "batches of symbols", total=len(batches)))
    return finish(settings, session, done)


def plan(
    settings: Settings, session: dt.date, provider: Provider | None = None
) -> list[tuple[str, ...]]:
    """Begin an ingest: store the reference data, and return the batches of symbols to ask for.

    Instruments, universe and macro series are few, and prices are judged against the instruments,
    so they come first. So do rows that lack a verdict under today's rules: new ones are judged
    beside an accepted past.

    Raises
    ------
    SourceError
        The source cannot be read.
    LakeError
        The lake cannot be written, or a file in it is broken.
    """
    provider = provider or provider_for(settings)
    clean_leftovers(settings)
    store_reference(settings, session, provider)
    check_unchecked(settings, session)
    return provider.batches(session)


def ingest_batch(
    settings: Settings,
    session: dt.date,
    symbols: Sequence[str],
    provider: Provider | None = None,
) -> BatchReport:
    """Fetch, store and judge the bars and actions of some symbols, all up to a session.

    Batches of one plan may run at the same time, in any order and more than once.

    Raises
    ------
    SourceError
        The source as a whole cannot be read; a symbol that fails is a problem in the report.
    LakeError
        The lake cannot be written, or a file in it is broken.
    """
    provider = provider or provider_for(settings)
    delivery = provider.deliver(symbols, provider.first_session(), session)
    return store_delivery(settings, session, provider, delivery)


def finish(settings: Settings, session: dt.date, batches: Sequence[BatchReport]) -> IngestReport:
    """End an ingest: sum up its batches.

    Raises
    ------
    SourceError
        No symbol has a bar for the session. What came for earlier ones is stored.
    """
    for problem in (problem for batch in batches for problem in batch.problems):
        logger.warning("%s: %s. %s", problem.thing, problem.reason, problem.remedy)
    if not any(batch.session_bars for batch in batches):
        raise SourceError(
            "session",
            session,
            f"source {settings.source.value} delivered no bar for it",
            "Try again later, or ask for an earlier session.",
        )
    report = summed(session, settings.source, batches, rejections(settings, PRICES))
    if report.restated_rows:
        logger.warning("the source restated %d rows; both versions are kept", report.restated_rows)
    return report
