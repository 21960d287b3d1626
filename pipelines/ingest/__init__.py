"""Ingest: what a market data source knows, appended to the raw lake as received."""

from pipelines.ingest.provider import Provider
from pipelines.ingest.report import BatchReport, IngestReport
from pipelines.ingest.sources import provider_for, resolve_session
from pipelines.ingest.stage import finish, ingest, ingest_batch, plan

__all__ = [
    "BatchReport",
    "IngestReport",
    "Provider",
    "finish",
    "ingest",
    "ingest_batch",
    "plan",
    "provider_for",
    "resolve_session",
]
