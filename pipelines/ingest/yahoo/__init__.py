"""The ``yahoo`` source: market data from Yahoo Finance through yfinance.

client         one request, and what its failures mean
chart          the answer, read by yfinance's parsers
as_traded      back from split-adjusted to what was traded
capital_gains  what dividends contain twice
canonical      one number for each price
rows           rows of the lake, with a check of each
batch          many symbols: rounds, waits, breaker
provider       the source as ingest sees it
"""

from pipelines.ingest.fred import Fred
from pipelines.ingest.universe import read_universe
from pipelines.ingest.yahoo.provider import YahooProvider
from pipelines.settings import Settings

__all__ = ["YahooProvider", "yahoo_provider"]


def yahoo_provider(settings: Settings) -> YahooProvider:
    """Return the provider that the settings describe.

    Raises
    ------
    SourceError
        The universe file cannot be read, or its content is not allowed.
    """
    return YahooProvider(
        read_universe(settings.universe_file),
        Fred(settings.fred_api_key),
        cache=settings.home / "cache" / "yahoo",
    )
