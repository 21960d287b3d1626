"""Advise the shards of a run, in this process or in several at once."""

import logging
import multiprocessing
import multiprocessing.connection
import multiprocessing.util
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.errors import RebalanceError, SmartInvestError
from pipelines.log_identifiers import bind, log_to_stderr
from pipelines.rebalance.inputs.shard_plan import ShardPlan
from pipelines.rebalance.output.shards import ShardRows, note_failure
from pipelines.rebalance.shard_work import Work, missing_rows, open_warehouse, try_out, write
from pipelines.rebalance.spent import DoneShard, Spent
from pipelines.settings import Settings
from pipelines.store import transaction
from pipelines.store.engine import sqlite_path

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)


def worker_count(settings: Settings, shards: int) -> int:
    """Return how many processes advise: as set, or one per core; never more than there is work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(settings.workers or cores or 1, shards))


def advise_shards(work: Work, plans: Sequence[ShardPlan], workers: int) -> Iterator[DoneShard]:
    """Advise and write shards, and yield each as soon as it is in the store.

    Shards that are there already are not made again. One that fails is noted and the others are
    done, so that a rerun has only that one left. On SQLite, which has one writer, this process
    writes what the others made.

    Raises
    ------
    RebalanceError
        A shard failed, or its process was killed again and again.
    """
    failed: list[tuple[ShardPlan, Exception]] = []
    advise = _here if workers == 1 else _in_processes
    for plan, done in advise(work, plans, workers):
        if isinstance(done, Spent):
            yield DoneShard(plan, done)
            continue
        logger.error("shard %d failed", plan.number, exc_info=done)
        with transaction(work.settings) as store:
            note_failure(store, work.identity, work.key(plan))
        failed.append((plan, done))
    if failed:
        plan, error = failed[0]
        raise RebalanceError(
            "shards that failed",
            len(failed),
            f"the first is number {plan.number}, with {type(error).__name__} (see the log)",
            "This is our fault, not yours. A rerun makes only these shards; the others are kept.",
        ) from error


_Done = Iterator[tuple[ShardPlan, Spent | Exception]]
"""Each shard with what it took, or why it failed."""


def _here(work: Work, plans: Sequence[ShardPlan], _workers: int) -> _Done:
    with open_warehouse(work) as warehouse:
        for plan in plans:
            spent = Spent()
            try:
                rows = missing_rows(work, plan, warehouse, spent)
            except SmartInvestError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, other shards go on
                yield plan, error
                continue
            if rows is not None:
                write(work, rows, spent)
            yield plan, spent


def _in_processes(work: Work, plans: Sequence[ShardPlan], workers: int) -> _Done:
    """Advise in a pool; where a process was killed, go on with the rest in a new one."""
    left = {plan.number: plan for plan in plans}
    while left:
        before = len(left)
        try:
            for plan, done in _in_pool(work, list(left.values()), workers):
                del left[plan.number]
                yield plan, done
        except BrokenProcessPool as broken:
            if len(left) == before:
                raise RebalanceError(
                    "setting SMARTINVEST_WORKERS",
                    workers,
                    "processes that advise were killed before any shard was done, perhaps for "
                    "lack of memory",
                    "Set fewer workers, or fewer SMARTINVEST_ACCOUNTS_PER_SHARD.",
                ) from broken
            logger.warning("a process was killed; %d shards are left", len(left))


def _in_pool(work: Work, plans: Sequence[ShardPlan], workers: int) -> _Done:
    waiting = iter(plans)
    running: dict[Future[tuple[ShardRows | None, Spent]], ShardPlan] = {}
    with _pool(work, workers) as pool:
        _compile_once(pool, plans[0])

        def submit(count: int) -> None:
            # One more than there are workers, so that none waits for us; no more, for memory.
            for plan in islice(waiting, count):
                running[pool.submit(_advise, plan)] = plan

        submit(workers + 1)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                plan = running.pop(future)
                result: Spent | Exception
                try:
                    rows, result = future.result()
                except (SmartInvestError, BrokenProcessPool):
                    raise
                except Exception as raised:  # noqa: BLE001 - as above
                    result = raised
                else:
                    if rows is not None:
                        write(work, rows, result)
                submit(1)
                yield plan, result


def _compile_once(pool: ProcessPoolExecutor, plan: ShardPlan) -> None:
    """Let one process compile, or load, what shards need; the others then load it.

    Each would compile the same for itself otherwise. What fails here fails again, and is told, in
    its own shard.
    """
    logger.info("load compiled functions ...")
    future = pool.submit(_try_out, plan)
    if future.exception() is None:
        logger.info("load compiled functions: %.1f s of processor time", future.result())


@contextmanager
def _pool(work: Work, workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        workers,
        # A fork would share open databases and the locks of threads.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(work,),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Process:
    """What a worker process holds from its first shard on."""

    work: Work
    warehouse: "DuckDBPyConnection"
    writes: bool


def _begin(work: Work) -> None:
    import pyarrow as pa

    _end_with_parent()
    pa.set_cpu_count(1)
    log_to_stderr(logging.WARNING)
    bind(session=work.identity.session_date, advice_run=work.identity.run_id)
    _Process.work = work
    _Process.warehouse = open_warehouse(work)
    _Process.writes = sqlite_path(work.settings) is None
    multiprocessing.util.Finalize(None, _end, exitpriority=0)


def _end() -> None:
    """Close what DuckDB would else complain of at the process's end."""
    _Process.warehouse.close()
    del _Process.warehouse


def _try_out(plan: ShardPlan) -> float:
    return try_out(_Process.work, plan, _Process.warehouse)


def _advise(plan: ShardPlan) -> tuple[ShardRows | None, Spent]:
    """Advise a shard and write it; return its rows where another process has to write them."""
    spent = Spent()
    rows = missing_rows(_Process.work, plan, _Process.warehouse, spent)
    if rows is not None and _Process.writes:
        write(_Process.work, rows, spent)
        return None, spent
    return rows, spent


def _end_with_parent() -> None:
    """End this process when its parent is killed: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
