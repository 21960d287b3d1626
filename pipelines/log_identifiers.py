"""Which session, run and account a log line is about, beside what the line says.

Only keys of ours go into it, never a name, an address or an amount: a log is read by people who
may not know whose account it is, and those who may find the client by the key.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar

from pipelines.redaction import RedactingFormatter

ALLOWED = ("session", "advice_run", "shard", "client", "account")
"""Identifiers in the order in which they are shown. Airflow adds its own: DAG, task, run, try."""

_values: ContextVar[dict[str, str]] = ContextVar("log_identifiers")
_binders: list[Callable[..., AbstractContextManager[object]]] = []

_of_process = ExitStack()


class UnknownIdentifierError(ValueError):
    """A log line was to carry something that is none of :data:`ALLOWED`."""


def current() -> dict[str, str]:
    """Return the identifiers of what this thread is at."""
    return dict(_values.get({}))


@contextmanager
def identified(**identifiers: object) -> Iterator[None]:
    """Give every log line inside these identifiers, on top of those that it has.

    Raises
    ------
    UnknownIdentifierError
        One is not among :data:`ALLOWED`.
    """
    if unknown := set(identifiers) - set(ALLOWED):
        raise UnknownIdentifierError(f"not for logs: {', '.join(sorted(unknown))}")
    added = {name: str(value) for name, value in identifiers.items() if value is not None}
    token = _values.set({**current(), **added})
    try:
        with ExitStack() as stack:
            for binder in _binders:
                stack.enter_context(binder(**added))
            yield
    finally:
        _values.reset(token)


def bind(**identifiers: object) -> None:
    """Give all further log lines of this process identifiers: it works on one thing only.

    Raises
    ------
    UnknownIdentifierError
        One is not among :data:`ALLOWED`.
    """
    _of_process.enter_context(identified(**identifiers))


def bind_also(binder: Callable[..., AbstractContextManager[object]]) -> None:
    """Have another logging system bind the identifiers, too, as Airflow's structlog does.

    Parameters
    ----------
    binder : takes the identifiers as keyword arguments and returns a context manager.
    """
    if binder not in _binders:
        _binders.append(binder)


class AddIdentifiers(logging.Filter):
    """Adds ``record.identifiers``, e.g. ``[session=2022-12-28 account=17] ``, or an empty text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its identifiers."""
        values = current()
        parts = [f"{name}={values[name]}" for name in ALLOWED if name in values]
        record.identifiers = f"[{' '.join(parts)}] " if parts else ""
        return True


def log_to_stderr(level: int) -> None:
    """Log to standard error, with identifiers: for a process of our own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(AddIdentifiers())
    handler.setFormatter(RedactingFormatter("%(asctime)s %(identifiers)s%(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler])
