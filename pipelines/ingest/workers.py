"""Batches of one ingest in several processes.

A bulk source is bound by this machine, so its batches share the processors. A polled one is bound
by what its servers allow, and its provider makes as many requests at a time as it may.
"""

import ctypes
import datetime as dt
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver

import pyarrow as pa

from pipelines.errors import ProcessError
from pipelines.ingest.provider import Provider
from pipelines.ingest.report import BatchReport
from pipelines.ingest.sources import provider_for
from pipelines.settings import Settings

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of glibc's malloc.h."""

_KEPT_BYTES = 1 << 30


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes for batches, and end them; they get ready while the caller goes on.

    Notes
    -----
    Forked children of a process with threads can hang, and Arrow has threads. So they are forked
    from a server that has imported what they need, once for all of them, and done nothing else.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "pipelines.ingest.worker_imports"])
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin)
    try:
        # It imports while the caller goes on; a first task would wait for it.
        forkserver.ensure_running()
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def worker_count(batches: int) -> int:
    """Return how many processes to share batches among."""
    return min(len(os.sched_getaffinity(0)), batches)


def in_processes(
    pool: ProcessPoolExecutor,
    settings: Settings,
    session: dt.date,
    batches: Sequence[Sequence[str]],
) -> Iterator[BatchReport]:
    """Ingest batches in the processes of a pool; yield reports as they come.

    Raises
    ------
    ProcessError
        A process died, for example for want of memory. Batches that were done are stored.
    """
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


def _begin() -> None:
    """Settle in a process that will do nothing else.

    Every batch needs the same arrays of several megabytes anew. Left alone, glibc hands each back
    to the system, as Arrow's own allocator does, and a third of the time goes into getting the
    pages again.

    A killed ingest takes its workers with it; left alone, they would wait for work for ever.
    """
    pa.set_cpu_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    threading.Thread(target=_end_with_the_ingest, daemon=True).start()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            mallopt(option, _KEPT_BYTES)


def _end_with_the_ingest() -> None:
    ingest = multiprocessing.parent_process()
    if ingest is not None:
        ingest.join()
        os._exit(1)


def _ingest_batch(settings: Settings, session: dt.date, symbols: Sequence[str]) -> BatchReport:
    from pipelines.ingest.stage import ingest_batch

    return ingest_batch(settings, session, symbols, _provider(settings))


@cache
def _provider(settings: Settings) -> Provider:
    """Return the process's one provider: it lists its symbols once, not for every batch."""
    return provider_for(settings)
