"""Run one ``dbt build`` over a workspace, and turn what failed into an error with a remedy."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipelines.errors import WarehouseError
from pipelines.lake.parquet import write_text
from pipelines.lineage import REPOSITORY
from pipelines.settings import Settings
from pipelines.warehouse.duckdb import MEMORY_LIMIT

PROJECT = REPOSITORY / "dbt"
MOST_THREADS = 4
"""DuckDB threads of a build; no result depends on their number."""

_CHILD = Path(__file__).with_name("dbt_child.py")
_SHOWN = 5
_PASSED = {"success", "pass", "no-op"}


def build(settings: Settings, workspace: Path, code_digest: str, lock: int) -> None:
    """Build ``warehouse.duckdb`` in the workspace with all tests, and keep ``run_results.json``.

    Data tests run in every build. Unit tests speak of the code alone, so a home runs them in the
    first build of each code and not again.

    Parameters
    ----------
    workspace : folder with ``inputs/``; receives the database and dbt's results.
    code_digest : digest of the SQL and of what runs it.
    lock : descriptor of the lock on the warehouse; dbt inherits it, so that a killed build's
        workspace is free only once its dbt is gone too.

    Raises
    ------
    WarehouseError
        A model or a test failed, or dbt itself did; nothing is published then.
    """
    target = settings.warehouse / "dbt"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    proven = target / "unit_tests_passed"
    is_proven = proven.is_file() and proven.read_text("utf-8") == code_digest
    command = [
        *(sys.executable, "-P", str(_CHILD), "build"),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(target), "--log-path", str(settings.logs / "dbt")),
        *("--no-use-colors", "--log-level-file", "info"),
        *(("--exclude-resource-type", "unit_test") if is_proven else ()),
    ]
    output = workspace / "dbt.log"
    code = _run(command, _environment(workspace), output, lock)
    if code != 0:
        raise _failure(results, output, settings)
    if not is_proven:
        write_text(code_digest, proven)
    results.replace(workspace / results.name)
    output.unlink()


def _environment(workspace: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    return inherited | {
        "WAREHOUSE_WORKSPACE": str(workspace),
        "WAREHOUSE_THREADS": str(min(MOST_THREADS, os.cpu_count() or 1)),
        "WAREHOUSE_MEMORY": MEMORY_LIMIT,
    }


def _run(command: list[str], environment: dict[str, str], output: Path, lock: int) -> int:
    with (
        output.open("wb") as log,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
        ) as process,
    ):
        try:
            return process.wait()
        finally:
            process.kill()


def _failure(results: Path, output: Path, settings: Settings) -> WarehouseError:
    failed = _failed_nodes(results)
    log = settings.logs / "dbt" / "dbt.log"
    if not failed:
        last = output.read_text(errors="replace").strip().splitlines()
        return WarehouseError(
            "dbt build",
            last[-1].strip() if last else "no output",
            "dbt failed outside of any model or test",
            f"See {log}; the last good warehouse stays in place.",
        )
    names = ", ".join(_kind_and_name(node)[1] for node in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return WarehouseError(
        "dbt build",
        names + more,
        "; ".join(_problem(node) for node in failed[:_SHOWN]),
        "Mend the data or quarantine it, then run `smartinvest transform` again; the last good "
        f"warehouse stays in place. Details are in {log}.",
    )


def _failed_nodes(results: Path) -> list[dict[str, Any]]:
    if not results.is_file():
        return []
    nodes = json.loads(results.read_text())["results"]
    return [node for node in nodes if node["status"] not in _PASSED | {"skipped"}]


def _problem(node: dict[str, Any]) -> str:
    kind, name = _kind_and_name(node)
    if node["failures"]:
        rows = "row fails" if node["failures"] == 1 else "rows fail"
        return f"{kind} {name}: {node['failures']} {rows}"
    lines = [line.strip() for line in (node["message"] or "").splitlines() if line.strip()]
    return f"{kind} {name}: {' '.join(lines[:3]) or node['status']}".rstrip(".")


def _kind_and_name(node: dict[str, Any]) -> tuple[str, str]:
    """Take a dbt id apart: model.<project>.<name>, test.<project>.<name>.<hash>, unit_test...."""
    kind, _, name, *rest = node["unique_id"].split(".")
    return kind, rest[0] if kind == "unit_test" else name
