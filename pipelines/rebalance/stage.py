"""The stage: from a session's build and forecasts to published advice."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.lineage import RunIdentity
from pipelines.progress import step, track
from pipelines.rebalance.policy import POLICY
from pipelines.sessions import session_after
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.rebalance.advisor import Advice
    from pipelines.rebalance.inputs.accounts import Account
    from pipelines.rebalance.inputs.last_targets import LastTarget
    from pipelines.rebalance.market.market import Market
    from pipelines.rebalance.market.outlook import Forecast
    from pipelines.warehouse import WarehouseBuild

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

    A run that is published already is left as it is; one that was superseded, and whose inputs are
    back, is shown again. The numerical libraries are held to one thread, so that the number of
    cores changes no bit of the advice.

    Raises
    ------
    RebalanceError
        There are no forecasts, no accounts, or no market to advise on.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the advice cannot be written.
    """
    # Heavy: only this stage needs cvxpy and skfolio, and Airflow imports this package.
    from pipelines.forecast.run import begin_with_known_forecasts
    from pipelines.rebalance.inputs.last_targets import last_targets
    from pipelines.rebalance.output.publication import (
        publish,
        reinstate,
        require_status,
        serving_forecasts,
    )
    from pipelines.store import connect, transaction
    from pipelines.warehouse import build_for

    build = build_for(settings, session)
    identity = _identity(settings, build)
    with transaction(settings) as store:
        begin_with_known_forecasts(store, identity)
    with connect(settings) as store:
        status = require_status(store, identity)
        if status is RunStatus.PUBLISHED:
            return _existing(settings, identity)
        forecasts = serving_forecasts(store, identity.run_id)
        last = last_targets(store, identity.source, session)
    if status is RunStatus.SUPERSEDED:
        with transaction(settings) as store:
            reinstate(store, identity)
        return _existing(settings, identity)
    market, advice = _advise(build, forecasts, last)
    files = _snapshot_files(settings, identity.data_snapshot)
    valid_until = session_after(session, POLICY.trade_valid_sessions)
    with step("publish the run"), transaction(settings) as store:
        written = publish(store, identity, market, advice, files, valid_until)
    if not written:
        return _existing(settings, identity)
    report = RebalanceReport(
        run_id=identity.run_id,
        session_date=session,
        written=True,
        accounts=len(advice),
        trades=sum(len(item.orders.orders) for item in advice),
        outcomes=dict(sorted(Counter(item.outcome.value for item in advice).items())),
    )
    logger.info("published run %s: %s, %d trades", report.run_id, report.outcomes, report.trades)
    return report


def _identity(settings: Settings, build: "WarehouseBuild") -> RunIdentity:
    from pipelines.forecast.run import identify
    from pipelines.model_choices import find_choice

    choice = find_choice(settings, build.session_date)
    if choice is None:
        raise RebalanceError(
            "session",
            build.session_date,
            "no model was chosen for it",
            f"Run `smartinvest train --session {build.session_date}` and `forecast` first.",
        )
    return identify(settings, build, choice)


def _advise(
    build: "WarehouseBuild", forecasts: "Sequence[Forecast]", last: "Mapping[str, LastTarget]"
) -> "tuple[Market, list[Advice]]":
    from threadpoolctl import threadpool_limits

    from pipelines.rebalance.advisor import Advisor
    from pipelines.rebalance.inputs.accounts import read_accounts
    from pipelines.rebalance.market.market import read_market
    from pipelines.rebalance.market.outlook import make_outlook
    from pipelines.warehouse import connect

    with connect(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
        accounts = read_accounts(warehouse)
    _require_accounts(accounts)
    with threadpool_limits(limits=1):
        with step("estimate risk and returns"):
            advisor = Advisor(market, make_outlook(market, forecasts, POLICY), POLICY)
        advice = [
            advisor.advise(account, last.get(account.account_id))
            for account in track(accounts, "rebalance accounts")
        ]
    return market, advice


def _snapshot_files(settings: Settings, data_snapshot: str) -> list[dict[str, Any]]:
    from pipelines.lake import read_manifest

    files = read_manifest(settings, data_snapshot).content()["files"]
    return [{"data_snapshot": data_snapshot, **file} for file in files]


def _existing(settings: Settings, identity: RunIdentity) -> RebalanceReport:
    """Report on a run that another call published."""
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
    logger.info("run %s was published before; nothing to do", identity.run_id)
    outcomes = {str(row[0]): int(row[1]) for row in sorted(counts, key=lambda row: str(row[0]))}
    return RebalanceReport(
        run_id=identity.run_id,
        session_date=identity.session_date,
        written=False,
        accounts=sum(outcomes.values()),
        trades=trades,
        outcomes=outcomes,
    )


def _require_accounts(accounts: "Sequence[Account]") -> None:
    if not accounts:
        raise RebalanceError(
            "accounts",
            0,
            "the build holds none",
            "Run `smartinvest clients import FILE` or `clients generate`, then `transform`.",
        )
