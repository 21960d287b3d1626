"""The findings as a table for a terminal and as a page of the documentation."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cluster_faults.fault import Finding

COLUMNS = ("fault", "expected", "what happened", "seconds to recover", "alert", "verdict")

_LONGEST_ALERT = 240


def rows(findings: Sequence[Finding]) -> Iterator[tuple[str, ...]]:
    """Yield one row of :data:`COLUMNS` per finding."""
    for found in findings:
        alert = _told(found.alert)
        yield (
            found.fault.name,
            found.fault.expectation,
            found.happened,
            "never" if found.seconds is None else f"{found.seconds:.0f}",
            alert if len(alert) <= _LONGEST_ALERT else alert[:_LONGEST_ALERT] + " ...",
            found.verdict,
        )


def _told(alert: str) -> str:
    """Return an alert's subject and its cause, out of the lines that people are sent."""
    subject, *lines = alert.splitlines() or [""]
    causes = [line.removeprefix("cause ").strip() for line in lines if line.startswith("cause ")]
    return ". ".join([subject, *causes])


def write_page(path: Path, findings: Sequence[Finding], conditions: str) -> None:
    """Write the page; every row stands there as it came out."""
    lines = [
        _HEAD,
        conditions,
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + " --- |" * len(COLUMNS),
        *(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
            for row in rows(findings)
        ),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


_HEAD = """\
# Faults of the cluster, injected for real

`smartinvest bench cluster-faults --page FILE` writes this page. It starts the native
[cluster](cluster.md) with two workers, PostgreSQL, Redis and MLflow, lets one session's advice be
made undisturbed, and then breaks something while that advice is made anew, or, where market data
is concerned, on a session of its own.

A fault is **met** where all of this holds:

- nobody touched anything: dead processes were started again by their `restart` policy, tasks by
  their retries;
- no trade is lost or duplicated: every result table has, row for row, the SHA-256 of the
  undisturbed run; on a session of its own, `smartinvest replay` makes the same rows again;
- all laws of `pipelines/rebalance/output/invariants.py` hold, and one run is published;
- a reader who looked at the store twice a second never saw a published run in part;
- an alert that names the cause came to a webhook, where there is something to tell.

*Seconds to recover* count from the injection until the advice was published and its DAG run had
ended. Workers that died are noticed by their missing heartbeats, which takes as long as
`task_instance_heartbeat_timeout`.
"""
