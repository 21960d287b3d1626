"""One contestant of the feature benchmark: ``python -m benchmarks.features.contestants NAME ...``.

Each prints its seconds, from the moment at which its libraries are imported, as JSON.
"""

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_THREADS = 2


def ingest(session: dt.date) -> dict[str, Any]:
    """Ingest the folder of the settings up to a session, and check it."""
    from pipelines.ingest import ingest as run_ingest
    from pipelines.quality import check
    from pipelines.settings import load_settings
    from pipelines.store import migrate

    settings = load_settings()
    began = time.perf_counter()
    migrate(settings)
    report = run_ingest(settings, session)
    check(settings, session)
    return {"seconds": time.perf_counter() - began, "rows": report.new_rows}


def transform(session: dt.date, *, full: bool) -> dict[str, Any]:
    """Build and publish the warehouse of a session: one ``dbt build`` with its tests."""
    from pipelines.build_results import newest_attempts, totals
    from pipelines.settings import load_settings
    from pipelines.warehouse import transform as run_transform

    settings = load_settings()
    began = time.perf_counter()
    build = run_transform(settings, session, full=full)
    seconds = time.perf_counter() - began
    attempt = newest_attempts(settings)[0]
    took = dict.fromkeys(("model", "test", "unit_test"), 0.0)
    for node in attempt.nodes:
        took[node.kind] += node.seconds
    counted = totals(attempt.nodes)
    return {
        "seconds": seconds,
        "seconds_dbt": attempt.seconds,
        "seconds_panel": sum(n.seconds for n in attempt.nodes if n.name == "int_last_bar"),
        **{f"seconds_{kind}s": round(value, 3) for kind, value in took.items()},
        **{kind: getattr(counted, kind) for kind in ("models", "tests", "unit_tests")},
        "panel": str(build.panel_path),
        "rows": sum(part.rows for part in build.panel),
        "mib": sum(part.size_bytes for part in build.panel) / (1 << 20),
        "base": build.base,
    }


def copy(panel: Path, target: Path) -> dict[str, Any]:
    """Copy a finished panel with DuckDB, row for row, and compute nothing."""
    import duckdb

    began = time.perf_counter()
    with duckdb.connect(config={"threads": _THREADS}) as connection:
        connection.execute(
            f"copy (select * from read_parquet('{panel}/*.parquet'))"
            f" to '{target}/copy.parquet' (format parquet, compression lz4)"
        )
    return {"seconds": time.perf_counter() - began}


def copy_arrow(panel: Path, target: Path) -> dict[str, Any]:
    """Copy a finished panel file by file with Arrow, its encodings too: the fastest we know."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from models.declaration import ColumnType
    from models.panel import PANEL

    repeating = [
        column.name for column in PANEL if column.type in (ColumnType.TEXT, ColumnType.DATE)
    ]

    def one(path: Path) -> None:
        with (
            pq.ParquetFile(path) as source,
            pq.ParquetWriter(
                target / path.name,
                source.schema_arrow,
                compression="lz4",
                use_dictionary=repeating,
            ) as writer,
        ):
            for number in range(source.num_row_groups):
                writer.write_table(source.read_row_group(number, use_threads=False))

    pa.set_cpu_count(_THREADS)
    began = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(one, sorted(panel.iterdir())))
    return {"seconds": time.perf_counter() - began}


def main() -> None:
    """Run the contestant that the command line names."""
    name, *given = sys.argv[1:]
    contestants: dict[str, Callable[[], dict[str, Any]]] = {
        "ingest": lambda: ingest(dt.date.fromisoformat(given[0])),
        "full": lambda: transform(dt.date.fromisoformat(given[0]), full=True),
        "next": lambda: transform(dt.date.fromisoformat(given[0]), full=False),
        "copy": lambda: copy(Path(given[0]), Path(given[1])),
        "copy_arrow": lambda: copy_arrow(Path(given[0]), Path(given[1])),
    }
    print(json.dumps(contestants[name]()))


if __name__ == "__main__":
    main()
