"""Nothing of a cluster starts while one of its secrets is missing, a default or too short."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from models.credentials import HIDDEN
from pipelines.errors import SettingError
from pipelines.secrets import SHORTEST_KEY, SHORTEST_PASSWORD, require_strong, weakness

FERNET_KEY = "AIRFLOW__CORE__FERNET_KEY"
SIGNING_KEYS = ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
URLS = (
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CELERY__BROKER_URL",
    "SMARTINVEST_STORE_URL",
    "STORE_ADMIN_URL",
)
_READ_BY_AIRFLOW = ("_CMD", "_SECRET")
"""Variants of a variable by which Airflow asks a command or a secrets backend for the value."""

_FERNET_BYTES = 32
_MEANS_SOMETHING_IN_A_URL = re.compile(r"[/?#@:\[\]\s]|%(?![0-9A-Fa-f]{2})")


def require_strong_secrets(environ: Mapping[str, str], passwords: tuple[str, ...]) -> None:
    """Check every secret of a cluster's environment.

    Parameters
    ----------
    passwords : variables that hold passwords, besides those in URLs.

    Raises
    ------
    SettingError
        One is missing, weak or used twice; the message names it and shows no value.
    """
    seen: dict[str, str] = {}
    for name, value, shortest in _secrets(environ, passwords):
        strong = require_strong(name, value, shortest)
        if strong in seen:
            raise SettingError(
                f"secret {name}",
                HIDDEN,
                f"it is the same as {seen[strong]}",
                "Make one for each: who learns one must not have learnt them all.",
            )
        seen[strong] = name
    _require_fernet_keys(environ)


def _secrets(
    environ: Mapping[str, str], passwords: tuple[str, ...]
) -> Iterator[tuple[str, str | None, int]]:
    named = {environ[name] for name in passwords if environ.get(name)}
    for name in passwords:
        yield name, environ.get(name), SHORTEST_PASSWORD
    for name in SIGNING_KEYS:
        if not _is_read_by_airflow(environ, name):
            yield name, environ.get(name), SHORTEST_KEY
    for name in URLS:
        if not _is_read_by_airflow(environ, name):
            password = _password_of(environ, name)
            if password not in named:
                yield f"{name} (its password)", password, SHORTEST_PASSWORD


def _is_read_by_airflow(environ: Mapping[str, str], name: str) -> bool:
    return any(environ.get(f"{name}{suffix}") for suffix in _READ_BY_AIRFLOW)


def _password_of(environ: Mapping[str, str], name: str) -> str | None:
    url = environ.get(name, "")
    written = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    if _MEANS_SOMETHING_IN_A_URL.search(written):
        raise SettingError(
            f"secret {name} (its password)",
            HIDDEN,
            "it has characters that mean something in a URL",
            "Use letters and digits alone: openssl rand -hex 32.",
        )
    try:
        password = sa.make_url(url).password
    except (sa.exc.ArgumentError, ValueError):
        raise SettingError(
            f"secret {name}",
            HIDDEN if url else "",
            "it is no URL",
            "Write what .env.example shows.",
        ) from None
    return None if password is None else str(password)


def _require_fernet_keys(environ: Mapping[str, str]) -> None:
    if _is_read_by_airflow(environ, FERNET_KEY):
        return
    # Several, between commas, while the key is being changed: the first one encrypts.
    for key in environ.get(FERNET_KEY, "").split(","):
        problem = weakness(key, SHORTEST_KEY) or _fernet_problem(key)
        if problem:
            raise SettingError(
                f"secret {FERNET_KEY}",
                HIDDEN if key else "",
                problem,
                "Make one: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'.",
            )


def _fernet_problem(key: str) -> str:
    try:
        length = len(base64.urlsafe_b64decode(key))
    except (binascii.Error, ValueError):
        return "it is not base64"
    return "" if length == _FERNET_BYTES else f"it has {length} bytes, not {_FERNET_BYTES}"
