"""From outcomes to scores: by fault and severity, how many were caught, how and how late."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.faults.market import Outcome
from pipelines.ingest.simulated.faults import Fault


@dataclass(frozen=True)
class Rung:
    """All injections of one fault at one severity."""

    severity: float
    injected: int
    caught: int
    notices: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, int], ...]
    mean_delay_sessions: float

    @property
    def share(self) -> float:
        """Share of the injections that were caught."""
        return self.caught / self.injected


@dataclass(frozen=True)
class FaultScore:
    """One fault over its ladder."""

    fault: Fault[Any]
    rungs: tuple[Rung, ...]

    @property
    def at_stake(self) -> Rung:
        """The severity from which the fault moves a portfolio by 10 basis points."""
        return next(rung for rung in self.rungs if rung.severity == self.fault.matters_from)

    @property
    def caught_from(self) -> float | None:
        """The severity from which on at least nine in ten are caught; None where there is none."""
        found = None
        for rung in reversed(self.rungs):
            if rung.share < 0.9:
                break
            found = rung.severity
        return found


def scores(outcomes: Iterable[Outcome]) -> list[FaultScore]:
    """Return the scores of all faults, in the catalogue's order of boundary and name."""
    by_fault: dict[str, dict[float, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for one in outcomes:
        by_fault[one.fault.name][one.severity].append(one)
    return [
        FaultScore(
            fault=next(iter(by_severity.values()))[0].fault,
            rungs=tuple(_rung(severity, by_severity[severity]) for severity in sorted(by_severity)),
        )
        for _, by_severity in sorted(by_fault.items())
    ]


def _rung(severity: float, outcomes: list[Outcome]) -> Rung:
    noticed = [one for one in outcomes if one.notice is not None]
    return Rung(
        severity=severity,
        injected=len(outcomes),
        caught=len(noticed),
        notices=_counted(one.notice.value for one in noticed if one.notice),
        rules=_counted(rule for one in noticed for rule in one.rules),
        mean_delay_sessions=float(np.mean([one.delay_sessions for one in noticed] or [0])),
    )


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(words).most_common())
