"""Airflow's pools: how much of what competes for one thing runs at the same time."""

from dataclasses import dataclass

from models.vocabulary import Source

_SLOTS = {
    # One batch at a time, itself with a few threads: more is answered with 429.
    Source.YAHOO: 1,
    # Limited by this machine's cores alone.
    Source.FILES: 2,
    Source.SIMULATED: 2,
    Source.SAMPLE: 2,
}


@dataclass(frozen=True)
class Pool:
    """A pool of the name under which DAG files ask for it."""

    name: str
    slots: int
    description: str


def pool_name(source: Source) -> str:
    """Return the pool in which a source's batches are ingested."""
    return f"ingest_{source.value}"


BUILDS = Pool("warehouse_builds", 1, "dbt builds at the same time; each takes a scratch disk")
TRAININGS = Pool(
    "trainings", 2, "Trainings and shares of a search at once; each takes its machine's cores"
)
ADVICE_GROUPS = Pool(
    "advice_groups", 16, "Groups of shards at the same time; each writes into the SQL store"
)

POOLS = (
    *(
        Pool(pool_name(source), slots, f"Batches of source {source.value} at the same time")
        for source, slots in _SLOTS.items()
    ),
    BUILDS,
    TRAININGS,
    ADVICE_GROUPS,
)
