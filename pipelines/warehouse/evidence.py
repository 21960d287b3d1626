"""What the database of a build, published or not, adds to dbt's results: rows, and failing rows."""

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from pipelines.build_results import FailingRows, NodeResult
from pipelines.errors import WarehouseError
from pipelines.warehouse.duckdb import connect

logger = logging.getLogger(__name__)

SAMPLED_ROWS = 20
"""Failing rows that are kept of a test."""

SAMPLED_TESTS = 20
"""Failing tests of a build whose rows are looked up: each runs its query once more."""

_LONGEST_VALUE = 200


def with_evidence(nodes: Iterable[NodeResult], workspace: Path) -> tuple[NodeResult, ...]:
    """Return the nodes, tables with their rows and failed tests with some of the failing ones.

    Parameters
    ----------
    workspace : the build's folder, with its inputs still in place.
    """
    nodes = tuple(nodes)
    try:
        with connect(workspace) as warehouse:
            warehouse.execute("set file_search_path = ?", [str(workspace)])
            return tuple(_with_evidence(nodes, warehouse))
    except (WarehouseError, duckdb.Error) as error:
        logger.info("the unfinished warehouse cannot be looked into: %s", error)
        return nodes


def _with_evidence(
    nodes: tuple[NodeResult, ...], warehouse: duckdb.DuckDBPyConnection
) -> Iterator[NodeResult]:
    counted = _rows(warehouse)
    failed = [node for node in nodes if node.kind == "test" and node.failing_rows and node.failed]
    sampled = {id(node) for node in failed[:SAMPLED_TESTS]}
    for node in nodes:
        if id(node) in sampled:
            yield dataclasses.replace(node, sample=_sample(node, warehouse))
        elif node.kind == "model" and node.passed:
            yield dataclasses.replace(node, rows=counted.get((node.layer, node.name)))
        else:
            yield node


def _rows(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    tables = warehouse.sql("select schema_name, table_name from duckdb_tables()").fetchall()
    return {
        (schema, name): warehouse.sql(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0]
        for schema, name in tables
    }


def _sample(test: NodeResult, warehouse: duckdb.DuckDBPyConnection) -> FailingRows | None:
    try:
        found = warehouse.sql(f"select * from ({test.sql}) limit {SAMPLED_ROWS}")
        rows = found.fetchall()
    except duckdb.Error as error:
        logger.info("the failing rows of %s cannot be shown: %s", test.name, error)
        return None
    order = sorted(range(len(found.columns)), key=lambda i: found.columns[i] != test.column)
    return FailingRows(
        columns=tuple(found.columns[i] for i in order),
        rows=tuple(tuple(_text(row[i]) for i in order) for row in rows),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
