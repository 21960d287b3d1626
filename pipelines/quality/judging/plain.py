"""Judge rows by the rules of one suite, each row by itself or beside columns derived for it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.rules import Suite
from models.declaration import Table
from pipelines.quality.judging.compiled import Batch, Column, failing
from pipelines.quality.judging.rejections import Failures, describe, rejected_positions
from pipelines.quality.judging.verdict import Verdict


def judge_rows(table: Table, suite: Suite, rows: pa.Table, **derived: Column) -> Verdict:
    """Return the verdict of a suite on rows of a declared table and the columns derived for it."""
    batch = Batch.of(rows, **derived)
    failures = [Failures(rule, failing(rule, batch)) for rule in suite]
    return Verdict(
        describe(table, batch, failures),
        batch,
        np.ones(batch.rows, dtype=bool),
        rejected_positions(failures),
    )


def sound_rows(suite: Suite, rows: pa.Table, **derived: Column) -> npt.NDArray[np.bool_]:
    """Say of each row whether it passes a suite."""
    batch = Batch.of(rows, **derived)
    sound = np.ones(batch.rows, dtype=bool)
    for rule in suite:
        sound[failing(rule, batch)] = False
    return sound
