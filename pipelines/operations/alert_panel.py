"""The alerts that were told last, from the notes that telling leaves in the lake."""

import datetime as dt
import json
from typing import Any

from pipelines.alerts.alert import Severity
from pipelines.alerts.telling import FOLDER
from pipelines.lake.storage import Storage, storage
from pipelines.operations.panels import Badge, Cell, Grid, Panel, Verdict
from pipelines.operations.words import age, count
from pipelines.settings import Settings

_SHOWN = 10
_MOST_READ = 60
_RECENT = dt.timedelta(days=1)


def alert_panel(settings: Settings, now: dt.datetime) -> Panel:
    """Show the alerts that were told last, whatever session they are of.

    Raises
    ------
    LakeError
        The lake cannot be read.
    """
    alerts = _newest(storage(settings))
    recent = [each for each in alerts if now - each["moment"] < _RECENT]
    errors = [each for each in recent if each["severity"] == Severity.ERROR]
    rows: list[list[Cell]] = [
        [
            age(each["moment"], now),
            Badge(
                each["severity"],
                Verdict.BAD if each["severity"] == Severity.ERROR else Verdict.ATTENTION,
            ),
            each["subject"],
            each["cause"]["problem"],
            each["cause"]["remedy"],
        ]
        for each in alerts[:_SHOWN]
    ]
    channels = [
        name
        for name, is_set in (
            ("e-mail", bool(settings.alert_addresses)),
            ("webhook", settings.alert_webhook is not None),
        )
        if is_set
    ]
    told = f"They go to {' and '.join(channels)}." if channels else "They stand in the log only."
    return Panel(
        "alerts",
        "Alerts",
        Verdict.BAD if errors else Verdict.ATTENTION if recent else Verdict.GOOD,
        f"{count(len(recent), 'alert')} in the last day" if recent else "none in the last day",
        (Grid(("told", "severity", "alert", "problem", "remedy"), rows),) if rows else (),
        (told,),
    )


def _newest(place: Storage) -> list[dict[str, Any]]:
    """Return the alerts that were told last, newest first; several notes may be of one."""
    notes = sorted(place.stored(FOLDER), key=lambda note: note.written_ns, reverse=True)
    found = {}
    for note in notes[:_MOST_READ]:
        try:
            alert = json.loads(place.read_bytes(note.path))
            alert["moment"] = dt.datetime.fromisoformat(alert["at"])
        except (FileNotFoundError, ValueError, KeyError):
            continue  # forgotten meanwhile, or half-written on a full disk
        found[alert["at"], alert["subject"]] = alert
    return sorted(found.values(), key=lambda alert: alert["moment"], reverse=True)
