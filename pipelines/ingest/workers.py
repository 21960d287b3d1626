"""Batches of one ingest in several processes.

A bulk source is bound by this machine, so its batches share the processors. A polled one is bound
by what its servers allow, and its provider makes as many requests at a time as it may.
"""

import ctypes
import datetime as dt
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache

import pyarrow as pa

from pipelines.errors import ProcessError
from pipelines.ingest.provider import Provider
from pipelines.ingest.report import BatchReport
from pipelines.ingest.sources import provider_for
from pipelines.settings import Settings

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of glibc's malloc.h."""

_KEPT_BYTES = 1 << 30


def in_processes(
    settings: Settings, session: dt.date, batches: Sequence[Sequence[str]]
) -> Iterator[BatchReport]:
    """Ingest batches in as many processes as there are processors; yield reports as they come.

    Raises
    ------
    ProcessError
        A process died, for example for want of memory. Batches that were done are stored.
    """
    count = min(len(os.sched_getaffinity(0)), len(batches))
    # Forked children of a process with threads can hang, and Arrow has threads.
    pool = ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )
    try:
        futures = [pool.submit(_ingest_batch, settings, session, batch) for batch in batches]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise ProcessError(
            "ingest",
            session,
            "one of its processes died",
            "Look whether memory ran out, then ingest again: what is stored is kept.",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Settle in a process that will do nothing else.

    Every batch needs the same arrays of several megabytes anew. Left alone, glibc hands each back
    to the system, as Arrow's own allocator does, and a third of the time goes into getting the
    pages again.
    """
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            mallopt(option, _KEPT_BYTES)


def _ingest_batch(settings: Settings, session: dt.date, symbols: Sequence[str]) -> BatchReport:
    from pipelines.ingest.stage import ingest_batch

    return ingest_batch(settings, session, symbols, _provider(settings))


@cache
def _provider(settings: Settings) -> Provider:
    """Return the process's one provider: it lists its symbols once, not for every batch."""
    return provider_for(settings)
