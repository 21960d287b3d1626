"""Which provider serves which source, and which session a run is about."""

import datetime as dt

from models.vocabulary import Source
from pipelines.errors import SessionError
from pipelines.ingest.provider import Provider
from pipelines.sessions import require_session
from pipelines.settings import Settings


def provider_for(settings: Settings) -> Provider:
    """Return the provider of the settings' source.

    Providers are imported when they are asked for: each brings libraries that the others do
    without.

    Raises
    ------
    SourceError
        The source's own settings or files are wrong.
    """
    match settings.source:
        case Source.SAMPLE:
            from pipelines.ingest.sample import SampleProvider

            return SampleProvider()
        case Source.FILES:
            from pipelines.ingest.files import FilesProvider

            return FilesProvider(settings)
        case Source.SIMULATED:
            from pipelines.ingest.simulated import simulated_provider

            return simulated_provider(settings)
        case Source.YAHOO:
            from pipelines.ingest.yahoo import yahoo_provider

            return yahoo_provider(settings)


def resolve_session(settings: Settings) -> dt.date:
    """Return the session that the settings ask for, or the newest one that the source has.

    Raises
    ------
    SessionError
        The date asked for is no session, or the source has no prices for it.
    """
    provider = provider_for(settings)
    newest = provider.newest_session()
    if settings.session is None:
        return newest
    session = require_session(settings.session)
    first = provider.first_session()
    if not first <= session <= newest:
        raise SessionError(
            "session",
            session,
            f"source {settings.source.value} has no prices for it",
            f"Its sessions go from {first} to {newest}.",
        )
    return session
