"""No secret of the environment in what a process of ours writes: its log, the error it ends by.

What we say on purpose is written without secrets in the first place; this catches what libraries
say. Airflow has a masker of its own, which ``plugins/secret_masks.py`` tells the same secrets.
"""

import logging
import os
import sys
import traceback
from types import TracebackType

from models.credentials import without_secrets
from pipelines.secrets import environment_secrets


def redacted(text: str) -> str:
    """Return a text without credentials in URLs and without the environment's secrets."""
    return without_secrets(text, environment_secrets(os.environ))


class RedactingFormatter(logging.Formatter):
    """Formats as its format says, and hides secrets in the line and its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        return redacted(super().format(record))


def redact_uncaught_errors() -> None:
    """Have an error that ends this process printed as Python would, without secrets."""
    sys.excepthook = _print_redacted


def _print_redacted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))
