"""A few numbers by which a run is watched over time; who sends them where is not known here."""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from models.vocabulary import Outcome, RunStatus
from pipelines.sessions import close_of
from pipelines.settings import Settings

PREFIX = "smartinvest"


def advice_metrics(settings: Settings, session: dt.date) -> Mapping[str, float]:
    """Return what the newest published run of a session holds, by metric's name.

    ``accounts.<outcome>`` for every outcome, also where no account has it; ``trades``; and
    ``advice_seconds_after_close``, which grows for a session that is made up for.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    from pipelines.store import connect, tables

    run, outcome, trade = tables["advice_run"], tables["client_outcome"], tables["trade"]
    newest = (
        sa.select(run.c.run_id, run.c.published_at)
        .where(
            run.c.source == settings.source,
            run.c.session_date == session,
            run.c.status == RunStatus.PUBLISHED,
        )
        .order_by(run.c.published_at.desc())
        .limit(1)
    )
    with connect(settings) as store:
        found = store.execute(newest).one_or_none()
        if found is None:
            return {}
        counts = sa.select(outcome.c.outcome, sa.func.count()).where(
            outcome.c.run_id == found.run_id
        )
        accounts = {row[0]: row[1] for row in store.execute(counts.group_by(outcome.c.outcome))}
        of_run = sa.select(sa.func.count()).where(trade.c.run_id == found.run_id)
        trades = store.execute(of_run).scalar_one()
    after_close = (found.published_at - close_of(session)).total_seconds()
    return {
        **{f"{PREFIX}.accounts.{each.value}": accounts.get(each.value, 0) for each in Outcome},
        f"{PREFIX}.trades": trades,
        f"{PREFIX}.advice_seconds_after_close": after_close,
    }


def market_metrics(settings: Settings, session: dt.date) -> Mapping[str, float]:
    """Return how many symbols trade of late, and how many of them have no good bar of a session.

    Raises
    ------
    LakeError
        A file of the lake is broken.
    """
    from pipelines.alerts.market import frozen_symbols

    frozen, symbols = frozen_symbols(settings, session)
    return {f"{PREFIX}.symbols": symbols, f"{PREFIX}.symbols_frozen": len(frozen)}
