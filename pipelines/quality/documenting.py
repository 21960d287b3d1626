"""Confirm the verdicts of a source with Great Expectations and write its Data Docs.

Imports Great Expectations and pandas; the stage imports this module only when there is work.
"""

import html
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from models.declaration import Table
from models.lake import PRICES
from pipelines.lake import (
    current_versions,
    landed_files,
    read_rows,
    rejections,
)
from pipelines.quality.confirmation import confirm
from pipelines.quality.data_docs import write_suites
from pipelines.quality.incoming import (
    JUDGED_IN_ORDER,
    SUITES,
    judge_beside,
    known_actions,
    price_judge,
    rules_digest,
)
from pipelines.quality.judging import Verdict
from pipelines.settings import Settings

MOST_ROWS_JUDGED_AGAIN = 300_000
SYMBOLS_SAMPLED = 20
MOST_REJECTED_SYMBOLS = 20
_SEED = 7


def confirm_and_write_suites(settings: Settings) -> None:
    """Judge again from the lake what is there, have it confirmed, and write the suites' pages.

    Of a large dataset, symbols with rows in quarantine and a seeded sample of the others.

    Raises
    ------
    QualityError
        Great Expectations disagrees with a verdict.
    """
    pages = [page for table in JUDGED_IN_ORDER for page in _pages(settings, table)]
    write_suites(settings, rules_digest(), pages)


def _pages(settings: Settings, table: Table) -> Iterator[tuple[str, bool, str]]:
    rows = _rows_to_confirm(settings, table)
    if rows.num_rows == 0:
        return
    confirmation = confirm(table, SUITES.get(table.name), _verdict(settings, table, rows))
    for result in confirmation.results:
        yield result.suite_name, bool(result.success), rendered(result)


def rendered(result: Any) -> str:
    """Return the page of a suite's result, which is changed by it.

    Great Expectations writes values into its pages as they are: one that a source sent could run a
    script in the browser of whoever looks why it was rejected.
    """
    result.meta["run_id"] = None
    for each in result.results:
        each.result = _escaped(each.result)
    return str(DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result)))


def _escaped(value: Any) -> Any:
    """Return a value, or what it is made of, with every text as HTML shows it."""
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, dict):
        return {_escaped(key): _escaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(_escaped(each) for each in value)
    return value


def _verdict(settings: Settings, table: Table, rows: pa.Table) -> Verdict:
    """Judge the whole history of some symbols, so that no earlier past is needed."""
    if table is not PRICES:
        return judge_beside(settings, table, rows, None)
    symbols = pc.unique(rows["symbol"]).cast(pa.string()).to_pylist()
    return price_judge(settings).judge(rows, None, known_actions(settings, symbols))


def _rows_to_confirm(settings: Settings, table: Table) -> pa.Table:
    files = landed_files(settings, "raw", table)
    total = sum(file.summary.rows for file in files)
    if table is not PRICES or total <= MOST_ROWS_JUDGED_AGAIN:
        return read_rows(settings, table, files)
    every = sorted(current_versions(settings, JUDGED_IN_ORDER[0])["symbol"].to_pylist())
    dice = np.random.default_rng(_SEED)
    sampled = dice.choice(len(every), min(SYMBOLS_SAMPLED, len(every)), replace=False)
    chosen = {every[number] for number in sampled}
    bad = pc.unique(rejections(settings, table)["symbol"]).to_pylist()
    chosen |= set(bad[:MOST_REJECTED_SYMBOLS])
    return read_rows(settings, table, files, subjects=chosen)
