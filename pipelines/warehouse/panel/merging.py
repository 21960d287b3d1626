"""Join what a build computed with its base's rows, part by part."""

import datetime as dt
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.warehouse.panel.base import Base
from pipelines.warehouse.panel.layout import Span, date_of, spans
from pipelines.warehouse.panel.members import Members
from pipelines.warehouse.panel.parts import Part, PartWriter
from pipelines.warehouse.panel.ranking import rank_rows
from pipelines.warehouse.panel.rows import Rows, Words, joined

_DAY_BITS = 32


@dataclass(frozen=True)
class Merge:
    """What becomes of a base's rows.

    Attributes
    ----------
    fresh : rows of this build, in any order, without ranks.
    replaced_from : (symbols,), per code the first day from which the base's rows count no more.
    """

    base: Base
    fresh: Rows
    replaced_from: npt.NDArray[np.int32]
    words: Words
    members: Members
    pool: Executor

    def write(self, session: dt.date, folder: Path, threads: int) -> list[Part]:
        """Write the parts of a session's layout, or link those that the base has already."""
        first_days = [span.begin for span in self.base.spans[:1]]
        if len(self.fresh):
            first_days.append(int(self.fresh["session_date"].min()))
        if not first_days:
            return []
        layout = spans(date_of(min(first_days)), session)
        parts = []
        with PartWriter(folder, layout, self.words, threads) as writer:
            for span in layout:
                rows = self._rows(span)
                if rows is None:
                    parts.append(self.base.link(span.name, folder))
                elif len(rows):
                    writer.append_part(span.name, rows)
            parts += writer.finish()
        return sorted(parts, key=lambda part: part.name)

    def _rows(self, span: Span) -> Rows | None:
        """Return the rows of a part; None where they are those of the base's part."""
        days = self.fresh["session_date"]
        fresh = np.flatnonzero((span.begin <= days) & (days < span.end))
        over = [part for part in self.base.spans if span.begin <= part.begin < span.end]
        is_kept = [part.name for part in over] == [span.name]
        is_touched = len(fresh) > 0 or bool((self.replaced_from < span.end).any())
        if is_kept and not is_touched:
            return None
        before = joined([self.base.rows(part.name, self.words) for part in over])
        counts = before["session_date"] < self.replaced_from[before["symbol"]]
        rows = joined([before.take(np.flatnonzero(counts)), self.fresh.take(fresh)])
        keys = (rows["symbol"].astype(np.int64) << _DAY_BITS) + rows["session_date"]
        rows = rows.take(np.argsort(keys, kind="stable"))
        if is_touched:
            rank_rows(rows, self.words, self.members, self.pool)
        return None if is_kept and rows.equals(before) else rows
