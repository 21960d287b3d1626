"""Moments, ages and counts as the operations page says them."""

import datetime as dt

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def moment(at: dt.datetime | None) -> str:
    """Return a moment in UTC, to the second."""
    return "-" if at is None else f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(since: dt.datetime | None, now: dt.datetime) -> str:
    """Return how long ago something was, in its two largest units."""
    if since is None:
        return "-"
    seconds = int((now - since).total_seconds())
    if seconds < 0:
        return "in the future"
    return f"{duration(seconds)} ago"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def count(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def number(value: float | None, form: str) -> str:
    """Return a number in a format, or a dash where there is none."""
    return "-" if value is None else format(value, form)
