"""Where the processor time of shards goes."""

import dataclasses
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.rebalance.inputs.shard_plan import ShardPlan


@dataclass
class Spent:
    """Seconds of processor time by part of a shard's work; the database's own are not in it."""

    read: float = 0.0
    advise: float = 0.0
    rows: float = 0.0
    write: float = 0.0

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        """Add what happens in this block to a part."""
        began = time.process_time()
        yield
        setattr(self, part, getattr(self, part) + time.process_time() - began)


@dataclass(frozen=True)
class DoneShard:
    """A shard that is in the store: what it took, and when it was done (monotonic seconds)."""

    plan: ShardPlan
    spent: Spent
    at: float = dataclasses.field(default_factory=time.monotonic)


def micros_per_account(done: Iterable[DoneShard]) -> dict[str, float]:
    """Return microseconds of processor time for each account, by part."""
    shards = list(done)
    accounts = max(1, sum(shard.plan.accounts for shard in shards))
    return {
        part.name: sum(getattr(shard.spent, part.name) for shard in shards) / accounts * 1e6
        for part in dataclasses.fields(Spent)
    }
