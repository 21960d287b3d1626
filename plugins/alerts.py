"""Airflow's part in alerts: when one is told, what it says of where, and how it is mailed.

The callbacks below run after a task's state is reported, or in a process of their own; a task never
waits for them. Those of a task whose process was killed run in the DAG processor, and those of a
deadline in the executor: what they are given differs, and :func:`where_of` reads all three.
"""

import datetime as dt
import html
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.alerts import (
    BY_A_TASK,
    KILLED,
    Alert,
    Cause,
    Kind,
    Where,
    advice_alerts,
    cause_of,
    is_attempt_told,
    late_advice,
    late_alerts,
    market_alerts,
    tell,
)
from pipelines.errors import ReplayDifferenceError
from pipelines.recovery import recovery_of
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

CONNECTION = "smtp_default"
"""Airflow's connection to the mail server."""

_MAIL_TIMEOUT_S = 4


def task_failed(context: Mapping[str, Any]) -> None:
    """Tell that a task failed for good; Airflow's ``on_failure_callback``."""
    error = _error(context)
    differs = isinstance(error, ReplayDifferenceError)
    tell_of(context, Kind.REPLAY_DIFFERS if differs else Kind.TASK_FAILED, cause_of(error))
    tell_of_assets(context)


def task_retries(context: Mapping[str, Any]) -> None:
    """Tell that a task failed and is tried again; Airflow's ``on_retry_callback``.

    What is away may be away for long, and somebody may want to bring it back before the waits end.
    """
    error = _error(context)
    cause = cause_of(error)
    if isinstance(error, BaseException):
        logger.info("another attempt: %s", recovery_of(error).value)
    tell_of(context, Kind.TASK_RETRIES, cause)


def run_failed(context: Mapping[str, Any]) -> None:
    """Tell that a run failed, if no task of it was told of; a DAG's ``on_failure_callback``."""
    tell_of(context, Kind.RUN_FAILED, cause_of(str(context.get("reason") or BY_A_TASK)))


def task_succeeded(context: Mapping[str, Any]) -> None:
    """Tell what is wrong with what a task updated, although it succeeded."""
    tell_of_assets(context)


def tell_of_assets(context: Mapping[str, Any]) -> None:
    """Tell what is wrong with the market, or with the advice, that a task was to update."""
    where, settings = where_of(context), load_settings()
    names = {
        getattr(asset, "name", "") for asset in _of(_of(context.get("ti"), "task"), "outlets") or ()
    }
    alerts: list[Alert] = []
    if where.session is None:
        return
    if "market_data" in names:
        alerts += market_alerts(settings, where.session, dt.datetime.now(dt.UTC), where)
    if "advice" in names:
        alerts += advice_alerts(settings, where)
    for alert in alerts:
        tell(settings, alert, send_mail)


def attempt_begins(context: Mapping[str, Any]) -> None:
    """Tell that the attempt before was killed, if nothing else told so.

    Airflow calls nobody back for a task whose process was killed while its worker lives on, as the
    kernel does when memory ends.
    """
    task = context.get("ti")
    # Attempts from before the task was cleared do not count.
    retries = _of(_of(task, "task"), "retries") or 0
    before = (_of(task, "try_number") or 1) - (_of(task, "max_tries") or 0) + retries - 1
    if before < 1:
        return
    where = where_of(context)
    where = replace(where, attempt=where.attempt - 1)
    alert, settings = Alert(Kind.TASK_RETRIES, KILLED, where), load_settings()
    if not is_attempt_told(settings, alert):
        tell(settings, alert, send_mail)


def deadline_missed(context: Mapping[str, Any], what: str, hours: float = 0.0) -> None:
    """Tell that a deadline was missed, if what it is about is still not there.

    Parameters
    ----------
    what : ``advice``, which is due some hours after its session's close, or ``run``.
    hours : that a run may take, from its start: those that wait behind others are not late, and
        one that failed meanwhile was told of by that.
    """
    settings, where = load_settings(), where_of(context)
    alert = late_advice(settings, where) if what == "advice" else _late_run(context, where, hours)
    if alert is None:
        logger.info("%s of %s is not late: %s", what, where.dag_id, where.session or where.run_id)
    else:
        tell(settings, alert, send_mail)


def tell_lateness(context: Mapping[str, Any]) -> None:
    """Tell what is late by the clock, as the DAG ``watch`` does."""
    settings = load_settings()
    for alert in late_alerts(settings, dt.datetime.now(dt.UTC), where_of(context)):
        tell(settings, alert, send_mail)


def tell_of(context: Mapping[str, Any], kind: Kind, cause: Cause) -> None:
    """Tell something of the task or run that a context is of."""
    tell(load_settings(), Alert(kind, cause, where_of(context)), send_mail)


def where_of(context: Mapping[str, Any]) -> Where:
    """Return where a context is, whichever of Airflow's processes made it."""
    run, task = context.get("dag_run"), context.get("ti")
    return Where(
        dag_id=str(
            _of(run, "dag_id") or _of(task, "dag_id") or _of(context.get("dag"), "dag_id") or ""
        ),
        run_id=str(_of(run, "run_id") or _of(run, "dag_run_id") or context.get("run_id") or ""),
        session=_session(run, context.get("params")),
        task_id=str(_of(task, "task_id") or ""),
        map_index=_of(task, "map_index") if _of(task, "map_index") is not None else -1,
        attempt=_of(task, "try_number") or 0,
        log_url=str(_of(task, "log_url") or ""),
        beginning=str(_of(run, "clear_number") or 0),
    )


def send_mail(addresses: list[str], alert: Alert) -> None:
    """Mail an alert over Airflow's connection, with less patience than is usual."""
    # Heavy: plugins are imported by every process of Airflow.
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    class QuickHook(SmtpHook):
        timeout = _MAIL_TIMEOUT_S
        smtp_retry_limit = 1

    with QuickHook(smtp_conn_id=CONNECTION) as hook:
        hook.send_email_smtp(
            to=addresses,
            from_email=hook.from_email or hook.smtp_user or addresses[0],
            subject=alert.subject,
            html_content=f"<pre>{html.escape(alert.text(), quote=False)}</pre>",
        )


def _error(context: Mapping[str, Any]) -> BaseException | str | None:
    error = context.get("exception")
    return error if isinstance(error, BaseException | str) else None


def _of(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _session(run: Any, params: Any) -> dt.date | None:
    named = [_of(run, "partition_key"), _of(_of(run, "conf"), "session"), _of(params, "session")]
    for text in named:
        try:
            return dt.date.fromisoformat(text)
        except (TypeError, ValueError):
            continue
    return None


def _moment(value: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


def _late_run(context: Mapping[str, Any], where: Where, hours: float) -> Alert | None:
    run, now = context.get("dag_run"), dt.datetime.now(dt.UTC)
    # Airflow forgets the deadlines of runs that succeed, not of those that fail.
    if _of(run, "state") not in ("queued", "running"):
        return None
    started = _moment(_of(run, "start_date"))
    if started is None or now - started < dt.timedelta(hours=hours):
        return None
    cause = Cause(
        "RunLate",
        f"run of DAG {where.dag_id}",
        where.run_id,
        f"it has run for over {hours:g} hours",
        "See which task runs or waits, and what its log said last.",
    )
    return Alert(Kind.DEADLINE_MISSED, cause, where)
