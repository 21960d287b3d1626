"""Tell an alert: into the log, to a webhook and by mail, once, and never at a task's cost."""

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.alerts.alert import Alert, Kind, Severity
from pipelines.alerts.webhook import WebhookError, post
from pipelines.errors import LakeError
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

FOLDER = "alerts"
"""Folder of the lake, which all workers share, with one file for each alert that was told."""

SendMail = Callable[[list[str], Alert], None]
"""Sends an alert to addresses; raises whatever keeps it from doing so."""


def tell(settings: Settings, alert: Alert, send_mail: SendMail | None = None) -> bool:
    """Tell an alert wherever the settings say, unless the same was told already.

    It always stands in the log. What cannot be sent is logged too and raises nothing; if it reached
    nobody who was to get it, it is news again when somebody has it to tell the next time.

    Parameters
    ----------
    send_mail : how mails are sent; None sends none.

    Returns
    -------
    bool
        Whether it was news.
    """
    alert = replace(alert, cause=alert.cause.without(settings.secrets()))
    if not _is_news(settings, alert):
        logger.info("alert told already: %s", alert.subject)
        return False
    level = logging.ERROR if alert.severity is Severity.ERROR else logging.WARNING
    logger.log(level, "ALERT %s\n%s", alert.subject, alert.text())
    sent = [*_posted(settings, alert), *_mailed(settings, alert, send_mail)]
    if sent and not any(sent):
        _is_news_again(settings, alert)
    return True


def _posted(settings: Settings, alert: Alert) -> Iterator[bool]:
    """Post an alert, if that is wanted; yield whether it arrived."""
    if settings.alert_webhook is None:
        return
    try:
        post(settings.alert_webhook.get_secret_value(), alert.content())
    except WebhookError as error:
        logger.error("the alert did not reach the webhook: %s", error)
        yield False
    else:
        yield True


def _mailed(settings: Settings, alert: Alert, send_mail: SendMail | None) -> Iterator[bool]:
    """Mail an alert, if that is wanted; yield whether the server took it."""
    addresses = settings.alert_addresses
    if not addresses or send_mail is None:
        return
    try:
        send_mail(addresses, alert)
    # Whatever a mail server or its library does, what is told of goes on.
    except Exception as error:  # noqa: BLE001
        logger.error(
            "the alert was not mailed (%s); see the connection smtp_default", type(error).__name__
        )
        yield False
    else:
        yield True


def _is_news(settings: Settings, alert: Alert) -> bool:
    """Note that an alert is told; if that cannot be noted, it is rather told twice than not."""
    first, *others = [_path(alert, mark) for mark in alert.marks]
    content = json.dumps(alert.content(), sort_keys=True).encode()
    try:
        is_news = _note(settings, first, content)
        for path in others:
            _note(settings, path, content)
    except (LakeError, OSError) as error:
        logger.warning("that the alert was told could not be noted: %s", type(error).__name__)
        return True
    return is_news


def _is_news_again(settings: Settings, alert: Alert) -> None:
    """Take back that an alert was told; the operations page still has what it said."""
    from pipelines.lake.storage import storage

    place = storage(settings)
    # That its attempt failed is known, whoever heard of it: it was not killed.
    marks = alert.marks[:1] if alert.kind is Kind.TASK_RETRIES else alert.marks
    content = json.dumps(alert.content(), sort_keys=True).encode()
    try:
        place.create(_path(alert, f"{marks[0]}.unheard"), content)
        for mark in marks:
            place.delete(_path(alert, mark))
    except (LakeError, OSError) as error:
        logger.warning("that the alert reached nobody could not be noted: %s", type(error).__name__)


def is_attempt_told(settings: Settings, alert: Alert) -> bool:
    """Say whether it was told that an alert's own attempt failed, or that cannot be known."""
    from pipelines.lake.storage import storage

    try:
        return storage(settings).exists(_path(alert, alert.marks[-1]))
    except (LakeError, OSError):
        return True


def _path(alert: Alert, mark: str) -> str:
    return f"{FOLDER}/{alert.where.session or 'any'}/{mark}.json"


def _note(settings: Settings, path: str, content: bytes) -> bool:
    """Create a file that is not there; return whether it was not."""
    from pipelines.lake.storage import storage

    return storage(settings).create(path, content)


def forget_alerts(settings: Settings, before: dt.datetime, *, dry_run: bool = False) -> int:
    """Remove the notes of alerts that were told before a moment; return how many there were.

    Parameters
    ----------
    dry_run : only count them.

    Raises
    ------
    LakeError
        The lake cannot be read or written.
    """
    from pipelines.lake.storage import storage

    place, forgotten = storage(settings), 0
    for path in place.files(FOLDER, ".json"):
        try:
            told = dt.datetime.fromisoformat(json.loads(place.read(path).to_pybytes())["at"])
        except (ValueError, KeyError):
            told = before - dt.timedelta(days=1)  # a disk was full while it was written
        except FileNotFoundError:
            continue
        if told < before:
            forgotten += 1
            if not dry_run:
                place.delete(path)
    return forgotten
