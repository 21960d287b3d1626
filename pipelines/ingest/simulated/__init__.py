"""The ``simulated`` source: a seeded market that never existed, for load and fault tests."""

from pipelines.ingest.simulated.provider import SimulatedProvider

__all__ = ["SimulatedProvider"]
