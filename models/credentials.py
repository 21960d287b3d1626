"""What of a text must not be shown: users, passwords and keys in URLs, and known secrets."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

HIDDEN = "***"

_SECRET_PARAMETER = re.compile(
    r"(?P<name>[?&;]\s*(?:\w*(?:password|passwd|secret|token|access_?key|api_?key|credential"
    r"|signature)\w*|sig|key|pwd)=)(?P<value>[^&;#\s'\"]*)",
    re.IGNORECASE,
)
_USER_IN_URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*:/{1,2})[^\s'\"<>]*@", re.IGNORECASE)
_SHORTEST_KNOWN = 6
"""A shorter secret would be found, and hidden, in the middle of common words."""


def without_credentials(url: str) -> str:
    """Return a text that may be a URL, however mistyped, without user, password and keys.

    What stands before its host goes, and so do the values of parameters that name a secret.
    """
    before, at, host = url.rpartition("@")
    shown = f"{HIDDEN}@{host}" if at and ":" in before else url
    return _SECRET_PARAMETER.sub(rf"\g<name>{HIDDEN}", shown)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text, such as a log's or a traceback's, without credentials or known secrets.

    Parameters
    ----------
    secrets : values that must not be shown, wherever they stand.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_KNOWN:
            text = text.replace(secret, HIDDEN)
    text = _USER_IN_URL.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _SECRET_PARAMETER.sub(rf"\g<name>{HIDDEN}", text)


def secrets_in_url(url: str) -> set[str]:
    """Return the passwords and keys in a URL, as they are written and as they are meant."""
    found = {match["value"] for match in _SECRET_PARAMETER.finditer(url)}
    try:
        found.add(urlsplit(url).password or "")
    except ValueError:  # no URL: whoever opens it says so
        before, at, _ = url.rpartition("@")
        found.add(before.rpartition(":")[2] if at else "")
    return {form for value in found if value for form in (value, unquote(value))}
