"""Macro series from FRED, the Federal Reserve Bank of St. Louis.

series     which ones
answers    one request, and what its failures mean
client     the public files and, with a key, the API
"""

from pipelines.ingest.fred.client import Fred
from pipelines.ingest.fred.series import Series, macro_series

__all__ = ["Fred", "Series", "macro_series"]
