"""Secrets: where they are read from, and refused where they are none.

A secret comes by a variable of the environment, or by a file that ``<NAME>_FILE`` names, as Docker
and Kubernetes mount them. It is never an argument of a command: any user may list those.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from models.credentials import HIDDEN, secrets_in_url
from pipelines.errors import SettingError

FILE_SUFFIX = "_FILE"

SHORTEST_PASSWORD = 12
SHORTEST_KEY = 32
"""Characters: of what a person may have chosen, and of what signs tokens."""

_KNOWN_TO_EVERYBODY = re.compile(
    r"change.?(me|it|this)|replace.?(me|this|with)|your.?(password|secret|key)|^<.*>$|^(?P<one>.)(?P=one)*$|"
    r"^(0?1234567890?)+|^(password|passwort|secret|admin|administrator|airflow|postgres|postgresql|"
    r"mlflow|redis|smartinvest|smartinvest_[a-z]+|example|default|test|qwerty|letmein|root|user)"
    r"\W*\d*\W*$",
    re.IGNORECASE,
)

_OURS = re.compile(
    r"^((SMARTINVEST|STORE|AIRFLOW|AWS|MLFLOW|POSTGRES|REDIS|ADMIN|OPENLINEAGE)_\w*"
    r"|(HTTPS?|ALL)_PROXY)$",
    re.IGNORECASE,
)
_IN_JSON = re.compile(
    r"password|passwd|secret|token|api_?key|access_?key|credential", re.IGNORECASE
)
_WHOLE = re.compile(r"(PASSWORD|SECRET|TOKEN|FERNET_KEY|API_KEY|ACCESS_KEY|SECRET_KEY|WEBHOOK)$")


def environment_secrets(environ: Mapping[str, str]) -> set[str]:
    """Return every secret that the environment holds or names a file of, to be hidden in texts.

    Passwords in URLs, what JSON holds under a name that says so, and the whole values of variables
    whose names do, of the programs that a cluster runs. A file that cannot be read is left to
    whoever needs it.
    """
    found: set[str] = set()
    for variable, value in environ.items():
        if not value or not _OURS.match(variable):
            continue
        name = variable
        if variable.endswith(FILE_SUFFIX):
            name = variable.removesuffix(FILE_SUFFIX)
            try:
                value = Path(value).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError, ValueError):
                continue
        # While Fernet's key is being changed there are two, between commas.
        found |= {value, *value.split(",")} if _WHOLE.search(name) else _secrets_in(value)
    return found


def _secrets_in(value: str) -> set[str]:
    """Return the secrets in a URL, or in JSON as connections, transports and backends have it."""
    try:
        content = json.loads(value)
    except ValueError:
        return secrets_in_url(value)
    return set(_secrets_in_json(content))


def _secrets_in_json(content: Any, name: str = "") -> Iterator[str]:
    if isinstance(content, dict):
        for inner, value in content.items():
            yield from _secrets_in_json(value, str(inner))
    elif isinstance(content, list):
        for value in content:
            yield from _secrets_in_json(value, name)
    elif isinstance(content, str) and content:
        yield from {content} if _IN_JSON.search(name) else secrets_in_url(content)


def read_secret(environ: Mapping[str, str], name: str) -> str | None:
    """Return a secret of the environment, or of the file that ``<name>_FILE`` names; None: unset.

    Raises
    ------
    SettingError
        Both are set, or the file cannot be read or is empty.
    """
    value, file = environ.get(name) or None, environ.get(f"{name}{FILE_SUFFIX}") or None
    if file is None:
        return value
    thing = f"setting {name}{FILE_SUFFIX}"
    remedy = "Name a file that holds the secret and nothing else."
    if value is not None:
        raise SettingError(thing, file, f"{name} is set, too", "Set one of the two.")
    try:
        content = Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise SettingError(thing, file, f"it cannot be read ({error.strerror})", remedy) from None
    except UnicodeDecodeError:
        raise SettingError(thing, file, "it is not text in UTF-8", remedy) from None
    if not content:
        raise SettingError(thing, file, "it is empty", remedy)
    return content


def with_secrets_of_files(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return an environment in which these secrets stand that files hold (``<name>_FILE``).

    Raises
    ------
    SettingError
        One is set and has a file, too, or its file cannot be read or is empty.
    """
    found = {name: read_secret(environ, name) for name in names}
    return {**environ, **{name: value for name, value in found.items() if value is not None}}


def require_strong(name: str, value: str | None, shortest: int = SHORTEST_PASSWORD) -> str:
    """Return a secret that is set, long enough, and not one of those that everybody tries.

    Raises
    ------
    SettingError
        It is not; the message never shows the value.
    """
    problem = weakness(value, shortest)
    if value is None or problem:
        raise SettingError(
            f"secret {name}",
            HIDDEN if value else "",
            problem,
            "Set it in the environment, for instance to what `openssl rand -hex 32` prints.",
        )
    return value


def weakness(value: str | None, shortest: int = SHORTEST_PASSWORD) -> str:
    """Return what makes a secret none, or an empty text."""
    if not value:
        return "it is not set"
    if _KNOWN_TO_EVERYBODY.search(value):
        return "it is a default or a placeholder, which everybody knows"
    if len(value) < shortest:
        return f"it has {len(value)} characters, fewer than {shortest}"
    return ""
