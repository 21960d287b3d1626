"""The last published run: which session, how old, what became of the accounts, which trades."""

import datetime as dt
import functools
from typing import Any

import sqlalchemy as sa

from models.vocabulary import Outcome, RunStatus, TradeStatus
from pipelines.operations.panels import Badge, Cell, Grid, Link, Panel, Verdict
from pipelines.operations.words import age, count, moment
from pipelines.settings import Settings
from pipelines.store import connect, tables

_NEWEST_RUNS = 8
_CENTS = 100

_TROUBLE = {
    Outcome.FAILED: Verdict.BAD,
    Outcome.BLOCKED: Verdict.ATTENTION,
    Outcome.HELD: Verdict.ATTENTION,
    Outcome.RELAXED: Verdict.ATTENTION,
}


def advice_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show the newest session's published run and the runs begun last.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    with connect(settings) as connection:
        newest = _newest_published(connection, settings)
        latest = connection.execute(_latest(settings)).all()
        if newest is None:
            begun = count(len(latest), "run") if latest else "no run"
            return Panel(
                "advice",
                "Last published run",
                Verdict.UNKNOWN,
                f"nothing is published; {begun} begun",
                (_runs(latest, now),) if latest else (),
            )
        outcomes = _outcomes(connection, settings.store_url, newest.run_id)
        trades = _trades(connection, newest.run_id)
    accounts = sum(row[1] for row in outcomes)
    failed = sum(number for outcome, number, *_ in outcomes if outcome == Outcome.FAILED)
    published = age(newest.published_at, now)
    headline = f"{newest.session_date}, {count(accounts, 'account')}, published {published}"
    return Panel(
        "advice",
        "Last published run",
        Verdict.BAD if failed else Verdict.GOOD,
        f"{count(failed, 'account')} failed; {headline}" if failed else headline,
        (_facts(newest, trades, now), _by_outcome(outcomes), _runs(latest, now)),
    )


def _newest_published(connection: sa.Connection, settings: Settings) -> Any:
    run = tables["advice_run"]
    return connection.execute(
        sa.select(run)
        .where(run.c.source == settings.source, run.c.status == RunStatus.PUBLISHED)
        .order_by(run.c.session_date.desc(), run.c.published_at.desc())
        .limit(1)
    ).one_or_none()


def _latest(settings: Settings) -> sa.Select[Any]:
    """Select the runs of the newest sessions, by the index that sessions have."""
    run = tables["advice_run"]
    return (
        sa.select(run.c.run_id, run.c.session_date, run.c.status, run.c.started_at)
        .where(run.c.source == settings.source)
        .order_by(run.c.session_date.desc(), run.c.started_at.desc())
        .limit(_NEWEST_RUNS)
    )


def _outcomes(
    connection: sa.Connection, store_url: str, run_id: str
) -> tuple[tuple[str, int, int, int], ...]:
    """Return outcome, accounts, sells and buys (cents); a published run's never change."""
    known = _known_outcomes(store_url, run_id)
    if not known:
        outcome = tables["client_outcome"]
        number = sa.func.count().label("accounts")
        query = (
            sa.select(
                outcome.c.outcome,
                number,
                sa.func.sum(outcome.c.sells_cents),
                sa.func.sum(outcome.c.buys_cents),
            )
            .where(outcome.c.run_id == run_id)
            .group_by(outcome.c.outcome)
            .order_by(number.desc(), outcome.c.outcome)
        )
        known.extend(
            (row[0], int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(query)
        )
    return tuple(known)


@functools.lru_cache(maxsize=4)
def _known_outcomes(_store_url: str, _run_id: str) -> list[tuple[str, int, int, int]]:
    """Return a list to fill, one for each run; counting a million accounts takes seconds."""
    return []


def _trades(connection: sa.Connection, run_id: str) -> dict[str, int]:
    """Return how many trades were proposed, and how many are in each later state."""
    shard, trade = tables["advice_shard"], tables["trade"]
    proposed = connection.scalar(
        sa.select(sa.func.sum(shard.c.trades)).where(shard.c.run_id == run_id)
    )
    moved: Any = connection.execute(
        sa.select(trade.c.status, sa.func.count())
        # Written out, since only so the database sees that its partial index has them all.
        .where(trade.c.run_id == run_id, sa.text("status <> 'proposed'"))
        .group_by(trade.c.status)
        .order_by(trade.c.status)
    ).all()
    return {TradeStatus.PROPOSED.value: int(proposed or 0)} | {
        status: int(number) for status, number in moved
    }


def _facts(run: Any, trades: dict[str, int], now: dt.datetime) -> Grid:
    proposed = trades[TradeStatus.PROPOSED]
    later = ", ".join(
        f"{number:,} {status.replace('_', ' ')}"
        for status, number in trades.items()
        if status != TradeStatus.PROPOSED
    )
    rows: list[list[Cell]] = [
        ["run", lineage_link(run.run_id)],
        ["session", str(run.session_date)],
        ["published", f"{moment(run.published_at)}, {age(run.published_at, now)}"],
        ["trades", f"{proposed:,} proposed; of these {later or 'none sent yet'}"],
        ["model", f"{run.model_name}, version {run.model_version}"],
        ["data", run.data_snapshot[:16]],
        ["code", run.code_version],
    ]
    return Grid(("fact", "value"), rows)


def _by_outcome(outcomes: tuple[tuple[str, int, int, int], ...]) -> Grid:
    rows: list[list[Cell]] = [
        [
            Badge(outcome.replace("_", " "), _TROUBLE.get(Outcome(outcome), Verdict.GOOD)),
            f"{accounts:,}",
            f"{sells / _CENTS:,.2f}",
            f"{buys / _CENTS:,.2f}",
        ]
        for outcome, accounts, sells, buys in outcomes
    ]
    return Grid(("outcome", "#accounts", "#sells, USD", "#buys, USD"), rows)


def _runs(runs: Any, now: dt.datetime) -> Grid:
    rows: list[list[Cell]] = [
        [lineage_link(run.run_id), str(run.session_date), run.status, age(run.started_at, now)]
        for run in runs
    ]
    return Grid(("newest runs", "session", "status", "begun"), rows)


def lineage_link(run_id: str) -> Link:
    """Return a link to the tasks that made a run."""
    return Link(run_id[:16], f"runs/{run_id}")
