"""Every build that was begun leaves a record of how it ended, wherever that was."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines.build_results import BuildAttempt, keep
from pipelines.errors import WarehouseError
from pipelines.settings import Settings
from pipelines.warehouse.workspace import unwritable


@dataclass
class Recording:
    """A build under way; ``attempt`` is what is known of it so far."""

    attempt: BuildAttempt


@contextmanager
def recorded(
    settings: Settings, attempt: BuildAttempt, *, is_kept: bool = True
) -> Iterator[Recording]:
    """Keep the record of a build that is made and published within.

    One that is killed leaves none: it is not known how it would have ended.

    Parameters
    ----------
    is_kept : False for a build that nobody else is to hear of.

    Raises
    ------
    WarehouseError
        What went wrong within was a folder's, DuckDB's or Arrow's; other errors stay as they are.
    """
    recording = Recording(attempt)
    try:
        yield recording
    except Exception as error:
        failure = _with_remedy(settings, attempt, error)
        if is_kept:
            keep(settings, _failed(recording.attempt, failure))
        if failure is error:
            raise
        raise failure from None
    if is_kept:
        keep(settings, recording.attempt)


def _with_remedy(settings: Settings, attempt: BuildAttempt, error: Exception) -> Exception:
    if isinstance(error, OSError):
        return unwritable(settings.warehouse, error)
    if isinstance(error, duckdb.Error | pa.ArrowException):
        return WarehouseError(
            "warehouse build",
            attempt.build,
            f"it cannot be finished ({str(error).partition(chr(10))[0].rstrip('.')})",
            "Run `smartinvest transform` again; the last good warehouse stays in place.",
        )
    return error


def _failed(attempt: BuildAttempt, failure: Exception) -> BuildAttempt:
    ended_at = attempt.ended_at or dt.datetime.now(dt.UTC)
    problem = str(failure) or type(failure).__name__
    return dataclasses.replace(attempt, ended_at=ended_at, problem=problem)
