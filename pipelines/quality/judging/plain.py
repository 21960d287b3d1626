"""Judge rows by the rules of one suite alone, each row by itself."""

import numpy as np
import pyarrow as pa

from expectations.rules import Suite
from models.declaration import Table
from pipelines.quality.judging.compiled import Batch, failing, numbers
from pipelines.quality.judging.rejections import Failures, describe, rejected_positions
from pipelines.quality.judging.verdict import Verdict

_MICROSECONDS_PER_DAY = 86_400e6


def judge_rows(table: Table, suite: Suite, rows: pa.Table) -> Verdict:
    """Return the verdict of a suite on rows of a declared table.

    Observations get the column ``observed_from``: the moment at which their period began.
    """
    batch = Batch.of(rows)
    if "observation_date" in rows.column_names:
        batch.columns["observed_from"] = numbers(rows["observation_date"]) * _MICROSECONDS_PER_DAY
    failures = [Failures(rule, failing(rule, batch)) for rule in suite]
    return Verdict(
        describe(table, batch, failures),
        batch,
        np.ones(batch.rows, dtype=bool),
        rejected_positions(failures),
    )
