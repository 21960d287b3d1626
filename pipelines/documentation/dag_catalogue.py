"""The catalogue of DAGs: what each one does, when it starts, its tasks and what they update."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from pipelines.errors import ProcessError
from pipelines.lineage import REPOSITORY

_READER = REPOSITORY / "plugins" / "dag_catalogue" / "read_dags.py"
_SECONDS = 180

Dag = Mapping[str, Any]


def read_dags() -> list[Dag]:
    """Return every DAG as Airflow parses it, in the order in which they follow one another.

    Raises
    ------
    ProcessError
        A DAG file does not parse.
    """
    inherited = {name: value for name, value in os.environ.items() if "AIRFLOW" not in name}
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, str(_READER), str(REPOSITORY / "dags")],
            env={
                **inherited,
                "AIRFLOW_HOME": home,
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
            },
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        problem = next(reversed(done.stderr.strip().splitlines()), "no output")
        raise ProcessError("DAG files", REPOSITORY / "dags", problem, "Mend them.")
    found = json.loads(lines[-1])
    for file, problem in found["problems"].items():
        raise ProcessError("DAG file", file, f"it does not parse: {problem}", "Mend it.")
    return _in_order(found["dags"])


def catalogue_body(dags: Sequence[Dag]) -> str:
    """Return the catalogue as the body of an HTML page."""
    markdown = MarkdownIt()
    parts = [f"<h1>DAGs</h1><p>{_chain(dags)}</p>"]
    for dag in dags:
        parts.append(
            f'<section id="{escape(dag["dag_id"])}">{markdown.render(dag["doc"])}'
            f"<p><b>{escape(dag['dag_id'])}</b> starts {escape(_start(dag))}; "
            f"at most {dag['max_active_runs']} run at a time; tags "
            f"{escape(', '.join(dag['tags']))}.</p>{_tasks(dag)}</section>"
        )
    return "\n".join(parts)


def _in_order(dags: Sequence[Dag]) -> list[Dag]:
    """Put each DAG behind the one that updates the asset it listens to."""
    ordered: list[Dag] = []
    waiting = list(dags)
    while waiting:
        made = {name for dag in ordered for name in _updates(dag)}
        ready = [dag for dag in waiting if dag["starts_on"] in (None, *made)]
        if not ready:
            return [*ordered, *waiting]
        ordered += ready
        waiting = [dag for dag in waiting if dag not in ready]
    return ordered


def _updates(dag: Dag) -> list[str]:
    return sorted({name for task in dag["tasks"] for name in task["updates"]})


def _chain(dags: Sequence[Dag]) -> str:
    links = (f'<a href="#{escape(dag["dag_id"])}">{escape(dag["dag_id"])}</a>' for dag in dags)
    return " &rarr; ".join(links)


def _start(dag: Dag) -> str:
    if dag["starts_on"]:
        return f"when the asset {dag['starts_on']} was updated for a session"
    return f"by its timetable, {dag['timetable']}"


def _tasks(dag: Dag) -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (
                task["task_id"] + (" (one per batch)" if task["is_mapped"] else ""),
                ", ".join(task["follows"]),
                ", ".join(task["reads"]),
                ", ".join(task["updates"]),
                str(task["retries"]),
                task["pool"],
                task["owner"],
            )
        )
        + "</tr>"
        for task in dag["tasks"]
    )
    titles = ("task", "follows", "reads", "updates", "retries", "pool", "owner")
    head = "".join(f"<th>{title}</th>" for title in titles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
