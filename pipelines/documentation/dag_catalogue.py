"""The catalogue of DAGs: what each one does, when it starts, its form, its tasks, what they update.

It is read from the DAGs as Airflow parses them, under default settings: ``docs/dags.md`` is the
same text whoever makes it, and a test compares the two.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from pipelines.errors import ProcessError
from pipelines.lineage import REPOSITORY

CATALOGUE = REPOSITORY / "docs" / "dags.md"

_READER = REPOSITORY / "plugins" / "dag_catalogue" / "read_dags.py"
_SECONDS = 180
_OURS = ("AIRFLOW", "SMARTINVEST_")

Dag = Mapping[str, Any]


def read_dags() -> list[Dag]:
    """Return every DAG as Airflow parses it: the chain in its order, then the others by name.

    Raises
    ------
    ProcessError
        A DAG file does not parse.
    """
    inherited = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, str(_READER), str(REPOSITORY / "dags")],
            env={
                **inherited,
                "AIRFLOW_HOME": home,
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
                "SMARTINVEST_HOME": str(Path(home) / "home"),
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


def catalogue_text(dags: Sequence[Dag]) -> str:
    """Return the catalogue as Markdown."""
    chain = " -> ".join(f"[{dag['dag_id']}](#{dag['dag_id']})" for dag in dags if _is_linked(dag))
    beside = ", ".join(f"[{d['dag_id']}](#{d['dag_id']})" for d in dags if not _is_linked(d))
    parts = [
        "# DAGs",
        "Written by `make docs` from the DAGs as Airflow parses them with default settings; "
        "do not edit.",
        f"The chain of a session: {chain}. Beside it: {beside}.",
        *(part for dag in dags for part in _chapter(dag)),
    ]
    return "\n\n".join(parts) + "\n"


def catalogue_body(dags: Sequence[Dag]) -> str:
    """Return the catalogue as the body of an HTML page."""
    markdown = MarkdownIt().enable("table")
    html: str = markdown.render(catalogue_text(dags))
    for dag in dags:
        name = dag["dag_id"]
        html = html.replace(f"<h2>{name}</h2>", f'<h2 id="{name}">{name}</h2>')
    return html


def _is_setting(name: str) -> bool:
    return name.startswith(_OURS) or name.startswith("_AIRFLOW")


def _in_order(dags: Sequence[Dag]) -> list[Dag]:
    """Put each DAG behind the one that updates the asset it listens to, and the others last."""
    ordered: list[Dag] = []
    waiting = [dag for dag in dags if _is_linked(dag)]
    while waiting:
        made = {name for dag in ordered for name in _all(dag, "updates")}
        ready = [dag for dag in waiting if dag["starts_on"] in (None, *made)] or waiting
        ordered += ready
        waiting = [dag for dag in waiting if dag not in ready]
    return [*ordered, *(dag for dag in dags if not _is_linked(dag))]


def _is_linked(dag: Dag) -> bool:
    return bool(dag["starts_on"] or _all(dag, "updates"))


def _all(dag: Dag, what: str) -> list[str]:
    """Return the assets that tasks of a DAG read, or update, each once."""
    return list(dict.fromkeys(name for task in dag["tasks"] for name in task[what]))


def _chapter(dag: Dag) -> Iterable[str]:
    yield f"## {dag['dag_id']}"
    yield dag["doc"].strip()
    yield _table(
        ("", ""),
        (
            ("starts", _start(dag)),
            ("reads", _names(_all(dag, "reads"))),
            ("updates", _names(_all(dag, "updates"))),
            ("owner, tags", f"{dag['owner']}; {', '.join(dag['tags'])}"),
            ("runs at a time", str(dag["max_active_runs"])),
            ("deadlines", ", ".join(dag["deadlines"])),
            ("given up after", f"{dag['given_up_hours']:g} h"),
        ),
    )
    if dag["params"]:
        yield _table(("parameter", "takes", "default", "meaning"), map(_param, dag["params"]))
    yield _table(
        ("task", "follows", "retries", "minutes", "pool", "queue"), map(_task, dag["tasks"])
    )


def _start(dag: Dag) -> str:
    if dag["starts_on"]:
        return f"when the asset `{dag['starts_on']}` was updated for a session"
    return dag["timetable"] or "by hand only"


def _param(param: Mapping[str, Any]) -> tuple[str, ...]:
    schema = param["schema"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    takes = [schema.get("format") or next(kind for kind in kinds if kind != "null")]
    if "enum" in schema:
        takes = [", ".join(f"`{value}`" for value in schema["enum"])]
    if "minimum" in schema:
        takes.append(f"{schema['minimum']} to {schema['maximum']}")
    if "pattern" in schema:
        takes.append(f"`{schema['pattern']}`")
    default = "must be given" if param["required"] else f"`{json.dumps(param['default'])}`"
    meaning = f"{schema.get('title', '')}. {param['description']}"
    return f"`{param['name']}`", ", ".join(takes), default, meaning


def _task(task: Mapping[str, Any]) -> tuple[str, ...]:
    mapped = " (mapped)" if task["is_mapped"] else ""
    minutes = "" if task["minutes"] is None else f"{task['minutes']:g}"
    follows = _names(task["follows"])
    return (
        f"`{task['task_id']}`{mapped}",
        follows,
        str(task["retries"]),
        minutes,
        task["pool"],
        task["queue"],
    )


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in lines
    )
