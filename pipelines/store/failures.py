"""What a database's errors mean for who runs the program."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, NoSuchModuleError

from models.credentials import secrets_in_url, without_secrets
from pipelines.errors import StoreError, StoreUnavailableError
from pipelines.settings import Settings

STORE_URL = "setting SMARTINVEST_STORE_URL"

BUSY_SECONDS = 60
"""How long a writer waits for another one before it gives up."""

_LOCK_TIMEOUT = "55P03"
_LOCKED_STATES = {_LOCK_TIMEOUT, "57014", "40P01"}
_FULL_STATES = {"53000", "53100", "53200", "53300", "53400"}
_SHUT_DOWN_STATES = {"57P01", "57P02", "57P03"}
_READ_ONLY_STATES = {"25006", "42501"}

_REFUSED = re.compile(
    r"unable to open|authentication failed|no pg_hba|(?:role|database) \S+ does not exist|"
    r"not known|not permitted"
)
"""A wrong user, password, database or host stays wrong."""


def shown_url(settings: Settings) -> str:
    """Return the store's URL without its password, and without keys among its parameters."""
    url = sa.make_url(settings.store_url).render_as_string(hide_password=True)
    return without_secrets(url, secrets_in_url(settings.store_url))


@contextmanager
def clear_errors(settings: Settings) -> Iterator[None]:
    """Turn errors that lie with the store into a ``StoreError``; ours pass, without values.

    psycopg's own errors come from COPY, which SQLAlchemy does not know.
    """
    try:
        yield
    except DatabaseError as error:
        reason = _reason(error.orig) if error.orig is not None else None
        if reason is None:
            _forget_values(error)
            raise
        raise reason.error(settings) from error
    except (psycopg.Error, sqlite3.DatabaseError, OSError) as error:
        reason = _reason(error)
        if reason is None:
            _forget_values(error)
            raise
        raise reason.error(settings) from error
    except (NoSuchModuleError, ImportError) as error:
        raise unusable_url(shown_url(settings), str(error)) from error


@dataclass(frozen=True)
class _Reason:
    """What is wrong with the store, what helps, and whether waiting does."""

    problem: str
    remedy: str
    passes: bool = False

    def error(self, settings: Settings) -> StoreError:
        kind = StoreUnavailableError if self.passes else StoreError
        return kind(STORE_URL, shown_url(settings), self.problem, self.remedy)


def _reason(error: BaseException) -> _Reason | None:
    """Say what is wrong and what helps, where the cause lies with the store and not with us."""
    message = " ".join(str(error).split())
    state = getattr(error, "sqlstate", None)
    if "database is locked" in message or state in _LOCKED_STATES:
        return _Reason(
            f"another process held it for over {BUSY_SECONDS} s ({message})",
            "Wait until that process ends, or end it, and try again.",
            passes=True,
        )
    read_only = state in _READ_ONLY_STATES or isinstance(error, PermissionError)
    if read_only or "readonly database" in message or "read-only" in message.lower():
        return _Reason(
            f"it cannot be written ({message})",
            "Mend its permissions, or those of its folder, or choose another store.",
        )
    if "disk is full" in message or state in _FULL_STATES:
        return _Reason(
            f"it has no room or memory left, or too many connections ({message})",
            "Make room on its disk, or raise its limits, and try again.",
            passes=True,
        )
    if "not a database" in message or "malformed" in message:
        return _Reason(
            f"the file is damaged ({message})", "Restore it from a backup, or move it away."
        )
    unreachable = isinstance(error, OSError) or "unable to open" in message
    if unreachable or _is_connection_failure(error, state):
        return _Reason(
            f"it cannot be reached ({message})",
            "Check that the server runs, and the URL's host, port, database, user and password.",
            passes=_REFUSED.search(message) is None,
        )
    return None


def _forget_values(error: Exception) -> None:
    """Cut PostgreSQL's details off an error's text: they quote the row, and texts end in logs."""
    origin = error.orig if isinstance(error, DatabaseError) else error
    if isinstance(origin, psycopg.Error) and origin.diag.message_primary:
        text, said = str(origin), origin.diag.message_primary
        error.args = tuple(
            part.replace(text, said) if isinstance(part, str) else part for part in error.args
        )
        origin.args = (said,)


def _is_connection_failure(error: BaseException, state: str | None) -> bool:
    return isinstance(error, psycopg.OperationalError) and (
        state is None or state[:2] in {"08", "28", "3D"} or state in _SHUT_DOWN_STATES
    )


def is_lock_timeout(error: DatabaseError) -> bool:
    """Say whether PostgreSQL gave up waiting for a lock."""
    return getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT


def unusable_url(url: str, problem: str) -> StoreError:
    """Return the error for a URL that names no store; ``url`` without its password."""
    return StoreError(
        STORE_URL,
        url,
        problem,
        "Use sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
    )
