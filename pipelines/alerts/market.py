"""What is wrong with a source's market although no task fails: it is late, or much is frozen."""

import datetime as dt

import numpy as np

from pipelines.alerts.alert import Alert, Kind, Where
from pipelines.alerts.causes import Cause
from pipelines.operate.due import runs_by_itself
from pipelines.settings import Settings
from pipelines.wording import some

LATE_SESSIONS = 2
"""So many sessions behind, a polled source is a day late: the newest may still be on its way."""

LARGEST_FROZEN_SHARE = 0.1
"""A larger share of the market without a good bar of the session is told."""


def market_alerts(
    settings: Settings, session: dt.date, now: dt.datetime, where: Where | None = None
) -> list[Alert]:
    """Return what is to be told of the source's market as of a session; often nothing.

    Parameters
    ----------
    now : the moment of asking (UTC), which says how late a source is.
    where : the task that asks.

    Raises
    ------
    LakeError
        A file of the lake is broken.
    """
    where = where or Where(session=session)
    return [*late_source(settings, now, where), *_frozen(settings, session, where)]


def late_source(settings: Settings, now: dt.datetime, where: Where) -> list[Alert]:
    """Return an alert if the source is polled and some sessions behind the exchange."""
    from pipelines.quality.freshness import freshness

    if not runs_by_itself(settings.source):
        return []  # whoever brings its sessions knows how many there are
    own = [each for each in freshness(settings, now) if each.source is settings.source]
    return [
        Alert(
            Kind.SOURCE_LATE,
            Cause(
                "SourceLate",
                f"source {each.source.value}",
                str(each.newest_session),
                f"its newest session is {each.sessions_behind} sessions behind the exchange",
                "See the log of ingest. If the source is down for good, set another "
                "SMARTINVEST_SOURCE; sessions that are missed are caught up with by themselves.",
            ),
            where,
            subject_of=f"source {each.source.value}, {each.newest_session}",
        )
        for each in own
        if each.sessions_behind >= LATE_SESSIONS
    ]


def frozen_symbols(settings: Settings, session: dt.date) -> tuple[list[str], int]:
    """Return the symbols that trade of late but have no good bar of a session, and all that do."""
    from pipelines.quality.recent import recent

    last = recent(settings, session)
    trading = last.trading()
    rejected = set(last.frozen())
    bars = np.asarray(last.delivered[:, -1], dtype=bool)
    missing = {symbol for symbol, has_bar in zip(last.symbols, bars, strict=True) if not has_bar}
    return sorted((rejected | missing) & trading), len(trading)


def _frozen(settings: Settings, session: dt.date, where: Where) -> list[Alert]:
    frozen, symbols = frozen_symbols(settings, session)
    if not frozen or len(frozen) <= LARGEST_FROZEN_SHARE * symbols:
        return []
    return [
        Alert(
            Kind.MARKET_FROZEN,
            Cause(
                "MarketFrozen",
                f"source {settings.source.value}, symbols without a good bar",
                f"{len(frozen)} of {symbols}",
                f"they keep their last accepted close: {some(frozen, 10)}",
                "See `smartinvest quarantine list` and the batches of ingest that failed; "
                "clear those once the source is well.",
            ),
            where,
            subject_of=f"source {settings.source.value}",
        )
    ]
