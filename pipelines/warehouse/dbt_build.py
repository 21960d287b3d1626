"""Run one ``dbt build`` over a workspace, and turn what failed into an error with a remedy."""

import dataclasses
import datetime as dt
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from pipelines.build_results import NodeResult, read_nodes
from pipelines.errors import WarehouseError, WarehouseTestError
from pipelines.lake.parquet import write_text
from pipelines.lineage import REPOSITORY
from pipelines.settings import Settings
from pipelines.warehouse.dbt_process import DbtProcess
from pipelines.warehouse.evidence import with_evidence
from pipelines.warehouse.recording import Recording
from pipelines.wording import some

PROJECT = REPOSITORY / "dbt"
MOST_THREADS = 4
"""DuckDB threads of a build; no result depends on their number."""
MEMORY_LIMIT = "3GB"
"""What DuckDB may take of a build; the panel's builder, in the same process, takes as much."""

_PROVEN_FILE = "unit_tests_passed"
_SHOWN = 5
_LAST_LINES = 40


def process_for(
    settings: Settings, workspace: Path, code_digest: str, lock: int | None
) -> DbtProcess:
    """Return the process that builds a workspace, which may not be there yet.

    Parameters
    ----------
    code_digest : of the SQL and of what runs it.
    lock : descriptor of the lock on the warehouse; dbt inherits it, so that a killed build's
        workspace is free only once its dbt is gone too.
    """
    parse = _command(_target(settings), "parse", "--no-write-json")
    if not _is_proven(settings, code_digest):
        # What dbt kept of parsing other code misleads it about unit tests.
        parse.append("--no-partial-parse")
    return DbtProcess(_environment(settings, workspace), _output(settings, workspace), lock, parse)


def build(settings: Settings, workspace: Path, recording: Recording, dbt: DbtProcess) -> None:
    """Build ``warehouse.duckdb`` in the workspace with all tests, and keep ``run_results.json``.

    Data tests run in every build. Unit tests speak of the code alone, so a home runs them in the
    first build of each code and not again.

    Parameters
    ----------
    workspace : folder with ``inputs/``; receives the database and dbt's results.
    recording : what is built; its ``code_digest`` is that of the SQL and of what runs it. It
        receives what became of each model and test.
    dbt : the process to run it in; see :func:`process_for`.

    Raises
    ------
    WarehouseError
        A model or a test failed, or dbt itself did; nothing is published then.
    """
    target = _target(settings)
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    is_proven = _is_proven(settings, recording.attempt.code_digest)
    left_out = ("exposure", "unit_test") if is_proven else ("exposure",)
    excluded = [word for kind in left_out for word in ("--exclude-resource-type", kind)]
    code = dbt.run([*_command(target, "build"), *excluded])
    nodes = with_evidence(read_nodes(target), workspace)
    recording.attempt = dataclasses.replace(
        recording.attempt, ended_at=dt.datetime.now(dt.UTC), nodes=nodes
    )
    if code != 0:
        if not any(node.failed for node in nodes):
            last_lines = _last_lines(dbt.output)
            recording.attempt = dataclasses.replace(recording.attempt, output=last_lines)
        raise _failure(nodes, dbt.output, code)
    if not is_proven:
        write_text(recording.attempt.code_digest, target / _PROVEN_FILE)
    results.replace(workspace / results.name)
    dbt.output.unlink()


def manifest_of(settings: Settings) -> Path:
    """Return dbt's manifest of the newest build: every model with its description and SQL."""
    return _target(settings) / "manifest.json"


def source_freshness(settings: Settings, workspace: Path) -> Path:
    """Measure the freshness of the sources laid out in a workspace; return dbt's JSON of it.

    A source that is late is a result, not a failure.

    Raises
    ------
    WarehouseError
        dbt itself failed.
    """
    target = workspace / "target"
    with DbtProcess(_environment(settings, workspace), _output(settings, workspace)) as dbt:
        code = dbt.run(_command(target, "source", "freshness"))
    measured = target / "sources.json"
    if not measured.is_file():
        raise _failure((), dbt.output, code)
    dbt.output.unlink()
    return measured


def _target(settings: Settings) -> Path:
    return settings.warehouse / "dbt"


def _is_proven(settings: Settings, code_digest: str) -> bool:
    """Say whether the newest code that passed its unit tests in this home is this one."""
    proven = _target(settings) / _PROVEN_FILE
    return proven.is_file() and proven.read_text("utf-8") == code_digest


def _output(settings: Settings, workspace: Path) -> Path:
    return settings.logs / "dbt" / f"output{workspace.name}.txt"


def _command(target: Path, *command: str) -> list[str]:
    return [
        *command,
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(target), "--log-path", str(target)),
        # Each line that could be logged costs; what is wrong comes with the results, or else as an
        # exception.
        *("--no-use-colors", "--log-level", "none", "--log-level-file", "none"),
    ]


def _environment(settings: Settings, workspace: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    return inherited | {
        "WAREHOUSE_WORKSPACE": str(workspace),
        "WAREHOUSE_THREADS": str(min(MOST_THREADS, os.cpu_count() or 1)),
        "WAREHOUSE_MEMORY": MEMORY_LIMIT,
        # Kernels are compiled once per home: that takes longer than to run them on a small one.
        **settings.libraries_environment(),
    }


def _failure(nodes: Sequence[NodeResult], output: Path, code: int) -> WarehouseError:
    failed = [node for node in nodes if node.failed]
    if not failed:
        last = _last_lines(output)
        ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return WarehouseError(
            "dbt build",
            last[-1] if last else "no output",
            f"dbt failed outside of any model or test, with {ended}",
            f"See {output}; the last good warehouse stays in place.",
        )
    # A model may also fail for want of memory or room.
    of_its_inputs = all(node.fails_again for node in failed)
    return (WarehouseTestError if of_its_inputs else WarehouseError)(
        "dbt build",
        some([node.name for node in failed], _SHOWN),
        "; ".join(
            f"{node.kind} {node.name}: {node.reason}".rstrip(".") for node in failed[:_SHOWN]
        ),
        "See which rows with `smartinvest warehouse results` or in Airflow's tab dbt results. Mend "
        "the data or quarantine it, then run `smartinvest transform` again; the last good "
        "warehouse stays in place.",
    )


def _last_lines(output: Path) -> tuple[str, ...]:
    # DuckDB's bindings count at the interpreter's end what it still holds, after dbt's last words.
    said = output.read_text(errors="replace").partition("nanobind: leaked ")[0]
    lines = said.strip().splitlines()
    return tuple(line.rstrip() for line in lines[-_LAST_LINES:])
