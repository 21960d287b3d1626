"""Collect which rows failed which rules, and put it into the words that quarantine stores."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.rules import Rule
from models.declaration import Table
from models.lake import quarantined
from pipelines.lake import arrow_schema, conform
from pipelines.quality.judging.compiled import Batch

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Failures:
    """The rows of a batch that failed one rule."""

    rule: Rule
    positions: Positions


def describe(table: Table, batch: Batch, failures: Iterable[Failures]) -> pa.Table:
    """Return one row of ``quarantined(table)`` per failed rule of each row."""
    declared = quarantined(table)
    parts = [
        _described(table, batch, failed, arrow_schema(declared))
        for failed in failures
        if failed.positions.size
    ]
    if not parts:
        return arrow_schema(declared).empty_table()
    return conform(pa.concat_tables(parts), declared)


def rejected_positions(failures: Iterable[Failures]) -> Positions:
    """Return the positions of the rows that failed any rule, in order."""
    parts = [failed.positions for failed in failures]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.intp)


def _described(table: Table, batch: Batch, failed: Failures, schema: pa.Schema) -> pa.Table:
    rule, positions = failed.rule, failed.positions
    rows = pa.array(positions)
    count = len(positions)
    columns = {name: batch.columns[name].take(rows) for name in table.key}
    return pa.table(
        {
            **columns,
            "rule": pa.repeat(pa.scalar(rule.name), count),
            "observed_value": pa.array(
                [quoted(batch, rule, int(position)) for position in positions], pa.string()
            ),
            "reason": pa.repeat(pa.scalar(rule.reason), count),
            "remedy": pa.repeat(pa.scalar(rule.remedy), count),
        }
    ).cast(schema)


def quoted(batch: Batch, rule: Rule, position: int) -> str | None:
    """Return the values that a rule's report shows, as text."""
    values = [batch.value(name, position) for name in rule.shows]
    if len(values) == 1:
        return None if values[0] is None else _text(values[0])
    pairs = zip(rule.shows, values, strict=True)
    return ", ".join(f"{name}={_text(value)}" for name, value in pairs) or None


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
