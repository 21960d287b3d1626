"""The stage: from a session's build and forecasts to published advice."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.progress import step, track
from pipelines.sessions import session_after
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.rebalance.accounts import Account
    from pipelines.rebalance.advisor import Advice, Advisor
    from pipelines.rebalance.history import LastTarget

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


def rebalance(settings: Settings, session: dt.date) -> RebalanceReport:
    """Advise every account of a session and publish the run, whole or not at all.

    A run that is published already is left as it is. The numerical libraries are held to one
    thread, so that the number of cores changes no bit of the advice.

    Raises
    ------
    RebalanceError
        There are no forecasts, no accounts, or no market to advise on.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the advice cannot be written.
    """
    # Heavy: only this stage needs cvxpy, skfolio and DuckDB, and Airflow imports this package.
    from threadpoolctl import threadpool_limits

    from pipelines.lake import read_manifest
    from pipelines.rebalance.accounts import read_accounts
    from pipelines.rebalance.advisor import Advisor
    from pipelines.rebalance.history import last_targets
    from pipelines.rebalance.market import read_market
    from pipelines.rebalance.outlook import make_outlook
    from pipelines.rebalance.policy import POLICY
    from pipelines.rebalance.publication import find_run, publish, serving_forecasts
    from pipelines.store import connect as connect_store
    from pipelines.store import transaction
    from pipelines.warehouse import build_for
    from pipelines.warehouse import connect as connect_warehouse

    build = build_for(settings, session)
    with connect_store(settings) as store:
        run = find_run(store, build.source, session, build.data_snapshot, build.feature_hash)
        if run.status != RunStatus.BUILDING:
            return _existing(settings, run.run_id, session)
        forecasts = serving_forecasts(store, run.run_id)
        last = last_targets(store, run.source, session)
    with connect_warehouse(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
        accounts = read_accounts(warehouse)
    _require_accounts(accounts)
    with threadpool_limits(limits=1):
        with step("estimating risk and returns"):
            outlook = make_outlook(market, forecasts, POLICY)
        advice = _advise_all(Advisor(market, outlook, POLICY), accounts, last)
    manifest = read_manifest(settings, build.data_snapshot)
    files = [{"data_snapshot": build.data_snapshot, **file} for file in manifest.content()["files"]]
    valid_until = session_after(session, POLICY.trade_valid_sessions)
    with step("publishing"), transaction(settings) as connection:
        written = publish(connection, run, market, advice, files, valid_until)
    if not written:
        return _existing(settings, run.run_id, session)
    report = RebalanceReport(
        run_id=run.run_id,
        session_date=session,
        written=True,
        accounts=len(advice),
        trades=sum(len(item.orders.orders) for item in advice),
        outcomes=dict(sorted(Counter(item.outcome.value for item in advice).items())),
    )
    logger.info("published run %s: %s, %d trades", run.run_id, report.outcomes, report.trades)
    return report


def _advise_all(
    advisor: "Advisor", accounts: "Sequence[Account]", last: "Mapping[str, LastTarget]"
) -> "list[Advice]":
    return [
        advisor.advise(account, last.get(account.account_id))
        for account in track(accounts, "rebalancing accounts")
    ]


def _existing(settings: Settings, run_id: str, session: dt.date) -> RebalanceReport:
    """Report on a run that another call published."""
    import sqlalchemy as sa

    from pipelines.store import connect, tables

    outcome, trade = tables["client_outcome"], tables["trade"]
    with connect(settings) as store:
        counts = store.execute(
            sa.select(outcome.c.outcome, sa.func.count())
            .where(outcome.c.run_id == run_id)
            .group_by(outcome.c.outcome)
        ).all()
        trades = store.execute(
            sa.select(sa.func.count()).select_from(trade).where(trade.c.run_id == run_id)
        ).scalar_one()
    logger.info("run %s was published before; nothing to do", run_id)
    outcomes = {str(row[0]): int(row[1]) for row in sorted(counts, key=lambda row: str(row[0]))}
    return RebalanceReport(run_id, session, False, sum(outcomes.values()), trades, outcomes)


def _require_accounts(accounts: "Sequence[Account]") -> None:
    if not accounts:
        raise RebalanceError(
            "accounts",
            0,
            "the build holds none",
            "Run `smartinvest clients import FILE` or `clients generate`, then `transform`.",
        )
