"""The stage: from a session's build and forecasts to published advice."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.lineage import RunIdentity
from pipelines.log_identifiers import identified
from pipelines.progress import step, track
from pipelines.rebalance.preparation import shared_work
from pipelines.rebalance.report import RebalanceReport, report_on
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
    from pipelines.rebalance.inputs.shard_plan import ShardPlan
    from pipelines.rebalance.market.market import Market
    from pipelines.rebalance.output.shards import Cut
    from pipelines.rebalance.shard_work import Work
    from pipelines.rebalance.spent import DoneShard
    from pipelines.warehouse import WarehouseBuild

logger = logging.getLogger(__name__)


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
    build, identity, status = begin(settings, session)
    with identified(advice_run=identity.run_id):
        return _rebalance_run(settings, build, identity, status)


def _rebalance_run(
    settings: Settings, build: "WarehouseBuild", identity: RunIdentity, status: RunStatus
) -> RebalanceReport:
    from pipelines.rebalance.output.publication import reinstate
    from pipelines.store import transaction

    if status is RunStatus.PUBLISHED:
        return report_on(settings, identity, written=False)
    if status is RunStatus.SUPERSEDED:
        with transaction(settings) as store:
            reinstate(store, identity)
        return report_on(settings, identity, written=False)
    advised = advise_and_publish(settings, identity, build)
    return report_on(settings, identity, written=advised.is_published)


def begin(settings: Settings, session: dt.date) -> "tuple[WarehouseBuild, RunIdentity, RunStatus]":
    """Return a session's build, the run that it makes now, and where that run stands.

    Raises
    ------
    RebalanceError
        There is no model or there are no forecasts.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read.
    """
    from pipelines.forecast.run import begin_with_known_forecasts
    from pipelines.rebalance.output.run_status import require_status
    from pipelines.store import connect, transaction
    from pipelines.warehouse import build_for

    build = build_for(settings, session)
    identity = identity_of(settings, build)
    with transaction(settings) as store:
        begin_with_known_forecasts(store, identity)
    with connect(settings) as store:
        return build, identity, require_status(store, identity)


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
    from pipelines.rebalance.output.shards import Cut, begin_shards
    from pipelines.rebalance.shard_work import open_warehouse
    from pipelines.store import transaction

    work = shared_work(settings, identity, build)
    with open_warehouse(work) as warehouse:
        plans = plan_shards(warehouse, settings.accounts_per_shard)
    require_accounts(plans)
    with transaction(settings) as store:
        begin_shards(store, identity.run_id, settings.accounts_per_shard)
    done = advise(work, plans)
    cut = Cut(settings.accounts_per_shard, len(plans))
    return Advised(publish_run(settings, identity, work.market, cut, work.runs), done)


def advise(work: "Work", plans: "Sequence[ShardPlan]") -> "Sequence[DoneShard]":
    """Advise and write some shards of a run, in as many processes as the settings say.

    Raises
    ------
    RebalanceError
        A shard failed; the others are written.
    """
    from pipelines.rebalance.spent import micros_per_account
    from pipelines.rebalance.workers import advise_shards, worker_count

    advising = advise_shards(work, plans, worker_count(work.settings, len(plans)))
    accounts = sum(plan.accounts for plan in plans)
    done = list(track(advising, "rebalance accounts", accounts, lambda one: one.plan.accounts))
    parts = (f"{part} {micros:.0f}" for part, micros in micros_per_account(done).items())
    logger.info("microseconds of processor time for each account: %s", ", ".join(parts))
    return done


def publish_run(
    settings: Settings,
    identity: RunIdentity,
    market: "Market",
    cut: "Cut",
    runs: "EarlierRuns",
) -> bool:
    """Publish a run whose shards are written; return whether it was done here.

    Raises
    ------
    RebalanceError
        A shard is missing, or what the run goes on from has changed in the meantime.
    LakeError, StoreError
        Its manifest cannot be read, or the store cannot be written.
    """
    from pipelines.rebalance.output.publication import publish
    from pipelines.store import transaction

    files = _snapshot_files(settings, identity.data_snapshot)
    with step("publish the run"), transaction(settings) as store:
        return publish(store, identity, market, files, cut, runs)


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


def require_accounts(plans: "Sequence[ShardPlan]") -> None:
    """Check that there is an account to advise.

    Raises
    ------
    RebalanceError
        There is none.
    """
    if not plans:
        raise RebalanceError(
            "accounts",
            0,
            "the build holds none",
            "Run `smartinvest clients import FILE` or `clients generate`, then `transform`.",
        )
