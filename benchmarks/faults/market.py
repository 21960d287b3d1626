"""Faults of bars, actions, macro series and references: injected, ingested, checked, compared."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.evidence import Evidence, Notice
from models.vocabulary import Source
from pipelines.ingest import Provider, ingest
from pipelines.ingest.simulated import SimulatedProvider
from pipelines.ingest.simulated.faults import (
    CATALOGUE,
    Boundary,
    Fault,
    FaultyProvider,
    Truth,
    planned,
)
from pipelines.quality import check
from pipelines.sessions import session_after, sessions_between
from pipelines.settings import Settings, load_settings
from pipelines.store import migrate

YEARS = 4
_SYMBOLS_PER_CASE = 1.4
"""Some symbols are listed late, cannot be traded or are delisted: none of those is spoiled."""

_SESSIONS_BETWEEN_INGESTS = 3


@dataclass(frozen=True)
class Outcome:
    """What became of one injected fault: how it was noticed, and how many sessions too late."""

    fault: Fault[Any]
    severity: float
    truth: Truth
    notice: Notice | None
    delay_sessions: int = 0
    rules: frozenset[str] = frozenset()


def market_outcomes(
    home: Path, repeats: int, faults: Iterable[Fault[Any]] = tuple(CATALOGUE.values())
) -> tuple[list[Outcome], int, int]:
    """Inject faults of the market (not of files) ``repeats`` times at each severity.

    Two ingests, three sessions apart, since some faults are about what changes in between.

    Returns
    -------
    outcomes : one per injection.
    held_back : rejected rows beside the faults, on the same symbols: mostly those behind a jump
        that nobody has explained, which freeze their symbol until somebody does.
    rows : price rows that were judged.
    """
    cases = [
        (fault, severity)
        for fault in faults
        if fault.boundary is not Boundary.FILES
        for severity in fault.ladder
        for _ in range(repeats)
    ]
    market = SimulatedProvider(int(_SYMBOLS_PER_CASE * len(cases)) + 50, YEARS)
    last = market.newest_session()
    first = session_after(last, -_SESSIONS_BETWEEN_INGESTS)
    provider = FaultyProvider(market, planned(cases, market, first))
    evidence = Evidence()
    settings = fresh_home(home, Source.SIMULATED)
    rows = sum(
        ingested_and_checked(settings, session, provider, evidence) for session in (first, last)
    )
    evidence.add_lake(settings)
    truths = provider.truths(last)
    outcomes = [
        _outcome(injection.fault, injection.severity, truth, evidence)
        for injection, truth in truths.items()
    ]
    return outcomes, _held_back(truths.values(), evidence), rows


def fresh_home(home: Path, source: Source, **values: Any) -> Settings:
    """Return the settings of an empty home."""
    settings = load_settings({}, home=home, source=source.value, **values)
    migrate(settings)
    return settings


def ingested_and_checked(
    settings: Settings, session: dt.date, provider: Provider | None, evidence: Evidence
) -> int:
    """Ingest and check a session, keep what was reported; return how many price rows came."""
    ingested = ingest(settings, session, provider)
    checked = check(settings, session)
    evidence.add_reports(ingested, checked)
    return ingested.new_rows + ingested.restated_rows


def _outcome(fault: Fault[Any], severity: float, truth: Truth, evidence: Evidence) -> Outcome:
    noticed = evidence.notice(truth)
    if noticed is None:
        return Outcome(fault, severity, truth, None)
    notice, day = noticed
    delay = 0
    if day is not None and dt.date.min < truth.first < day:
        delay = len(sessions_between(truth.first, day)) - 1
    return Outcome(fault, severity, truth, notice, delay, frozenset(evidence.rules(truth)))


def _held_back(truths: Iterable[Truth], evidence: Evidence) -> int:
    spans = {truth.thing: truth for truth in truths}
    return len(
        {
            (thing, day)
            for thing, said in evidence.rejected.items()
            for day, _ in said
            if day is not None
            and thing in spans
            and not spans[thing].first <= day <= spans[thing].last
        }
    )
