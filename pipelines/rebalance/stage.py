"""The stage: from a session's build and forecasts to published advice."""

import datetime as dt
import logging
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
    from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
    from pipelines.rebalance.inputs.shard_plan import ShardPlan
    from pipelines.rebalance.shard_work import Work
    from pipelines.rebalance.spent import DoneShard
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

    Accounts are advised by shards, each written in a transaction of its own under a run that
    nobody sees yet; what an earlier call wrote before it was killed is not made again. A run that
    is published already is left as it is; one that was superseded, and whose inputs are back, is
    shown again.

    Raises
    ------
    RebalanceError
        There are no forecasts, no accounts, or no market to advise on.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the advice cannot be written.
    """
    # Heavy: only this stage needs numba and skfolio, and Airflow imports this package.
    from pipelines.forecast.run import begin_with_known_forecasts
    from pipelines.rebalance.output.publication import reinstate
    from pipelines.rebalance.output.run_status import require_status
    from pipelines.store import connect, transaction
    from pipelines.warehouse import build_for

    build = build_for(settings, session)
    identity = identity_of(settings, build)
    with transaction(settings) as store:
        begin_with_known_forecasts(store, identity)
    with connect(settings) as store:
        status = require_status(store, identity)
    if status is RunStatus.PUBLISHED:
        return _report(settings, identity, written=False)
    if status is RunStatus.SUPERSEDED:
        with transaction(settings) as store:
            reinstate(store, identity)
        return _report(settings, identity, written=False)
    advised = advise_and_publish(settings, identity, build)
    return _report(settings, identity, written=advised.is_published)


@dataclass(frozen=True)
class Advised:
    """What :func:`advise_and_publish` did.

    Attributes
    ----------
    is_published : whether it was here; another process may have done so in the meantime.
    done : its shards, as they came to be in the store.
    """

    is_published: bool
    done: "Sequence[DoneShard]"


def advise_and_publish(
    settings: Settings, identity: RunIdentity, build: "WarehouseBuild"
) -> Advised:
    """Advise every account of a build and publish the run that the forecast stage has begun."""
    from pipelines.rebalance.inputs.shard_plan import plan_shards
    from pipelines.rebalance.output.publication import publish
    from pipelines.rebalance.output.shards import Cut, begin_shards
    from pipelines.rebalance.shard_work import open_warehouse
    from pipelines.rebalance.spent import micros_per_account
    from pipelines.rebalance.workers import advise_shards, worker_count
    from pipelines.store import transaction

    work = prepare(settings, identity, build)
    with open_warehouse(work) as warehouse:
        plans = plan_shards(warehouse, settings.accounts_per_shard)
    _require_accounts(plans)
    with transaction(settings) as store:
        begin_shards(store, identity.run_id, settings.accounts_per_shard)
    advising = advise_shards(work, plans, worker_count(settings, len(plans)))
    accounts = sum(plan.accounts for plan in plans)
    done = list(track(advising, "rebalance accounts", accounts, lambda one: one.plan.accounts))
    parts = (f"{part} {micros:.0f}" for part, micros in micros_per_account(done).items())
    logger.info("microseconds of processor time for each account: %s", ", ".join(parts))
    files = _snapshot_files(settings, identity.data_snapshot)
    cut = Cut(settings.accounts_per_shard, len(plans))
    with step("publish the run"), transaction(settings) as store:
        is_published = publish(store, identity, work.market, files, cut, work.runs)
    return Advised(is_published, done)


def prepare(
    settings: Settings,
    identity: RunIdentity,
    build: "WarehouseBuild",
    runs: "EarlierRuns | None" = None,
) -> "Work":
    """Read and estimate what all shards of a run share.

    Parameters
    ----------
    runs : earlier runs to go on from; those that are published now, if left out.

    Raises
    ------
    RebalanceError
        There are no forecasts, or there is no market to advise on.
    """
    from threadpoolctl import threadpool_limits

    from pipelines.rebalance.inputs.earlier_runs import read_earlier_runs
    from pipelines.rebalance.market.forecasts import read_forecasts
    from pipelines.rebalance.market.market import read_market
    from pipelines.rebalance.market.outlook import make_outlook
    from pipelines.rebalance.shard_work import Work
    from pipelines.store import connect
    from pipelines.warehouse import connect as connect_warehouse

    with connect(settings) as store:
        forecasts = read_forecasts(store, identity.run_id)
        runs = runs or read_earlier_runs(store, identity.source, identity.session_date)
    with connect_warehouse(build.warehouse_path) as warehouse:
        market = read_market(warehouse, POLICY)
    # One thread, so that the number of cores changes no bit.
    with threadpool_limits(limits=1), step("estimate risk and returns"):
        outlook = make_outlook(market, forecasts, POLICY)
    return Work(
        settings=settings,
        identity=identity,
        warehouse_path=build.warehouse_path,
        runs=runs,
        market=market,
        outlook=outlook,
        policy=POLICY,
        valid_until=session_after(identity.session_date, POLICY.trade_valid_sessions),
    )


def identity_of(settings: Settings, build: "WarehouseBuild") -> RunIdentity:
    """Return which run the present data, model, settings and code make.

    Raises
    ------
    RebalanceError
        No model was chosen for the session.
    """
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


def _snapshot_files(settings: Settings, data_snapshot: str) -> list[dict[str, Any]]:
    from pipelines.lake import read_manifest

    files = read_manifest(settings, data_snapshot).content()["files"]
    return [{"data_snapshot": data_snapshot, **file} for file in files]


def _report(settings: Settings, identity: RunIdentity, *, written: bool) -> RebalanceReport:
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


def _require_accounts(plans: "Sequence[ShardPlan]") -> None:
    if not plans:
        raise RebalanceError(
            "accounts",
            0,
            "the build holds none",
            "Run `smartinvest clients import FILE` or `clients generate`, then `transform`.",
        )
