"""The replay itself: build, advise and compare in a scratch home; nothing is published."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ReplayDifferenceError
from pipelines.progress import step, track
from pipelines.replay.comparison import Difference, comparison
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.rebalance.output.shards import ShardRows
    from pipelines.rebalance.shard_work import Work
    from pipelines.replay.past_run import PastRun


@dataclass(frozen=True)
class Replay:
    """What came of a replay.

    Attributes
    ----------
    notes : what is otherwise than it was when the run was made, and may explain differences.
    differences : tables whose rows differ; empty: the run was made again to the bit.
    """

    run_id: str
    session_date: dt.date
    accounts: int
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return sum(each.missing + each.added + each.changed for each in self.differences)


def replay(settings: Settings, run_id: str) -> Replay:
    """Make a past run again from its recorded inputs and compare every row with the store's.

    Inputs are the files that its manifest names, its forecasts, the earlier runs that it went on
    from, and the house's rules. The warehouse is built anew in a temporary home, so that data, runs
    and models that came later are not seen, and nothing of the home is changed.

    Parameters
    ----------
    run_id : the run's key, or its first digits.

    Raises
    ------
    ReplayError
        There is no such run, or its inputs are gone.
    LakeError, WarehouseError, StoreError
        A recorded file is missing or damaged, or something cannot be read.
    """
    from pipelines.replay.past_run import find_run
    from pipelines.store import connect

    with connect(settings) as store:
        past = find_run(store, run_id)
    with tempfile.TemporaryDirectory(prefix="smartinvest-replay-") as folder:
        return _replay(settings, past, Path(folder))


def newest_run(settings: Settings) -> str | None:
    """Return the key of the newest published run; None where nothing is published.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    from pipelines.replay.past_run import newest_published
    from pipelines.store import connect

    with connect(settings) as store:
        return newest_published(store, settings.source.value)


def replay_text(found: Replay) -> str:
    """Return what came of a replay as lines of text: how many rows differ, where, and examples."""
    lines = [
        f"run {found.run_id} of {found.session_date}: {found.accounts:,} accounts made again, "
        f"{found.rows:,} rows differ",
        *(f"note: {note}" for note in found.notes),
    ]
    for each in found.differences:
        lines.append(
            f"{each.table}: {each.missing:,} rows missing, {each.added:,} added, "
            f"{each.changed:,} changed"
        )
        lines += [
            f"  {key} {column or 'row'}: stored {stored}, made {made}"
            for key, column, stored, made in each.first
        ]
    return "\n".join(lines)


def difference_of(found: Replay) -> ReplayDifferenceError:
    """Return the error of a replay that differs; unlike :func:`replay_text` it shows no row."""
    tables = ", ".join(each.table for each in found.differences)
    return ReplayDifferenceError(
        "advice run",
        found.run_id,
        f"{found.rows:,} rows of {tables} are not what was published",
        f"See `smartinvest replay {found.run_id}`; until it is explained, trust neither.",
    )


def _replay(settings: Settings, past: "PastRun", folder: Path) -> Replay:
    from pipelines.rebalance.preparation import prepare
    from pipelines.replay.past_run import runs_before
    from pipelines.store import connect
    from pipelines.warehouse import rebuild

    scratch = settings.model_copy(
        update={
            "home": folder,
            "lake_url": settings.lake_url or str(settings.lake),
            "accounts_per_shard": past.accounts_per_shard or settings.accounts_per_shard,
        }
    )
    identity = past.identity
    build = rebuild(scratch, identity.data_snapshot)
    with connect(settings) as store:
        runs = runs_before(store, past)
    work = prepare(scratch, identity, build, runs)
    notes = _notes(settings, past, build.feature_hash)
    accounts, others = 0, 0
    with comparison(folder) as rows:
        for shard in _made(work):
            others += past.inputs_digests.get(shard.key.number) != shard.inputs_digest
            accounts += shard.tables["client_outcome"].num_rows
            for name, made in shard.tables.items():
                rows.add_replayed(name, made)
        with step("compare with the store"), connect(settings) as store:
            rows.add_stored(store, identity.run_id)
            found = rows.differences()
    if others and past.inputs_digests:
        notes.append(
            f"{others} of {len(past.inputs_digests)} shards are read otherwise than they were: "
            "code, rules or what the store keeps of earlier runs is not what it was"
        )
    return Replay(identity.run_id, identity.session_date, accounts, tuple(notes), found)


def _made(work: "Work") -> "Iterator[ShardRows]":
    from pipelines.rebalance.inputs.shard_plan import plan_shards
    from pipelines.rebalance.shard_work import advised_rows, open_warehouse

    with open_warehouse(work) as warehouse:
        plans = plan_shards(warehouse, work.settings.accounts_per_shard)
        total = sum(plan.accounts for plan in plans)
        for plan in track(plans, "replay accounts", total, lambda plan: plan.accounts):
            yield advised_rows(work, plan, warehouse)


def _notes(settings: Settings, past: "PastRun", feature_hash: str) -> list[str]:
    from pipelines.forecast.run import config_hash
    from pipelines.lineage import code_version

    then = past.identity
    notes = []
    if code_version() != then.code_version:
        notes.append(f"the run was made by {then.code_version}, the replay by {code_version()}")
    if config_hash(settings) != then.config_hash:
        notes.append("the rules or settings of this home are others than the run's")
    if feature_hash != then.feature_hash:
        notes.append("the features built from its data are others than those it was made from")
    if past.accounts_per_shard is None:
        notes.append("the run was made by a release that advised accounts one by one")
    return notes
