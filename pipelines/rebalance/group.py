"""Some shards of a run, as one task hands them to another."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.rebalance.inputs.earlier_runs import EarlierRuns


@dataclass(frozen=True)
class Group:
    """Shards that one process advises, and what it needs to know to advise them as all others do.

    Attributes
    ----------
    run_id : the run that they are of.
    first_shard, end_shard : numbers of the first one, and of the one after the last.
    shards : how many the run has.
    accounts : how many they hold.
    accounts_per_shard : how the run was cut.
    runs : earlier runs as they stood before the first shard was read.
    """

    run_id: str
    first_shard: int
    end_shard: int
    shards: int
    accounts: int
    accounts_per_shard: int
    runs: "EarlierRuns"

    @property
    def name(self) -> str:
        """Return what people know it by."""
        last = self.end_shard - 1
        several = f"shards {self.first_shard} to {last}"
        which = several if last > self.first_shard else f"shard {last}"
        return f"{which} of {self.shards}, {self.accounts:,} accounts"

    def plain(self) -> dict[str, Any]:
        """Return it as values that JSON knows."""
        runs = {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in asdict(self.runs).items()
        }
        return {**asdict(self), "runs": runs}

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "Group":
        """Return the group of such values."""
        from pipelines.rebalance.inputs.earlier_runs import EarlierRuns

        runs = values["runs"]
        since = runs["cash_since"]
        return cls(
            **{
                **values,
                "runs": EarlierRuns(
                    session=dt.date.fromisoformat(runs["session"]),
                    target_run_id=runs["target_run_id"],
                    cash_since=dt.datetime.fromisoformat(since) if since else None,
                    order_run_ids=tuple(runs["order_run_ids"]),
                    own_run_ids=tuple(runs["own_run_ids"]),
                    orders_sent=tuple(runs["orders_sent"]),
                    counted_by=runs["counted_by"],
                ),
            }
        )
