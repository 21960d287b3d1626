"""What each warehouse build did, model by model and test by test, kept for whoever asks why.

    <home>/warehouse/results/<session>/<moment>.json     one per build that was begun, failed or not

A record has no part in what a build makes: it lies outside of the builds and their digests, and
needs neither DuckDB nor dbt to be read. The newest ``KEPT_ATTEMPTS`` of all sessions are kept.
"""

from pipelines.build_results.attempts import (
    KEPT_ATTEMPTS,
    BuildAttempt,
    attempt_behind,
    attempt_of_build,
    attempts_of,
    keep,
    newest_attempts,
    read_attempt,
)
from pipelines.build_results.nodes import FailingRows, NodeResult, read_nodes
from pipelines.build_results.summary import ModelResult, Totals, by_model, compact, totals

__all__ = [
    "KEPT_ATTEMPTS",
    "BuildAttempt",
    "FailingRows",
    "ModelResult",
    "NodeResult",
    "Totals",
    "attempt_behind",
    "attempt_of_build",
    "attempts_of",
    "by_model",
    "compact",
    "keep",
    "newest_attempts",
    "read_attempt",
    "read_nodes",
    "totals",
]
