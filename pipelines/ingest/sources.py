"""Which provider serves which source, and which session a run is about."""

import datetime as dt

from models.vocabulary import Source
from pipelines.errors import SessionError, SourceError
from pipelines.ingest.provider import Provider
from pipelines.ingest.sample import SampleProvider
from pipelines.sessions import require_session
from pipelines.settings import Settings

_PROVIDERS = {Source.SAMPLE: SampleProvider}


def provider_for(settings: Settings) -> Provider:
    """Return the provider of the settings' source.

    Raises
    ------
    SourceError
        The source is not built yet.
    """
    try:
        return _PROVIDERS[settings.source]()
    except KeyError:
        raise SourceError(
            "setting SMARTINVEST_SOURCE",
            settings.source.value,
            "this source is not built yet",
            f"Use {', '.join(source.value for source in _PROVIDERS)}.",
        ) from None


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
