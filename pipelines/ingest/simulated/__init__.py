"""The ``simulated`` source: a seeded market that never existed, for load and fault tests."""

from pipelines.ingest.provider import Provider
from pipelines.ingest.simulated.faults import FaultyProvider, by_name
from pipelines.ingest.simulated.provider import SimulatedProvider
from pipelines.settings import Settings

__all__ = ["SimulatedProvider", "simulated_provider"]


def simulated_provider(settings: Settings) -> Provider:
    """Return the market that the settings ask for, with their faults.

    Raises
    ------
    SettingError
        A fault is unknown, or finds no symbol with a long enough history.
    """
    market = SimulatedProvider(settings.simulated_symbols, settings.simulated_years)
    if not settings.simulated_faults:
        return market
    return FaultyProvider(market, by_name(settings.simulated_faults, market))
