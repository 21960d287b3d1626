"""What the system noticed of faults, and how."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.ingest.report import IngestReport
from pipelines.ingest.simulated.faults import Truth
from pipelines.lake import rejections, restatements
from pipelines.quality import QualityReport
from pipelines.settings import Settings

JUDGED = (PRICES, ACTIONS, MACRO, INSTRUMENTS, UNIVERSE)
_THING = {MACRO.name: "series_id"}
_DAY = {
    PRICES.name: "session_date",
    ACTIONS.name: "session_date",
    MACRO.name: "observation_date",
}


class Notice(StrEnum):
    """How something was noticed, the strongest first."""

    REJECTED = "rejected"
    FROZEN = "frozen"
    PROBLEM = "problem"
    RESTATEMENT = "restatement"
    NOTE = "note"
    READ_RIGHT = "read right"


@dataclass
class Evidence:
    """Everything that was said of things, by thing: days and rules, or only that it was said.

    ``rows`` counts the rows that were judged, of all tables.
    """

    rejected: dict[str, list[tuple[dt.date | None, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    restated: dict[str, set[dt.date]] = field(default_factory=lambda: defaultdict(set))
    frozen: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)

    def add_reports(self, ingested: IngestReport, checked: QualityReport) -> None:
        """Add what the stages reported."""
        self.problems |= {problem.thing for problem in ingested.problems}
        self.frozen |= set(checked.symbols_frozen)
        self.notes |= checked.notes

    def add_lake(self, settings: Settings) -> None:
        """Add what stands in the lake: rejections and restatements of every table."""
        for table in JUDGED:
            for thing, day, rule in _rejected(settings, table):
                self.rejected[thing].append((day, rule))
            said = restatements(settings, table)
            for thing, day in zip(
                said["subject"].to_pylist(), said["day"].to_pylist(), strict=True
            ):
                self.restated[thing].add(day or dt.date.min)

    def notice(self, truth: Truth) -> tuple[Notice, dt.date | None] | None:
        """Return how a fault was noticed, and the day of the first row that showed it.

        Only what is said about the wrong rows counts: a rejection beside them would be luck.
        """
        inside = sorted(
            day or truth.first
            for day, _ in self.rejected.get(truth.thing, ())
            if day is None or truth.first <= day <= truth.last
        )
        if inside:
            return Notice.REJECTED, inside[0]
        if truth.thing in self.frozen:
            return Notice.FROZEN, None
        if truth.thing in self.problems:
            return Notice.PROBLEM, None
        if any(truth.first <= day <= truth.last for day in self.restated.get(truth.thing, ())):
            return Notice.RESTATEMENT, None
        return (Notice.NOTE, None) if truth.thing in self.notes else None

    def rules(self, truth: Truth) -> set[str]:
        """Return the rules under which wrong rows were rejected."""
        return {
            rule
            for day, rule in self.rejected.get(truth.thing, ())
            if day is None or truth.first <= day <= truth.last
        }


def _rejected(settings: Settings, table: Table) -> Iterable[tuple[str, dt.date | None, str]]:
    rows = rejections(settings, table)
    things = rows[_THING.get(table.name, "symbol")].to_pylist()
    column = _DAY.get(table.name)
    days = rows[column].to_pylist() if column else [None] * rows.num_rows
    return zip(things, days, rows["rule"].to_pylist(), strict=True)
