"""What an ingest found and added, batch by batch and as a whole."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rich.console import Group, RenderableType

from models.vocabulary import Source
from pipelines.terminal import text_table

MOST_LINES = 60
"""A list of more symbols than this is no longer read; the summary stands for it."""

_COUNTS = ("new_rows", "restated_rows", "files", "session_bars")


@dataclass(frozen=True)
class SymbolReport:
    """One symbol's bars as the source has them up to a session, and what became of them."""

    symbol: str
    rows: int
    first_session: dt.date
    last_session: dt.date
    quarantined_rows: int = 0
    rules: tuple[str, ...] = ()


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

    ``session_bars`` counts the symbols that have a bar of the session itself.
    """

    symbols: tuple[SymbolReport, ...]
    problems: tuple[ProblemReport, ...]
    new_rows: int
    restated_rows: int
    files: int
    session_bars: int

    def plain(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold, for Airflow to hand on."""
        content = asdict(self)
        for symbol in content["symbols"]:
            for name in ("first_session", "last_session"):
                symbol[name] = symbol[name].isoformat()
        return content

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> "BatchReport":
        """Return the report that :meth:`plain` wrote down."""
        return cls(
            symbols=tuple(_symbol_of(one) for one in content["symbols"]),
            problems=tuple(ProblemReport(**one) for one in content["problems"]),
            **{name: content[name] for name in _COUNTS},
        )


@dataclass(frozen=True)
class IngestReport:
    """What one ingest found and added; rows and symbols are those of prices."""

    session: dt.date
    source: Source
    new_rows: int
    restated_rows: int
    quarantined_rows: int
    files: int
    first_session: dt.date
    last_session: dt.date
    symbols: int
    by_symbol: tuple[SymbolReport, ...] = field(repr=False)
    problems: tuple[ProblemReport, ...] = field(repr=False)

    def __rich__(self) -> RenderableType:
        """Show the sums, each symbol where they are few, and every problem."""
        shown = {item.name for item in fields(self)} - {"by_symbol", "problems"}
        sums = [
            (item.name.replace("_", " "), getattr(self, item.name))
            for item in fields(self)
            if item.name in shown
        ]
        parts: list[RenderableType] = [
            text_table(["field", "value"], sums, title=type(self).__name__)
        ]
        if lines := _lines(self.by_symbol):
            parts.append(lines)
        if self.problems:
            parts.append(_problem_lines(self.problems))
        return Group(*parts)


def summed(session: dt.date, source: Source, batches: Iterable[BatchReport]) -> IngestReport:
    """Return the report of a whole ingest; at least one symbol must have rows."""
    batches = list(batches)
    symbols = tuple(
        sorted((one for batch in batches for one in batch.symbols), key=lambda one: one.symbol)
    )
    return IngestReport(
        session=session,
        source=source,
        new_rows=sum(batch.new_rows for batch in batches),
        restated_rows=sum(batch.restated_rows for batch in batches),
        quarantined_rows=sum(one.quarantined_rows for one in symbols),
        files=sum(batch.files for batch in batches),
        first_session=min(one.first_session for one in symbols),
        last_session=max(one.last_session for one in symbols),
        symbols=len(symbols),
        by_symbol=symbols,
        problems=tuple(problem for batch in batches for problem in batch.problems),
    )


def _symbol_of(content: Mapping[str, Any]) -> SymbolReport:
    dates = {
        name: dt.date.fromisoformat(content[name]) for name in ("first_session", "last_session")
    }
    return SymbolReport(**{**content, **dates, "rules": tuple(content["rules"])})


def _lines(symbols: Sequence[SymbolReport]) -> RenderableType | None:
    """Show every symbol, or of many only those with rows in quarantine."""
    title = "bars by symbol"
    if len(symbols) > MOST_LINES:
        symbols = [one for one in symbols if one.quarantined_rows][:MOST_LINES]
        title = "symbols with rows in quarantine"
    if not symbols:
        return None
    columns = ("symbol", "rows", "first", "last", "quarantined", "rules")
    cells = (tuple(getattr(one, item.name) for item in fields(one)) for one in symbols)
    return text_table(columns, cells, title=title)


def _problem_lines(problems: Sequence[ProblemReport]) -> RenderableType:
    shown = problems[:MOST_LINES]
    left = len(problems) - len(shown)
    return text_table(
        ("what", "lines", "problem and remedy"),
        ((one.thing, one.lines, f"{one.reason}\n{one.remedy}") for one in shown),
        title=f"problems of the source{f' ({left} more in the lake)' if left else ''}",
    )
