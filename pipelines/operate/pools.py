"""Airflow's pools: how many batches of a source are asked for at the same time."""

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


POOLS = tuple(
    Pool(pool_name(source), slots, f"Batches of source {source.value} at the same time")
    for source, slots in _SLOTS.items()
)
