"""Have Great Expectations confirm the judge: both evaluate the same rules and must agree.

A small lake is confirmed whole. Of a large one every rejected bar is confirmed, and a sample of
the accepted ones that a seed draws, because Great Expectations would take hours for all of it.
Imports Great Expectations and pandas; the stage imports this module only when there is work.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from expectations.prices import BAR_SUITE, HISTORY_COLUMNS, HISTORY_SUITE
from expectations.rules import Suite
from models.declaration import Table
from pipelines.errors import QualityError
from pipelines.quality.judging import Batch, Verdict, failing
from pipelines.quality.validation import failed_rows, validate

ROWS_CONFIRMED_WHOLE = 5_000
ROWS_SAMPLED = 1_000
MOST_REJECTED_CONFIRMED = 5_000
_SEED = 7


@dataclass(frozen=True)
class Confirmation:
    """What Great Expectations said of some rows; ``results`` are for the Data Docs."""

    rows: int
    results: tuple[Any, ...]


def confirm(table: Table, suite: Suite | None, verdict: Verdict) -> Confirmation:
    """Compare a verdict with Great Expectations.

    Parameters
    ----------
    suite : the rules of the table; None for prices, which have two suites.

    Raises
    ------
    QualityError
        The two disagree about a row, so one of them is wrong.
    """
    chosen = _chosen(verdict)
    steps = [(suite, chosen)] if suite is not None else _price_steps(verdict, chosen)
    results = []
    for rules, rows in steps:
        if not rows.size:
            continue
        result = validate(rules, _frame(verdict.batch, rules, rows))
        _require_agreement(table, rules, verdict.batch, rows, failed_rows(result))
        results.append(result)
    return Confirmation(len(chosen), tuple(results))


def _price_steps(
    verdict: Verdict, chosen: npt.NDArray[np.intp]
) -> list[tuple[Suite, npt.NDArray[np.intp]]]:
    """Return both suites with their rows: the second judges only what passed the first."""
    return [(BAR_SUITE, chosen), (HISTORY_SUITE, chosen[verdict.survivors[chosen]])]


def _chosen(verdict: Verdict) -> npt.NDArray[np.intp]:
    rows = verdict.batch.rows
    if rows <= ROWS_CONFIRMED_WHOLE:
        return np.arange(rows)
    dice = np.random.default_rng(_SEED)
    sampled = dice.choice(rows, ROWS_SAMPLED, replace=False)
    rejected = verdict.rejected
    if len(rejected) > MOST_REJECTED_CONFIRMED:
        rejected = dice.choice(rejected, MOST_REJECTED_CONFIRMED, replace=False)
    return np.union1d(rejected, sampled)


def _frame(batch: Batch, suite: Suite, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    derived = HISTORY_COLUMNS if suite is HISTORY_SUITE else ()
    names = [name for name in batch.columns if name in derived or not derived]
    places = pa.array(rows)
    columns = {}
    for name in names:
        column = batch.columns[name]
        if isinstance(column, np.ndarray) or _is_ordered(column):
            columns[name] = batch.numbers(name)[rows]
        else:
            columns[name] = column.take(places).to_pandas()
            if columns[name].dtype == "category":
                columns[name] = columns[name].astype(object)
    return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})


def _is_ordered(column: pa.ChunkedArray) -> bool:
    """Say whether a column is compared as a number: dates and moments are, too."""
    kind = column.type
    return bool(
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_temporal(kind)
    )


def _require_agreement(
    table: Table,
    suite: Suite,
    batch: Batch,
    rows: npt.NDArray[np.intp],
    theirs: set[tuple[int, str]],
) -> None:
    part = Batch({name: _taken(batch, name, rows) for name in batch.columns}, len(rows))
    ours = {(int(position), rule.name) for rule in suite for position in failing(rule, part)}
    # A demand on the whole names no row in Great Expectations.
    whole = {name for position, name in theirs if position < 0}
    ours = {(-1, name) if name in whole else (position, name) for position, name in ours}
    for position, rule in sorted(ours ^ theirs):
        raise QualityError(
            f"verdict on {table.name}, rule {rule}",
            _named(table, batch, int(rows[position])),
            f"{'only ours' if (position, rule) in ours else 'only Great Expectations'} rejects it",
            "One of the two evaluations of the rule is wrong; mend it before the data is used.",
        )


def _taken(batch: Batch, name: str, rows: npt.NDArray[np.intp]) -> Any:
    column = batch.columns[name]
    return column[rows] if isinstance(column, np.ndarray) else column.take(pa.array(rows))


def _named(table: Table, batch: Batch, row: int) -> str:
    return ", ".join(str(batch.value(name, row)) for name in _key(table))


def _key(table: Table) -> Iterable[str]:
    return (name for name in table.key if name != "source")
