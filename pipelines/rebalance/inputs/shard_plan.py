"""How the clients of a build are parted into shards."""

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ACCOUNTS_PER_SHARD = 10_000
"""What a shard holds at most, unless one client has more."""


@dataclass(frozen=True)
class ShardPlan:
    """Which clients a shard has: those from ``first_client`` on, before ``end_client``.

    Attributes
    ----------
    number : from 0, in the order of clients.
    first_client, end_client : texts as bytes order them; None for no limit, so that each client
        of the build is in exactly one shard, also one without accounts.
    accounts : how many they have.
    """

    number: int
    first_client: str | None
    end_client: str | None
    accounts: int


def plan_shards(
    warehouse: "DuckDBPyConnection", accounts_per_shard: int = ACCOUNTS_PER_SHARD
) -> list[ShardPlan]:
    """Part the clients of a build; the same build and size give the same shards.

    Their ``accounts`` sum to the build's, which is what progress counts to. There is no shard
    where there is no account.
    """
    counts = warehouse.sql(
        "SELECT client_id, count(*) AS accounts FROM account GROUP BY client_id ORDER BY client_id"
    ).to_arrow_table()
    clients = counts["client_id"]
    ends = np.cumsum(counts["accounts"].to_numpy())
    cuts = [0]
    while cuts[-1] < len(ends):
        before = ends[cuts[-1] - 1] if cuts[-1] else 0
        fitting = int(np.searchsorted(ends, before + accounts_per_shard, side="right"))
        cuts.append(max(fitting, cuts[-1] + 1))
    return [
        ShardPlan(
            number=number,
            first_client=clients[first].as_py() if first else None,
            end_client=clients[end].as_py() if end < len(ends) else None,
            accounts=int(ends[end - 1] - (ends[first - 1] if first else 0)),
        )
        for number, (first, end) in enumerate(pairwise(cuts))
    ]


def first_clients(warehouse: "DuckDBPyConnection", plan: ShardPlan, clients: int) -> ShardPlan:
    """Return a shard's first clients as a shard; all of it where it has no more."""
    counts = warehouse.execute(
        "SELECT client_id, count(*) FROM account WHERE $first IS NULL OR client_id >= $first "
        "GROUP BY client_id ORDER BY client_id LIMIT $most",
        {"first": plan.first_client, "most": clients + 1},
    ).fetchall()
    if len(counts) <= clients or (plan.end_client or counts[-1][0]) < counts[-1][0]:
        return plan
    return dataclasses.replace(
        plan, end_client=counts[-1][0], accounts=sum(count for _, count in counts[:-1])
    )
