"""What a rebalance reports, whoever published the run."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.lineage import RunIdentity
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RebalanceReport:
    """What a rebalance did: ``written`` is False where the run had been published before."""

    run_id: str
    session_date: dt.date
    written: bool
    accounts: int
    trades: int
    outcomes: Mapping[str, int]


def report_on(settings: Settings, identity: RunIdentity, *, written: bool) -> RebalanceReport:
    """Report on a published run, whoever published it."""
    import sqlalchemy as sa

    from pipelines.store import connect, tables

    outcome, trade = tables["client_outcome"], tables["trade"]
    with connect(settings) as store:
        counts = store.execute(
            sa.select(outcome.c.outcome, sa.func.count())
            .where(outcome.c.run_id == identity.run_id)
            .group_by(outcome.c.outcome)
        ).all()
        trades = store.execute(
            sa.select(sa.func.count()).select_from(trade).where(trade.c.run_id == identity.run_id)
        ).scalar_one()
    outcomes = {str(row[0]): int(row[1]) for row in sorted(counts, key=lambda row: str(row[0]))}
    if written:
        logger.info("published run %s: %s, %d trades", identity.run_id, outcomes, trades)
    else:
        logger.info("run %s was published before; nothing to do", identity.run_id)
    return RebalanceReport(
        run_id=identity.run_id,
        session_date=identity.session_date,
        written=written,
        accounts=sum(outcomes.values()),
        trades=trades,
        outcomes=outcomes,
    )
