"""A past run as the store keeps it: its identity, and the runs that it went on from."""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from models.vocabulary import RunStatus
from pipelines.errors import ReplayError
from pipelines.lineage import RunIdentity, json_digest
from pipelines.rebalance.inputs.earlier_runs import EarlierRuns, recorded_earlier_runs
from pipelines.store import tables

_LARGEST_SEARCH = 10_000
"""Histories that are tried, where sessions were published more than once."""


@dataclass(frozen=True)
class PastRun:
    """What is recorded of a run.

    Attributes
    ----------
    started_at : moment (UTC) at which its forecasts were made.
    accounts_per_shard : where its shards were cut; None where it was made without shards.
    inputs_digests : of each shard's inputs, by its number.
    """

    identity: RunIdentity
    started_at: dt.datetime
    accounts_per_shard: int | None
    inputs_digests: Mapping[int, str]


def find_run(store: sa.Connection, run_id: str) -> PastRun:
    """Return the run of a key, or of the first digits of one.

    Raises
    ------
    ReplayError
        There is none or more than one, or it was never published.
    """
    run, shard = tables["advice_run"], tables["advice_shard"]
    found = store.execute(
        sa.select(run).where(run.c.run_id.startswith(run_id, autoescape=True)).limit(2)
    ).all()
    if len(found) != 1 or not run_id:
        raise ReplayError(
            "run",
            run_id,
            "more than one run begins with it" if found else "the store has no such run",
            "Take the run_id of a row of `advice_run`; its first digits will do.",
        )
    [row] = found
    if row.status == RunStatus.BUILDING:
        raise ReplayError(
            "run",
            row.run_id,
            "it was never published",
            f"Run `smartinvest rebalance --session {row.session_date}` first.",
        )
    shards = store.execute(sa.select(shard).where(shard.c.run_id == row.run_id)).all()
    names = [field.name for field in fields(RunIdentity)]
    return PastRun(
        identity=RunIdentity(**{name: row._mapping[name] for name in names}),
        started_at=row.started_at,
        accounts_per_shard=shards[0].accounts_per_shard if shards else None,
        inputs_digests={each.shard: each.inputs_digest for each in shards},
    )


def newest_published(store: sa.Connection, source: str) -> str | None:
    """Return the key of the newest published run of the newest session; None if there is none."""
    run = tables["advice_run"]
    run_id: str | None = store.execute(
        sa.select(run.c.run_id)
        .where(run.c.source == source, run.c.status == RunStatus.PUBLISHED.value)
        .order_by(run.c.session_date.desc(), run.c.published_at.desc())
        .limit(1)
    ).scalar()
    return run_id


def runs_before(store: sa.Connection, past: PastRun) -> EarlierRuns:
    """Return the runs that were published when a past run was made.

    Some may have been superseded since, and others filled in. Which ones they were is proved by the
    digest that is part of the run's identity.

    Raises
    ------
    ReplayError
        No choice of the runs that the store has gives that digest.
    """
    identity = past.identity
    run = tables["advice_run"]
    rows = store.execute(
        sa.select(run.c.run_id, run.c.session_date, run.c.published_at).where(
            run.c.source == identity.source,
            run.c.session_date < identity.session_date,
            run.c.status != RunStatus.BUILDING.value,
        )
    ).all()
    newest = max(_published_then(past, rows), key=lambda row: row.session_date, default=None)
    previous = (newest.run_id, newest.session_date) if newest else None
    return recorded_earlier_runs(store, identity.run_id, identity.session_date, previous)


def _published_then(past: PastRun, rows: Sequence[sa.Row]) -> list[sa.Row]:
    for choice in itertools.islice(_choices(past, rows), _LARGEST_SEARCH):
        chosen = [row for row in choice if row is not None]
        if json_digest(sorted(row.run_id for row in chosen)) == past.identity.history_hash:
            return chosen
    raise ReplayError(
        "run",
        past.identity.run_id,
        "the store no longer has the earlier runs that it went on from",
        "Point SMARTINVEST_STORE_URL at the store that it was made in, or at a backup of it.",
    )


def _choices(past: PastRun, rows: Sequence[sa.Row]) -> Iterator[tuple[sa.Row | None, ...]]:
    """Yield which run of each session may have been published, the likeliest first."""
    of_session: dict[dt.date, list[sa.Row]] = defaultdict(list)
    for row in rows:
        of_session[row.session_date].append(row)

    def options(runs: list[sa.Row]) -> list[sa.Row | None]:
        latest_first = sorted(runs, key=lambda row: row.published_at, reverse=True)
        before = [row for row in latest_first if row.published_at < past.started_at]
        after = [row for row in latest_first if row.published_at >= past.started_at]
        # Shown again or filled in since: perhaps it was there before, perhaps nothing was.
        return [*before, *after, None] if before else [None, *after]

    return itertools.product(*(options(of_session[session]) for session in sorted(of_session)))
