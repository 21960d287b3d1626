"""What is wrong with advice that was published: accounts that got none."""

import sqlalchemy as sa

from models.vocabulary import Outcome, RunStatus
from pipelines.alerts.alert import Alert, Kind, Where
from pipelines.alerts.causes import Cause
from pipelines.settings import Settings

_SHOWN = 10


def advice_alerts(settings: Settings, where: Where) -> list[Alert]:
    """Return an alert if accounts of the session's published run failed; they are named by key.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    from pipelines.store import connect, tables

    run, outcome = tables["advice_run"], tables["client_outcome"]
    failed = (
        sa.select(run.c.run_id, outcome.c.account_id)
        .join(outcome, outcome.c.run_id == run.c.run_id)
        .where(
            run.c.source == settings.source,
            run.c.session_date == where.session,
            run.c.status == RunStatus.PUBLISHED,
            outcome.c.outcome == Outcome.FAILED,
        )
        .order_by(outcome.c.account_id)
    )
    with connect(settings) as store:
        found = store.execute(failed).all()
    if not found:
        return []
    accounts = [str(row.account_id) for row in found]
    more = f" and {len(accounts) - _SHOWN} more" if len(accounts) > _SHOWN else ""
    cause = Cause(
        "AccountsFailed",
        "accounts without advice",
        str(len(accounts)),
        f"account {', '.join(accounts[:_SHOWN])}{more}: their data cannot be advised on",
        "See their sentences in client_outcome, or `smartinvest explain`; all others have theirs.",
    )
    return [Alert(Kind.ACCOUNTS_FAILED, cause, where, subject_of=f"run {found[0].run_id}")]
