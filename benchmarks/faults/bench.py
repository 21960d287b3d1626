"""The benchmark as a whole: inject, ingest, check, compare, and the clean sets."""

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.clean import CleanSet, clean_sets
from benchmarks.faults.files import file_outcomes
from benchmarks.faults.market import market_outcomes
from benchmarks.faults.picture import draw
from benchmarks.faults.score import FaultScore, scores

_KIB = 1 << 10


@dataclass(frozen=True)
class FaultBenchmark:
    """What one run found.

    ``held_back`` are rejected rows beside the faults on the spoiled symbols; ``good_rows_lost``
    rows of unbroken files that are not in the lake as they were written.
    """

    scored: tuple[FaultScore, ...]
    clean: tuple[CleanSet, ...]
    rows: int
    held_back: int
    good_rows_lost: int
    seconds: float
    picture: Path | None

    @property
    def missed(self) -> float:
        """Share of the injections at the severity that matters which nobody noticed."""
        stakes = [one.at_stake for one in self.scored]
        return 1 - sum(rung.caught for rung in stakes) / sum(rung.injected for rung in stakes)

    @property
    def kinds_missed(self) -> list[str]:
        """Faults of which fewer than nine in ten are caught at the severity that matters."""
        return [one.fault.name for one in self.scored if one.at_stake.share < 0.9]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        return {
            "bench": "faults",
            "seconds": round(self.seconds, 1),
            "per_second": round(self.rows / self.seconds),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB),
            "ratios": {},
            "errors": {
                "missed": round(self.missed, 4),
                "false_positive_rate": max(one.rate for one in self.clean) / 1e5,
                "good_rows_lost": self.good_rows_lost,
            },
            "kinds": len(self.scored),
            "kinds_missed": self.kinds_missed,
            "injected": sum(rung.injected for one in self.scored for rung in one.rungs),
            "caught": sum(rung.caught for one in self.scored for rung in one.rungs),
            "held_back_rows": self.held_back,
            "false_positives_per_100k": {one.name: round(one.rate, 3) for one in self.clean},
            "clean_rows": {one.name: one.rows for one in self.clean},
        }


def run(repeats: int, folder: Path | None = None, picture: Path | None = None) -> FaultBenchmark:
    """Run everything in a temporary home.

    Parameters
    ----------
    repeats : injections of each fault at each severity, each into another symbol.
    folder : price files to count false positives on, besides the simulated and the real sample.
    picture : where to draw the curves.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="smartinvest-faults-") as name:
        home = Path(name)
        outcomes, held_back, rows = market_outcomes(home / "market", repeats)
        of_files, lost = file_outcomes(home / "files", repeats)
        clean = clean_sets(home / "clean", folder)
    scored = scores([*outcomes, *of_files])
    return FaultBenchmark(
        scored=tuple(scored),
        clean=tuple(clean),
        rows=rows + sum(one.rows for one in clean),
        held_back=held_back,
        good_rows_lost=lost,
        seconds=time.perf_counter() - began,
        picture=None if picture is None else draw(scored, picture),
    )
