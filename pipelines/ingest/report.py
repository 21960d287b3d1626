"""What an ingest found and added, batch by batch and as a whole."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Group, RenderableType

from models.lake import PRICES
from models.vocabulary import Source
from pipelines.errors import SourceError
from pipelines.ingest.provider import Span
from pipelines.quality import grouped
from pipelines.quality.listing import RejectionGroup
from pipelines.terminal import text_table

MOST_LINES = 60
"""A list of more symbols than this is no longer read; the summary stands for it."""

_DAYS = ("first_day", "last_day")
_SUMS = (
    "session",
    "source",
    "symbols",
    "first_session",
    "last_session",
    "new_rows",
    "restated_rows",
    "quarantined_rows",
    "files",
)
_COUNTS = ("new_rows", "restated_rows", "files", "session_bars")


@dataclass(frozen=True)
class ProblemReport:
    """Something that the source could not deliver, and how many lines of text were set aside."""

    thing: str
    reason: str
    remedy: str
    lines: int


@dataclass(frozen=True)
class BatchReport:
    """What the ingest of one batch of symbols did.

    ``symbols`` say what the source has up to the session, stored before or now; ``session_bars``
    counts those with a bar of the session itself.
    """

    symbols: tuple[Span, ...]
    problems: tuple[ProblemReport, ...]
    new_rows: int
    restated_rows: int
    files: int
    session_bars: int

    @classmethod
    def refused(cls, symbols: Sequence[str], error: SourceError) -> "BatchReport":
        """Return the report of a batch of which the source delivered nothing."""
        problem = ProblemReport(", ".join(symbols), str(error), "Ingest the session again.", 0)
        return cls((), (problem,), new_rows=0, restated_rows=0, files=0, session_bars=0)

    def plain(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold, for Airflow to hand on."""
        content = asdict(self)
        for symbol in content["symbols"]:
            for name in _DAYS:
                symbol[name] = symbol[name].isoformat()
        return content

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> "BatchReport":
        """Return the report that :meth:`plain` wrote down."""
        return cls(
            symbols=tuple(_span_of(one) for one in content["symbols"]),
            problems=tuple(ProblemReport(**one) for one in content["problems"]),
            **{name: content[name] for name in _COUNTS},
        )


@dataclass(frozen=True)
class IngestReport:
    """What one ingest found and added; rows and symbols are those of prices.

    ``quarantined`` is what stands in quarantine of these symbols, from this ingest or before.
    """

    session: dt.date
    source: Source
    new_rows: int
    restated_rows: int
    quarantined_rows: int
    files: int
    first_session: dt.date
    last_session: dt.date
    symbols: int
    by_symbol: tuple[Span, ...] = field(repr=False)
    quarantined: tuple[RejectionGroup, ...] = field(repr=False)
    problems: tuple[ProblemReport, ...] = field(repr=False)

    def __rich__(self) -> RenderableType:
        """Show the sums, each symbol where they are few, and everything that is wrong."""
        sums = [(name.replace("_", " "), getattr(self, name)) for name in _SUMS]
        parts: list[RenderableType] = [
            text_table(["field", "value"], sums, title=type(self).__name__)
        ]
        if len(self.by_symbol) <= MOST_LINES:
            parts.append(_symbol_lines(self.by_symbol, self.quarantined))
        if self.quarantined:
            parts.append(_quarantine_lines(self.quarantined))
        if self.problems:
            parts.append(_problem_lines(self.problems))
        return Group(*parts)


def summed(
    session: dt.date, source: Source, batches: Iterable[BatchReport], rejected: pa.Table
) -> IngestReport:
    """Return the report of a whole ingest; at least one symbol must have rows.

    Parameters
    ----------
    rejected : the price rows in quarantine, as ``QUARANTINED_PRICES``.
    """
    batches = list(batches)
    symbols = tuple(
        sorted((one for batch in batches for one in batch.symbols), key=lambda one: one.symbol)
    )
    ours = rejected.filter(pc.field("symbol").isin([one.symbol for one in symbols]))
    return IngestReport(
        session=session,
        source=source,
        new_rows=sum(batch.new_rows for batch in batches),
        restated_rows=sum(batch.restated_rows for batch in batches),
        quarantined_rows=ours.group_by(list(PRICES.key)).aggregate([]).num_rows,
        files=sum(batch.files for batch in batches),
        first_session=min(one.first_day for one in symbols),
        last_session=max(one.last_day for one in symbols),
        symbols=len(symbols),
        by_symbol=symbols,
        quarantined=tuple(grouped(ours)),
        problems=tuple(problem for batch in batches for problem in batch.problems),
    )


def _span_of(content: Mapping[str, Any]) -> Span:
    days = {name: dt.date.fromisoformat(content[name]) for name in _DAYS}
    return Span(**{**content, **days})


def _symbol_lines(symbols: Iterable[Span], groups: Iterable[RejectionGroup]) -> RenderableType:
    rules: dict[str, list[str]] = {}
    for group in groups:
        rules.setdefault(group.symbol, []).append(f"{group.rule}: {group.rows}")
    cells = (
        (one.symbol, one.rows, one.first_day, one.last_day, "\n".join(rules.get(one.symbol, [])))
        for one in symbols
    )
    columns = ("symbol", "rows", "first session", "last session", "in quarantine")
    return text_table(columns, cells, title="bars by symbol")


def _quarantine_lines(groups: Sequence[RejectionGroup]) -> RenderableType:
    left = max(len(groups) - MOST_LINES, 0)
    more = f" ({left} more: smartinvest quarantine list)" if left else ""
    columns = ("symbol", "rule", "rows", "sessions", "reason and remedy")
    return text_table(
        columns, (group.cells for group in groups[:MOST_LINES]), title=f"in quarantine{more}"
    )


def _problem_lines(problems: Sequence[ProblemReport]) -> RenderableType:
    shown = problems[:MOST_LINES]
    left = len(problems) - len(shown)
    return text_table(
        ("what", "lines", "problem and remedy"),
        ((one.thing, one.lines, f"{one.reason}\n{one.remedy}") for one in shown),
        title=f"problems of the source{f' ({left} more in the lake)' if left else ''}",
    )
