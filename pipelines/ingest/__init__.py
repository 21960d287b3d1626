"""Ingest: what a market data source knows, appended to the raw lake as received."""

from pipelines.ingest.provider import Provider
from pipelines.ingest.sources import provider_for, resolve_session
from pipelines.ingest.stage import IngestReport, ingest

__all__ = [
    "IngestReport",
    "Provider",
    "ingest",
    "provider_for",
    "resolve_session",
]
