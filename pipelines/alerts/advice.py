"""What is wrong with advice that was published: accounts and clients that got none."""

import sqlalchemy as sa

from models.vocabulary import Outcome, RunStatus
from pipelines.alerts.alert import Alert, Kind, Where
from pipelines.alerts.causes import Cause
from pipelines.settings import Settings
from pipelines.wording import some

_SHOWN = 10


def advice_alerts(settings: Settings, where: Where) -> list[Alert]:
    """Return what is to be told of a session's published run: who got no advice, by key.

    Accounts that failed are told of every session; clients who were left out because a row of
    theirs breaks a rule are told of the newest one, since only of that their issues are known.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    from pipelines.quality.clients import FROM_STORE
    from pipelines.store import connect, tables

    run, outcome, issue = tables["advice_run"], tables["client_outcome"], tables["client_issue"]
    published = sa.and_(run.c.source == settings.source, run.c.status == RunStatus.PUBLISHED)
    of_session = sa.select(run.c.run_id).where(published, run.c.session_date == where.session)
    newest = sa.select(sa.func.max(run.c.session_date)).where(published)
    with connect(settings) as store:
        run_id = store.scalar(of_session)
        if run_id is None:
            return []
        failed = sa.select(outcome.c.account_id).where(
            outcome.c.run_id == run_id, outcome.c.outcome == Outcome.FAILED
        )
        accounts: list[str] = list(store.scalars(failed.order_by(outcome.c.account_id)))
        clients: list[str] = []
        if store.scalar(newest) == where.session:
            left_out = (
                sa.select(issue.c.client_id)
                .distinct()
                .where(issue.c.file_digest == FROM_STORE, issue.c.client_id.is_not(None))
            )
            clients = list(store.scalars(left_out.order_by(issue.c.client_id)))
    causes = {
        "accounts": Cause(
            "AccountsFailed",
            "accounts without advice",
            str(len(accounts)),
            f"account {some(accounts, _SHOWN)}: their data cannot be advised on",
            "See their sentences in client_outcome, or `smartinvest explain`; all others have "
            "theirs.",
        ),
        "clients": Cause(
            "ClientsLeftOut",
            "clients without advice",
            str(len(clients)),
            f"client {some(clients, _SHOWN)}: a row of theirs breaks a rule, so they are left out",
            "See client_issue for rule and remedy; all others have their advice.",
        ),
    }
    return [
        Alert(Kind.ACCOUNTS_FAILED, causes[who], where, subject_of=f"{who} of run {run_id}")
        for who, keys in (("accounts", accounts), ("clients", clients))
        if keys
    ]
