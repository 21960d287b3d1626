"""The exchange's sessions as arrays: which number a day has, and when its session ended."""

from functools import cache

import numpy as np
import numpy.typing as npt

from pipelines.sessions import calendar

_EPOCH = np.datetime64("1970-01-01", "D")


@cache
def _sessions() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the sessions as days since 1970, and their ends in microseconds since then."""
    closes = calendar().closes
    days = (closes.index.values.astype("datetime64[D]") - _EPOCH).astype(np.int64)
    ends = closes.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return days, ends.astype(np.int64).astype(np.float64)


@cache
def _by_day() -> tuple[int, npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Return the first day, and of each day from there the session's number and end (or none)."""
    days, ends = _sessions()
    first = int(days[0])
    number = np.full(int(days[-1]) - first + 1, -1, dtype=np.int32)
    end = np.full(len(number), np.nan)
    number[days - first] = np.arange(len(days))
    end[days - first] = ends
    return first, number, end


def session_numbers(days: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return the number of each day's session, counted from the calendar's first; -1: closed."""
    first, number, _ = _by_day()
    inside = (days >= first) & (days < first + len(number))
    return np.where(inside, number[np.where(inside, days - first, 0)], -1).astype(np.int32)


def session_ends(days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return when each day's session ended, in microseconds since 1970 (UTC); NaN: closed."""
    first, _, end = _by_day()
    inside = (days >= first) & (days < first + len(end))
    return np.where(inside, end[np.where(inside, days - first, 0)], np.nan)
