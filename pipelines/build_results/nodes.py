"""What one ``dbt build`` says of each model, data test and unit test, as typed records."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

PASSED = frozenset({"success", "pass", "no-op"})
LONGEST_SQL = 20_000
"""Characters of a failed node's SQL that are kept."""

_OUR_ERROR = re.compile(r"^pipelines\.errors\.\w+: ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class FailingRows:
    """Some of the rows that a data test selected; every value as text, null as None."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class NodeResult:
    """How one node of a ``dbt build`` ended.

    Parameters
    ----------
    kind : ``model``, ``test`` or ``unit_test``.
    model : the model (or source table) that a test speaks of; a model's own name.
    layer : ``staging``, ``intermediate``, ``marts`` or, for tests of a source, ``source``.
    status : dbt's word: success, pass, warn, fail, error, skipped.
    rows : of a table after the build; None for views, tests and what was not built.
    failing_rows : how many rows a data test selected; None where it did not run.
    column : the column that a data test speaks of, if it is only one.
    file : where it is declared, relative to the dbt project.
    sql, sample : what ran and some rows that it selected; only of what failed.
    """

    kind: str
    name: str
    model: str
    layer: str
    status: str
    seconds: float
    rows: int | None = None
    failing_rows: int | None = None
    message: str = ""
    description: str = ""
    column: str | None = None
    file: str = ""
    sql: str = ""
    sample: FailingRows | None = None

    @property
    def passed(self) -> bool:
        """Whether it ran and nothing is wrong."""
        return self.status in PASSED

    @property
    def skipped(self) -> bool:
        """Whether it did not run, because something before it failed."""
        return self.status == "skipped"

    @property
    def reason(self) -> str:
        """Why it is not as it should be, in one line; empty where nothing is wrong."""
        if self.failing_rows:
            return f"{self.failing_rows:,} {'row fails' if self.failing_rows == 1 else 'rows fail'}"
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        # Python tells last what went wrong, a database first.
        told = lines[-1:] if any(line.startswith("Traceback") for line in lines) else lines[:3]
        return _OUR_ERROR.sub("", " ".join(told)) or ("" if self.passed else self.status)

    @property
    def fails_again(self) -> bool:
        """Whether the same inputs fail it again: a test that ran, or what our own code refused."""
        lines = self.message.splitlines()
        return self.status == "fail" or any(_OUR_ERROR.match(line.strip()) for line in lines)

    @property
    def failed(self) -> bool:
        """Whether it stops the publication."""
        return not (self.passed or self.skipped or self.status == "warn")


def read_nodes(target: Path) -> tuple[NodeResult, ...]:
    """Return what the last ``dbt build`` into a target folder said, in the order it ran.

    Nothing where dbt ended before it ran a node, or was ended while it wrote.
    """
    results = target / "run_results.json"
    if not results.is_file():
        return ()
    try:
        said = json.loads(results.read_text("utf-8"))
        manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    except ValueError as error:
        logger.warning("dbt's results cannot be read: %s", error)
        return ()
    return tuple(_nodes(said, manifest))


def _nodes(run_results: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[NodeResult]:
    declared = {**manifest["nodes"], **manifest["unit_tests"]}
    for result in run_results["results"]:
        node = declared[result["unique_id"]]
        model, layer = _subject(node, manifest)
        status = str(result["status"])
        failed = status not in PASSED and status not in ("skipped", "warn")
        yield NodeResult(
            kind=node["resource_type"],
            name=node["name"],
            model=model,
            layer=layer,
            status=status,
            seconds=round(result["execution_time"], 3),
            failing_rows=result["failures"] if node["resource_type"] == "test" else None,
            message="" if status in PASSED else _message(result),
            description=node["description"].strip(),
            column=node.get("column_name"),
            file=node["original_file_path"],
            sql=(result["compiled_code"] or "").strip()[:LONGEST_SQL] if failed else "",
        )


def _message(result: Mapping[str, Any]) -> str:
    """Return dbt's words; of a test with failing rows they say no more than their number."""
    return "" if result["failures"] else _COLOUR.sub("", result["message"] or "").strip()


def _subject(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name and the layer of what a node builds or tests."""
    if node["resource_type"] == "unit_test":
        return node["model"], node["fqn"][1]
    unique_id = node["unique_id"]
    if node["resource_type"] == "test":
        tested = node["attached_node"] or next(iter(node["depends_on"]["nodes"]), "")
        if not tested:
            return "", ""
        unique_id = tested
    if source := manifest["sources"].get(unique_id):
        return f"{source['source_name']}.{source['name']}", "source"
    subject = manifest["nodes"][unique_id]
    return subject["name"], subject["fqn"][1]
