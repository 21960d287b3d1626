"""Trades of a session's other runs, when one run takes the place of another."""

import sqlalchemy as sa

from models.store_advice import CLIENT_OUTCOME
from models.store_runs import ADVICE_RUN
from models.store_trades import TRADE
from models.vocabulary import Outcome, RunStatus, TradeStatus
from pipelines.errors import RebalanceError
from pipelines.lineage import RunIdentity
from pipelines.store import tables

_WITH_THE_BROKER = (TradeStatus.SENT, TradeStatus.PARTLY_FILLED, TradeStatus.FILLED)


def withdraw_other_trades(connection: sa.Connection, identity: RunIdentity) -> None:
    """Cancel what the session's other runs proposed, so that nobody sends it any more.

    Not for accounts of which orders are with the broker: they keep the advice of the run that these
    are of. What was cancelled of this run, when another took its place, is proposed again.

    Raises
    ------
    RebalanceError
        Orders were sent for an account that this run advises on as if none had been.
    """
    trade, others = tables[TRADE.name], _other_runs(identity)
    order = trade.alias()
    is_sent = sa.and_(order.c.run_id.in_(others), order.c.status.in_(_WITH_THE_BROKER))
    # Before orders are looked for: from here on none of these trades can be sent.
    connection.execute(
        trade.update()
        .where(
            trade.c.run_id.in_(others),
            trade.c.status == TradeStatus.PROPOSED,
            ~sa.exists().where(is_sent, order.c.account_id == trade.c.account_id),
        )
        .values(status=TradeStatus.CANCELLED.value)
    )
    outcome = tables[CLIENT_OUTCOME.name]
    unknown = connection.execute(
        sa.select(outcome.c.account_id)
        .where(
            outcome.c.run_id == identity.run_id,
            outcome.c.outcome != Outcome.BLOCKED,
            sa.exists().where(is_sent, order.c.account_id == outcome.c.account_id),
        )
        .limit(1)
    ).first()
    if unknown is not None:
        raise RebalanceError(
            "session",
            identity.session_date,
            "orders of its earlier advice were sent in the meantime",
            f"Run `smartinvest rebalance --session {identity.session_date}` again; if that repeats "
            "itself, the advice that was sent stands.",
        )
    connection.execute(
        trade.update()
        .where(trade.c.run_id == identity.run_id, trade.c.status == TradeStatus.CANCELLED)
        .values(status=TradeStatus.PROPOSED.value)
    )


def _other_runs(identity: RunIdentity) -> sa.Select[tuple[str]]:
    run = tables[ADVICE_RUN.name]
    return sa.select(run.c.run_id).where(
        run.c.source == identity.source,
        run.c.session_date == identity.session_date,
        run.c.run_id != identity.run_id,
        run.c.status != RunStatus.BUILDING,
    )
