"""``smartinvest bench features``: from the lake to every feature, tested and published.

All contestants work in one run, one after the other, each in a process of its own. ``copy`` and
``copy_arrow`` are no peers but the floor: they copy the finished panel, with DuckDB and with Arrow,
and compute nothing. ``incremental`` is our own build of one more session. What the peers are given
and spared says ``peers_input.py``.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.features.equality import Agreement, agreement
from benchmarks.market_files import LAST_SESSION, NEXT_SESSION, add_session, write_market
from benchmarks.measured import Measured, environ_for, measured
from benchmarks.peers_environment import Peers, peers_python
from pipelines.lineage import REPOSITORY
from pipelines.sessions import sessions_between
from pipelines.settings import load_settings

_ROOM = "benchmarks.features"
_CONTESTANTS = f"{_ROOM}.contestants"
_WARM_UP_SESSIONS = 5


@dataclass(frozen=True)
class FeaturesBenchmark:
    """What one run measured.

    ``first`` built the market's first sessions in a fresh home: it parsed the dbt project,
    compiled the kernels and ran the unit tests, which a home does once for each code.
    ``load_at_start`` is the machine's load average before: what others did makes all slower.
    """

    symbols: int
    years: int
    load_at_start: float
    ingest: Measured
    first: Measured
    full: Measured
    copy: Measured
    copy_arrow: Measured
    pandas: Measured
    polars: Measured
    next_ingest: Measured
    next: Measured
    agreements: dict[str, Agreement]

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        full, next_ = self.full, self.next
        peers = ("pandas", "polars", "copy", "copy_arrow")
        contestants = ("full", *peers, "next")
        return {
            "bench": "features",
            "seconds": round(full.seconds, 3),
            "per_second": round(full.result["rows"] / full.seconds),
            "peak_mib": round(full.peak_mib),
            "ratios": {
                **{peer: _ratio(getattr(self, peer).seconds, full.seconds) for peer in peers},
                "incremental": _ratio(full.process_seconds, next_.process_seconds),
            },
            "errors": {
                **{name: found.error for name, found in self.agreements.items()},
                **{f"{name}_warm_up": one.warm_up_error for name, one in self.agreements.items()},
                **{f"{name}_unlike": found.unlike for name, found in self.agreements.items()},
            },
            "symbols": self.symbols,
            "years": self.years,
            "load_at_start": self.load_at_start,
            "rows": full.result["rows"],
            "panel_mib": round(full.result["mib"]),
            "rows_compared": min(found.rows for found in self.agreements.values()),
            "worst_column": {name: found.worst for name, found in self.agreements.items()},
            "seconds_of": {
                name: round(getattr(self, name).seconds, 3)
                for name in ("ingest", "first", *contestants, "next_ingest")
            },
            "process_seconds_of": {
                name: round(getattr(self, name).process_seconds, 3) for name in ("full", "next")
            },
            "seconds_of_dbt": {"full": _inside(full), "next": _inside(next_)},
            "seconds_of_ranks": {
                name: round(getattr(self, name).result["seconds_ranks"], 3)
                for name in ("pandas", "polars")
            },
            "cpu_seconds_of": {
                name: round(getattr(self, name).cpu_seconds, 1) for name in contestants
            },
            "peak_mib_of": {name: round(getattr(self, name).peak_mib) for name in contestants},
            "models": full.result["models"],
            "data_tests": full.result["tests"],
            "unit_tests": self.first.result["unit_tests"],
            "polars_batches": self.polars.result["batches"],
            "pandas_batches": self.pandas.result["batches"],
        }


def run(symbols: int, years: int, work: Path | None = None) -> FeaturesBenchmark:
    """Make the files, let all contestants work, and remove everything again.

    Parameters
    ----------
    work : folder with room, about 6 MB for a symbol's 25 years; the system's temporary folder if
        None.

    Raises
    ------
    ProcessError
        The peers cannot be installed.
    """
    polars = peers_python(load_settings(), Peers.FRAMES)
    root = Path(tempfile.mkdtemp(prefix="bench-features-", dir=work))
    try:
        return _run(symbols, years, root, polars)
    finally:
        shutil.rmtree(root)


def _run(symbols: int, years: int, root: Path, polars_python: Path) -> FeaturesBenchmark:
    load = round(os.getloadavg()[0], 2)
    files, bars = root / "files", root / "bars"
    write_market(files, symbols, years, actions=True)
    environ = environ_for(root / "home", files) | {"PYTHONPATH": str(REPOSITORY)}
    (root / "home").mkdir()
    early = sessions_between(LAST_SESSION.replace(year=LAST_SESSION.year - years), LAST_SESSION)
    ingest = measured(_CONTESTANTS, "ingest", str(LAST_SESSION), environ=environ)
    measured(f"{_ROOM}.peers_input", str(files), str(bars), environ=environ)
    first = measured(_CONTESTANTS, "full", str(early[_WARM_UP_SESSIONS]), environ=environ)
    full = _settled(_CONTESTANTS, "full", str(LAST_SESSION), environ=environ)
    panel = Path(full.result["panel"])
    others, agreements = {}, {}
    for name in ("copy", "copy_arrow"):
        (root / name).mkdir()
        others[name] = _settled(_CONTESTANTS, name, str(panel), str(root / name))
        shutil.rmtree(root / name)
    for name, python in (("pandas", None), ("polars", polars_python)):
        made = root / name
        made.mkdir()
        others[name] = _settled(
            f"{_ROOM}.{name}_peer", str(bars), str(made), environ=environ, python=python
        )
        agreements[name] = agreement(panel, made)
        shutil.rmtree(made)
    add_session(files)
    next_ingest = measured(_CONTESTANTS, "ingest", str(NEXT_SESSION), environ=environ)
    next_ = _settled(_CONTESTANTS, "next", str(NEXT_SESSION), environ=environ)
    if next_.result["base"] is None:
        raise RuntimeError(
            f"the build of {NEXT_SESSION} began anew: was the code edited since {LAST_SESSION}'s?"
        )
    return FeaturesBenchmark(
        symbols=symbols,
        years=years,
        load_at_start=load,
        ingest=ingest,
        first=first,
        full=full,
        next_ingest=next_ingest,
        next=next_,
        agreements=agreements,
        **others,
    )


def _settled(module: str, *arguments: str, **how: Any) -> Measured:
    """Measure a contestant that need not wait until the disk has what others wrote."""
    os.sync()
    return measured(module, *arguments, **how)


def _inside(build: Measured) -> dict[str, float]:
    """Return where a build's seconds went; those of dbt's nodes overlap, as they run in threads."""
    named = {name: build.result[f"seconds_{name}"] for name in ("dbt", "panel", "models", "tests")}
    return {name: round(seconds, 3) for name, seconds in named.items()}


def _ratio(theirs: float, ours: float) -> float:
    return round(theirs / ours, 3)
