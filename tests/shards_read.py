"""Shards as they are read from a warehouse file, in the small market."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from rebalance_examples import SESSION, market

from pipelines.rebalance.inputs.earlier_runs import EarlierRuns
from pipelines.rebalance.inputs.reading import read_shards
from pipelines.rebalance.inputs.shard import Shard
from pipelines.warehouse import connect

MARKET = market()
CASH_SINCE = dt.datetime(2022, 12, 28, 1, tzinfo=dt.UTC)
NO_RUNS = EarlierRuns(SESSION, None, None, (), ())
AFTER_A_RUN = EarlierRuns(SESSION, None, CASH_SINCE, (), ())


@contextmanager
def no_store() -> Iterator[sa.Connection]:
    """A database that nobody asks, where no earlier run left anything."""
    with sa.create_engine("sqlite://").connect() as connection:
        yield connection


def shards(path: Path, runs: EarlierRuns = NO_RUNS, size: int = 100) -> list[Shard]:
    with connect(path) as warehouse, no_store() as store:
        return list(read_shards(warehouse, store, MARKET, runs, size))


def one(path: Path, runs: EarlierRuns = NO_RUNS) -> Shard:
    [shard] = shards(path, runs)
    return shard
