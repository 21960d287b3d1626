"""How old each source's data is: its newest session, and how many sessions it is behind."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from models.lake import PRICES
from models.vocabulary import Source
from pipelines.lake import landed_files
from pipelines.sessions import newest_available, sessions_between
from pipelines.settings import Settings

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Freshness:
    """One source's prices: where they end, and what the exchange has had since."""

    source: Source
    newest_session: dt.date
    last_ingest_session: dt.date
    sessions_behind: int


def freshness(settings: Settings, now: dt.datetime) -> list[Freshness]:
    """Return the freshness of every source that the lake has prices of.

    Parameters
    ----------
    now : the moment of asking (UTC); sessions whose bars count as known by then are due.
    """
    due = newest_available(now)
    return [found for source in Source for found in _of_source(settings, source, due)]


def _of_source(settings: Settings, source: Source, due: dt.date) -> Iterator[Freshness]:
    own = settings.model_copy(update={"source": source})
    files = landed_files(own, "raw", PRICES)
    if not files:
        return
    newest = _EPOCH + dt.timedelta(days=max(file.summary.last_day for file in files))
    ingests = [file.summary.ingest_session for file in files if file.summary.ingest_session]
    last = _EPOCH + dt.timedelta(days=max(ingests)) if ingests else newest
    behind = len(sessions_between(newest, due)) - 1 if newest < due else 0
    yield Freshness(source, newest, last, max(behind, 0))
