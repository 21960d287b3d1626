"""``smartinvest bench ingest``: files to checked Parquet in the lake, beside pandas and DuckDB.

All contestants read the same files in one run, one after the other, each in a process of its own.
``duckdb_copy`` is no peer but the floor: it copies all bytes into one Parquet file and neither
checks nor sorts anything, knows no versions and names no file by its bytes.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.market_files import LAST_SESSION, add_session, write_market
from benchmarks.measured import Measured, environ_for, measured

_CONTESTANTS = "benchmarks.ingest_contestants"


@dataclass(frozen=True)
class IngestBenchmark:
    """What one run measured; seconds without the start of a process, where not said otherwise."""

    symbols: int
    years: int
    rows: int
    rejected_rows: int
    ours: Measured
    pandas: Measured
    duckdb_copy: Measured
    check: Measured
    new_session: Measured
    as_of: Measured

    def line(self) -> dict[str, Any]:
        """Return the benchmark's one line of JSON."""
        return {
            "bench": "ingest",
            "seconds": round(self.ours.seconds, 3),
            "per_second": round(self.rows / self.ours.seconds),
            "peak_mib": round(self.ours.peak_mib),
            "ratios": {
                "pandas": round(self.pandas.seconds / self.ours.seconds, 3),
                "duckdb_copy": round(self.duckdb_copy.seconds / self.ours.seconds, 3),
            },
            "errors": {"rows_lost": self.rows - self.ours.result["rows"]},
            "symbols": self.symbols,
            "years": self.years,
            "rows": self.rows,
            "rejected_rows": self.rejected_rows,
            "seconds_pandas": round(self.pandas.seconds, 3),
            "seconds_duckdb_copy": round(self.duckdb_copy.seconds, 3),
            "cpu_seconds": {
                name: round(getattr(self, name).cpu_seconds, 1)
                for name in ("ours", "pandas", "duckdb_copy", "new_session")
            },
            "seconds_check": round(self.check.seconds, 3),
            "seconds_new_session": round(self.new_session.process_seconds, 3),
            "milliseconds_as_of": round(1000 * self.as_of.seconds, 1),
            "milliseconds_as_of_slowest": round(1000 * self.as_of.result["slowest"], 1),
            "milliseconds_as_of_first": round(1000 * self.as_of.result["first"], 1),
        }


def run(symbols: int, years: int, work: Path | None = None) -> IngestBenchmark:
    """Make the files, run all contestants on them, and remove everything again.

    Parameters
    ----------
    work : folder with room for the files (about 0.45 MB for a symbol's 25 years) and three copies
        of them as Parquet; the system's temporary folder if None.
    """
    root = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=work))
    try:
        return _run(symbols, years, root)
    finally:
        shutil.rmtree(root)


def _run(symbols: int, years: int, root: Path) -> IngestBenchmark:
    folder, target = root / "files", root / "peers"
    target.mkdir()
    rows = write_market(folder, symbols, years)
    environ = environ_for(root / "home", folder)
    (root / "home").mkdir()
    pandas = measured(_CONTESTANTS, "pandas", str(folder), str(target))
    duckdb_copy = measured(_CONTESTANTS, "duckdb_copy", str(folder), str(target))
    ours = measured(_CONTESTANTS, "ours", environ=environ)
    check = measured(_CONTESTANTS, "check", environ=environ)
    as_of = measured(_CONTESTANTS, "as_of", str(symbols), environ=environ)
    added = add_session(folder)
    new_session = measured(_CONTESTANTS, "next", environ=environ)
    if (new_session.result["rows"], new_session.result["restated"]) != (added, 0):
        raise RuntimeError(f"{added} rows of a new session became {new_session.result}")
    return IngestBenchmark(
        symbols=symbols,
        years=years,
        rows=rows,
        rejected_rows=ours.result["rejected"],
        ours=ours,
        pandas=pandas,
        duckdb_copy=duckdb_copy,
        check=check,
        new_session=new_session,
        as_of=as_of,
    )


__all__ = ["LAST_SESSION", "IngestBenchmark", "run"]
