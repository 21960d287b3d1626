"""Which tasks made an advice run, from what, where and by which code."""

import datetime as dt
import json
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from models.vocabulary import TaskState
from pipelines.operations.page import framed
from pipelines.operations.panels import Badge, Cell, Grid, Link, Panel, Verdict
from pipelines.operations.words import count, duration, moment
from pipelines.settings import Settings
from pipelines.store import connect, tables

_MOST_TRIES = 500
_VERDICTS = {
    TaskState.SUCCESS: Verdict.GOOD,
    TaskState.SKIPPED: Verdict.GOOD,
    TaskState.RUNNING: Verdict.ATTENTION,
    TaskState.UP_FOR_RETRY: Verdict.ATTENTION,
    TaskState.FAILED: Verdict.BAD,
}


def lineage_page(settings: Settings, run_id: str, base: str, now: dt.datetime) -> str | None:
    """Return the page of an advice run; None if the store has no such run.

    Parameters
    ----------
    base : path under which the pages are mounted.

    Raises
    ------
    StoreError
        The store cannot be read.
    """
    run, task = tables["advice_run"], tables["task_lineage"]
    with connect(settings) as connection:
        made = connection.execute(sa.select(run).where(run.c.run_id == run_id)).one_or_none()
        if made is None:
            return None
        tries = connection.execute(
            sa.select(task)
            # The DAGs before the run had a key are those of its session.
            .where(
                sa.or_(
                    task.c.advice_run_id == run_id,
                    sa.and_(
                        task.c.session_date == made.session_date,
                        task.c.source == made.source,
                        task.c.advice_run_id.is_(None),
                    ),
                )
            )
            .order_by(task.c.started_at.desc())
            .limit(_MOST_TRIES)
        ).all()
    facts: list[list[Cell]] = [
        [name.replace("_", " "), str(getattr(made, name) or "-")]
        for name in (
            *("session_date", "status", "source", "data_snapshot", "feature_hash", "model_name"),
            *("model_version", "mlflow_run_id", "config_hash", "code_version", "supersedes"),
        )
    ]
    facts += [["started", moment(made.started_at)], ["published", moment(made.published_at)]]
    own = [each for each in tries if each.advice_run_id == run_id]
    before = [each for each in tries if each.advice_run_id is None]
    panels = [
        Panel(
            "run",
            "Run",
            Verdict.GOOD,
            "",
            (Grid(("fact", "value"), facts),),
            ("`smartinvest replay` makes it again and compares every row.",),
        ),
        _tries("made", "Tasks that made it", own),
        _tries("session", f"Other tasks of session {made.session_date}", before),
    ]
    return framed(f"Advice run {run_id[:16]}", panels, base, now)


def _tries(key: str, title: str, tries: list[Any]) -> Panel:
    if not tries:
        why = "None is noted: it ran without Airflow, or the store was away."
        return Panel(key, title, Verdict.UNKNOWN, "none", notes=(why,))
    rows: list[list[Cell]] = [
        [
            _task(each),
            Badge(each.state.replace("_", " "), _VERDICTS[TaskState(each.state)]),
            moment(each.started_at),
            _took(each),
            _assets(each.inlets),
            _assets(each.outlets),
            each.host,
            each.code_version,
        ]
        for each in tries
    ]
    columns = ("task", "state", "began", "took", "read", "updated", "on", "code")
    verdict = Verdict.GOOD
    return Panel(key, title, verdict, count(len(tries), "try", "tries"), (Grid(columns, rows),))


def _task(each: Any) -> Link:
    mapped = f" [{each.map_index}]" if each.map_index >= 0 else ""
    path = f"../dags/{quote(each.dag_id)}/runs/{quote(each.dag_run_id)}/tasks/{quote(each.task_id)}"
    if each.map_index >= 0:
        path += f"/mapped/{each.map_index}"
    return Link(
        f"{each.dag_id}.{each.task_id}{mapped}, try {each.try_number}", f"../{path}", "_self"
    )


def _took(each: Any) -> str:
    if each.started_at is None or each.ended_at is None:
        return "-"
    return duration((each.ended_at - each.started_at).total_seconds())


def _assets(listed: str) -> str:
    return ", ".join(
        f"{asset['asset']} {(asset['version'] or '')[:24]}".rstrip() for asset in json.loads(listed)
    )
