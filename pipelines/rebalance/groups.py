"""A rebalance in parts, each on any machine: prepare, advise groups of shards, publish.

What one part hands to another is in the SQL store, but for a `Group`, which is small. The
parts are those of :func:`pipelines.rebalance.rebalance`, which does the same in one process.
"""

import datetime as dt
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.vocabulary import RunStatus
from pipelines.errors import RebalanceError
from pipelines.log_identifiers import identified
from pipelines.rebalance.group import Group
from pipelines.rebalance.preparation import kept_outlook, market_of, shared_work
from pipelines.rebalance.report import RebalanceReport, report_on
from pipelines.rebalance.stage import (
    advise,
    begin,
    identity_of,
    publish_run,
    rebalance,
    require_accounts,
)
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.lineage import RunIdentity
    from pipelines.warehouse import WarehouseBuild

logger = logging.getLogger(__name__)


def prepare_groups(settings: Settings, session: dt.date) -> list[Group]:
    """Begin the run of a session, estimate its risk and returns, and group its shards.

    A run that is published already is grouped too; advising it does nothing.

    Raises
    ------
    RebalanceError
        There are no forecasts, no accounts, or no market to advise on.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the run cannot be written.
    """
    _keep_compiled_loops(settings)
    build, identity, status = begin(settings, session)
    with identified(advice_run=identity.run_id):
        return _groups_of(settings, build, identity, status)


def _groups_of(
    settings: Settings, build: "WarehouseBuild", identity: "RunIdentity", status: RunStatus
) -> list[Group]:
    from pipelines.rebalance.inputs.earlier_runs import read_earlier_runs
    from pipelines.rebalance.inputs.shard_plan import plan_shards
    from pipelines.rebalance.output.shards import begin_shards
    from pipelines.store import connect, transaction
    from pipelines.warehouse import connect as connect_warehouse

    with connect(settings) as store:
        runs = read_earlier_runs(store, identity.source, identity.session_date)
    if status is RunStatus.BUILDING:
        kept_outlook(settings, identity, market_of(build))
        with transaction(settings) as store:
            begin_shards(store, identity.run_id, settings.accounts_per_shard)
    with connect_warehouse(build.warehouse_path) as warehouse:
        plans = plan_shards(warehouse, settings.accounts_per_shard)
    require_accounts(plans)
    size = settings.shards_per_group or len(plans)
    groups = [
        Group(
            run_id=identity.run_id,
            first_shard=first,
            end_shard=min(first + size, len(plans)),
            shards=len(plans),
            accounts=sum(plan.accounts for plan in plans[first : first + size]),
            accounts_per_shard=settings.accounts_per_shard,
            runs=runs,
        )
        for first in range(0, len(plans), size)
    ]
    logger.info("run %s is %s: %d groups of shards", identity.run_id, status.value, len(groups))
    return groups


def advise_group(settings: Settings, group: Group) -> None:
    """Advise the accounts of a group; shards that are written are not made again.

    Nothing is done for a run that is published by now.

    Raises
    ------
    RebalanceError
        A shard failed, or this machine has other code or another warehouse than who prepared.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the advice cannot be written.
    """
    _keep_compiled_loops(settings)
    from pipelines.rebalance.inputs.shard_plan import plan_shards
    from pipelines.rebalance.shard_work import open_warehouse

    identity, status = _run_of(settings, group)
    if status is not RunStatus.BUILDING:
        logger.info("run %s is %s; nothing to do", group.run_id, status.value)
        return
    settings = settings.model_copy(update={"accounts_per_shard": group.accounts_per_shard})
    build = _build_of(settings, identity)
    work = shared_work(settings, identity, build, group.runs)
    with open_warehouse(work) as warehouse:
        plans = plan_shards(warehouse, group.accounts_per_shard)
    with identified(advice_run=group.run_id):
        advise(work, plans[group.first_shard : group.end_shard])


def publish_groups(settings: Settings, groups: Sequence[Group]) -> RebalanceReport:
    """Publish the run of some groups in one transaction, once all of its shards are written.

    Where a broker or another session's advice has changed what it goes on from, the shards that
    this concerns are made anew here first. A run that is published by now is left as it is, and so
    is one whose place another run has taken.

    Raises
    ------
    RebalanceError
        A shard is missing.
    WarehouseError, StoreError, LakeError
        The inputs cannot be read or the run cannot be written.
    """
    _keep_compiled_loops(settings)
    with identified(advice_run=groups[0].run_id):
        return _publish(settings, groups[0])


def _publish(settings: Settings, group: Group) -> RebalanceReport:
    from pipelines.rebalance.output.publication import OutdatedRunError, reinstate
    from pipelines.rebalance.output.shards import Cut
    from pipelines.store import transaction

    identity, status = _run_of(settings, group)
    if status is RunStatus.PUBLISHED:
        return report_on(settings, identity, written=False)
    build = _build_of(settings, identity)
    if status is RunStatus.SUPERSEDED:
        if identity_of(settings, build) == identity:
            with transaction(settings) as store:
                reinstate(store, identity)
        else:
            logger.warning("run %s stays superseded: its inputs are not today's", group.run_id)
        return report_on(settings, identity, written=False)
    cut = Cut(group.accounts_per_shard, group.shards)
    try:
        is_published = publish_run(settings, identity, market_of(build), cut, group.runs)
    except OutdatedRunError as error:
        logger.warning("%s; what this concerns is advised anew", error)
        return rebalance(settings, identity.session_date)
    return report_on(settings, identity, written=is_published)


def _run_of(settings: Settings, group: Group) -> tuple["RunIdentity", RunStatus]:
    from pipelines.lineage import code_version
    from pipelines.rebalance.output.run_status import find_run
    from pipelines.store import connect

    with connect(settings) as store:
        identity, status = find_run(store, group.run_id)
    if status is RunStatus.BUILDING and identity.code_version != code_version():
        raise RebalanceError(
            "code of this machine",
            code_version(),
            f"the run was begun by {identity.code_version}",
            "Bring all workers to the same release, then clear the DAG run from its first task.",
        )
    return identity, status


def _build_of(settings: Settings, identity: "RunIdentity") -> "WarehouseBuild":
    from pipelines.warehouse import build_for

    build = build_for(settings, identity.session_date)
    found, wanted = ((each.data_snapshot, each.feature_hash) for each in (build, identity))
    if found != wanted:
        raise RebalanceError(
            "data snapshot of the warehouse",
            build.data_snapshot,
            f"the run was begun on {identity.data_snapshot}; another build took its place",
            "Nothing: the forecasts that follow on the new build start another rebalance.",
        )
    return build


def _keep_compiled_loops(settings: Settings) -> None:
    """Have all tasks of a machine share what is compiled; numba reads it when it is imported."""
    os.environ.update(settings.libraries_environment())
