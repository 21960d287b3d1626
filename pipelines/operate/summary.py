"""Say in a terminal what the last run made: freshness, quality, models, outcomes, trades."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from models.vocabulary import RunStatus, TradeStatus
from pipelines.errors import StoreError
from pipelines.operate.chain import Stage
from pipelines.operate.due import runs_by_itself
from pipelines.operate.model_summary import SCORES_TITLE, choice_facts, scores_of_test
from pipelines.settings import Settings
from pipelines.store import connect, tables

_CENTS = 100.0
_WIDTH_OF_A_FILE = 120


def published_runs(settings: Settings, session: dt.date) -> dict[str, dt.datetime]:
    """Return the published runs of a session: run id to the moment of publication."""
    run = tables["advice_run"]
    query = sa.select(run.c.run_id, run.c.published_at).where(
        run.c.source == settings.source,
        run.c.session_date == session,
        run.c.status == RunStatus.PUBLISHED,
    )
    with connect(settings) as connection:
        return {row.run_id: row.published_at for row in connection.execute(query)}


def print_summary(settings: Settings, session: dt.date) -> None:
    """Print what the newest published run of a session holds and where to look at it.

    Raises
    ------
    StoreError
        No run is published for the session.
    """
    with connect(settings) as connection:
        run = _newest_run(connection, settings, session)
        if run is None:
            raise StoreError(
                "session",
                session,
                "no run is published for it",
                "Make one with: make run, or smartinvest run.",
            )
        scores = scores_of_test(connection, settings, session)
        outcomes = _outcomes(connection, run.run_id)
        trades = _trades(connection, run.run_id)
        facts = _facts(connection, settings, run)
    console = _console()
    console.print()
    console.print(_pairs(facts))
    console.print(_table(SCORES_TITLE, scores))
    console.print(_table("accounts", outcomes))
    console.print(_table("trades", trades))
    console.print()
    console.print(_pairs(_places(settings)))


def print_status(settings: Settings, now: dt.datetime) -> None:
    """Print how fresh each source's data is, then the newest published run of any session.

    Parameters
    ----------
    settings : whose lake and store are asked.
    now : the moment of asking (UTC), against which freshness is counted.

    Raises
    ------
    StoreError
        There is no store, or nothing is published in it.
    """
    console = _console()
    console.print(_table("market data", _freshness(settings, now)))
    console.print()
    run = tables["advice_run"]
    query = (
        sa.select(run)
        .where(run.c.source == settings.source, run.c.status == RunStatus.PUBLISHED)
        .order_by(run.c.session_date.desc(), run.c.published_at.desc())
        .limit(1)
    )
    with connect(settings) as connection:
        newest = connection.execute(query).one_or_none()
        if newest is None:
            raise StoreError(
                "store", settings.home, "nothing is published in it", "Make a run: make run."
            )
        facts = _facts(connection, settings, newest)
    console.print(_pairs(facts))


def print_seconds(ready_s: float, stages: Sequence[Stage], total_s: float) -> None:
    """Print where the time of a run through Airflow went."""
    spent = [("start Airflow", ready_s)] + [(stage.dag_id, stage.seconds) for stage in stages]
    spent.append(("all, with stopping", total_s))
    rows = [{"step": what, "seconds": f"{seconds:.1f}"} for what, seconds in spent]
    _console().print(_table("time", rows))


def _freshness(settings: Settings, now: dt.datetime) -> list[dict[str, str]]:
    # Heavy, and no run needs it.
    from pipelines.quality import freshness

    return [
        {
            "source": found.source.value,
            "newest session": str(found.newest_session),
            "last ingest was for": str(found.last_ingest_session),
            "sessions behind": f"{found.sessions_behind:,}",
            "new sessions": (
                "by themselves" if runs_by_itself(found.source) else "when somebody brings them"
            ),
        }
        for found in freshness(settings, now)
    ]


def _newest_run(connection: sa.Connection, settings: Settings, session: dt.date) -> Any:
    run = tables["advice_run"]
    return connection.execute(
        sa.select(run)
        .where(
            run.c.source == settings.source,
            run.c.session_date == session,
            run.c.status == RunStatus.PUBLISHED,
        )
        .order_by(run.c.published_at.desc())
        .limit(1)
    ).one_or_none()


def _facts(connection: sa.Connection, settings: Settings, run: Any) -> dict[str, str]:
    file, rejected = tables["snapshot_file"], tables["quarantine"]
    market = sa.and_(
        file.c.data_snapshot == run.data_snapshot, file.c.path.startswith("raw/", autoescape=True)
    )
    rows = connection.scalar(sa.select(sa.func.sum(file.c.rows)).where(market)) or 0
    files = connection.scalar(sa.select(sa.func.count()).select_from(file).where(market))
    quarantined = connection.scalar(
        sa.select(sa.func.count()).select_from(rejected).where(rejected.c.source == settings.source)
    )
    return {
        "data": f"{run.source}, through {run.session_date}",
        "raw rows": f"{rows:,} in {files:,} files, {quarantined:,} rows in quarantine",
        "model": f"{run.model_name}, version {run.model_version}, MLflow run {run.mlflow_run_id}",
        **choice_facts(connection, run),
        "run": f"{run.run_id}, published {run.published_at:%Y-%m-%d %H:%M:%S} UTC",
        "code": run.code_version,
    }


def _outcomes(connection: sa.Connection, run_id: str) -> list[dict[str, str]]:
    outcome = tables["client_outcome"]
    count = sa.func.count().label("accounts")
    query = (
        sa.select(outcome.c.outcome, count)
        .where(outcome.c.run_id == run_id)
        .group_by(outcome.c.outcome)
        .order_by(count.desc(), outcome.c.outcome)
    )
    return [
        {"outcome": row.outcome, "accounts": f"{row.accounts:,}"}
        for row in connection.execute(query)
    ]


def _trades(connection: sa.Connection, run_id: str) -> list[dict[str, str]]:
    trade = tables["trade"]
    query = (
        sa.select(
            trade.c.side,
            sa.func.count().label("trades"),
            sa.func.sum(trade.c.notional_cents).label("notional_cents"),
            sa.func.sum(trade.c.fee_cents).label("fee_cents"),
        )
        .where(trade.c.run_id == run_id, trade.c.status == TradeStatus.PROPOSED)
        .group_by(trade.c.side)
        .order_by(trade.c.side.desc())
    )
    return [
        {
            "side": row.side,
            "proposed": f"{row.trades:,}",
            # PostgreSQL adds integers up to a decimal.
            "USD": f"{int(row.notional_cents) / _CENTS:,.2f}",
            "estimated cost": f"{int(row.fee_cents) / _CENTS:,.2f}",
        }
        for row in connection.execute(query)
    ]


def _places(settings: Settings) -> dict[str, str]:
    from pipelines.store import engine

    return {
        "SQL store": f"{engine.shown_url(settings)} (views current_*)",
        "warehouse": f"{settings.warehouse / 'current' / 'warehouse.duckdb'}",
        "user interfaces": "make up (Airflow and MLflow)",
        "logs": str(settings.logs),
    }


def _console() -> Console:
    # Where nobody watches there is no width to fit into, and long paths stay whole.
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_FILE)


def _pairs(pairs: dict[str, str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, value)
    return table


def _table(title: str, rows: Sequence[dict[str, str]]) -> Table:
    table = Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    if not rows:
        table.show_header = False
        table.add_column()
        table.add_row("none")
        return table
    for position, name in enumerate(rows[0]):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table
