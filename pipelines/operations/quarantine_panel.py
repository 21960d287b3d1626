"""What could not be used: rejected rows of market data by rule, and clients' inputs by field."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from pipelines.operations.panels import Cell, Grid, Panel, Verdict
from pipelines.operations.words import age, count
from pipelines.settings import Settings
from pipelines.store import connect, tables

_NEW = dt.timedelta(days=1)


def quarantine_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show how many rows each rule keeps out, of how many symbols, and since when the newest.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    row, issue = tables["quarantine"], tables["client_issue"]
    rules = (
        sa.select(
            row.c.dataset,
            row.c.rule,
            sa.func.count().label("rows"),
            sa.func.count(row.c.symbol.distinct()).label("symbols"),
            sa.func.max(row.c.session_date).label("newest_day"),
            sa.func.max(row.c.since).label("since"),
            sa.func.min(row.c.reason).label("reason"),
        )
        .where(row.c.source == settings.source)
        .group_by(row.c.dataset, row.c.rule)
        .order_by(sa.desc("since"), row.c.dataset, row.c.rule)
    )
    # Field and number only: the cause may be of one client.
    fields = (
        sa.select(issue.c.field, sa.func.count().label("rows"), sa.func.max(issue.c.since))
        .group_by(issue.c.field)
        .order_by(sa.desc("rows"), issue.c.field)
    )
    with connect(settings) as connection:
        found = connection.execute(rules).all()
        issues: Any = connection.execute(fields).all()
    total = sum(each.rows for each in found)
    newest = max((each.since for each in found), default=None)
    is_new = newest is not None and now - newest < _NEW
    by_rule: list[list[Cell]] = [
        [
            each.dataset,
            each.rule,
            f"{each.rows:,}",
            f"{each.symbols:,}",
            str(each.newest_day),
            age(each.since, now),
            each.reason,
        ]
        for each in found
    ]
    by_field: list[list[Cell]] = [
        [field, f"{rows:,}", age(since, now)] for field, rows, since in issues
    ]
    columns = (
        "dataset",
        "rule",
        "#rows",
        "#symbols",
        "newest day",
        "newest rejected",
        "for example",
    )
    rows_kept = f"{count(total, 'row')}, the newest {age(newest, now)}" if total else "empty"
    of_clients = f"; {count(sum(each.rows for each in issues), 'client input')}" if issues else ""
    return Panel(
        "quarantine",
        "Quarantine",
        Verdict.ATTENTION if is_new or issues else Verdict.GOOD,
        rows_kept + of_clients,
        (
            *([Grid(columns, by_rule)] if by_rule else []),
            *([Grid(("field of client inputs", "#lines", "newest"), by_field)] if issues else []),
        ),
        ("`smartinvest quarantine list` has every row with its remedy.",) if total else (),
    )
