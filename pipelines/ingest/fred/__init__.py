"""Macro series from FRED, the Federal Reserve Bank of St. Louis.

answers    one request, and what its failures mean
client     the public files and, with a key, the API
"""

from pipelines.ingest.fred.client import Fred

__all__ = ["Fred"]
