"""Derive what the macro rules speak of: an observation beside those of its series before it.

Observations are few, tens of thousands in all, so they are looked at one after the other, in the
order in which they became known: what is rejected is no reference for what follows.
"""

from bisect import bisect_left
from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.macro import (
    IMPOSSIBLE_FACTOR,
    LARGEST_FACTOR,
    MACRO_SUITE,
    MOST_USUAL_STEPS,
    NEVER_NEGATIVE,
    OBSERVATION_SUITE,
)
from models.lake import MACRO
from pipelines.quality.judging.compiled import encoded, numbers
from pipelines.quality.judging.plain import judge_rows, sound_rows
from pipelines.quality.judging.verdict import Verdict

WINDOW_STEPS = 60
"""Steps whose mean size is the usual one: five years of months, a quarter of days."""

_FEWEST_STEPS = 10
_FEWEST_MONTHS = 2
_MICROSECONDS_PER_DAY = 86_400e6


def judge_macro(rows: pa.Table, past: pa.Table | None = None) -> Verdict:
    """Return the verdict on rows of ``MACRO``.

    Parameters
    ----------
    past : accepted rows of the same series.
    """
    codes, series = encoded(rows["series_id"])
    least = np.array([0.0 if name in NEVER_NEGATIVE else np.nan for name in series])
    alone = {
        "observed_from": numbers(rows["observation_date"]) * _MICROSECONDS_PER_DAY,
        "lowest_value": least[codes],
    }
    sound = sound_rows(OBSERVATION_SUITE, rows, **alone)
    beside = _beside_past(rows, sound, past)
    return judge_rows(MACRO, MACRO_SUITE, rows, **alone, **beside)


def _beside_past(
    rows: pa.Table, sound: npt.NDArray[np.bool_], past: pa.Table | None
) -> dict[str, npt.NDArray[np.float64]]:
    steps, days = (np.full(rows.num_rows, np.nan) for _ in range(2))
    known: dict[str, _Series] = defaultdict(_Series)
    in_order = sorted(
        [(*one, -1) for one in _observations(past)]
        + [(*one, place) for place, one in enumerate(_observations(rows)) if sound[place]]
    )
    for _, day, name, value, place in in_order:
        series = known[name]
        if place >= 0:
            steps[place] = series.usual_steps(day, value)
            days[place] = series.days_into_month(day)
            if steps[place] > MOST_USUAL_STEPS or days[place] > 0:
                continue
        series.add(day, value)
    return {"usual_steps": steps, "days_into_period": days}


def _observations(rows: pa.Table | None) -> list[tuple[object, int, str, float]]:
    """Return moment, day, series and value of each row; NaN for no value."""
    if rows is None:
        return []
    days = numbers(rows["observation_date"]).astype(np.int64).tolist()
    columns = rows["known_at"].to_pylist(), days, rows["series_id"].to_pylist()
    return list(zip(*columns, numbers(rows["value"]).tolist(), strict=True))


class _Series:
    """The first accepted version of each of a series' observations, by day."""

    def __init__(self) -> None:
        self._days: list[int] = []
        self._values: list[float] = []
        self._is_monthly = True

    def add(self, day: int, value: float) -> None:
        """Accept an observation, unless another version of it was accepted before."""
        place = bisect_left(self._days, day)
        if value != value or self._days[place : place + 1] == [day]:
            return
        self._days.insert(place, day)
        self._values.insert(place, value)
        self._is_monthly = self._is_monthly and _day_of_month(day) == 1

    def usual_steps(self, day: int, value: float) -> float:
        """Return by how many usual steps a value lies from the one before its day, if far."""
        place = bisect_left(self._days, day)
        if place == 0 or value != value:
            return float("nan")
        before = self._values[place - 1]
        factor = _factor(before, value)
        if factor <= LARGEST_FACTOR:
            return 0.0
        if IMPOSSIBLE_FACTOR < factor < float("inf"):
            return float("inf")
        usual = self._usual_step(place)
        if usual is None:
            return float("nan")
        return abs(value - before) / usual if usual else float("inf")

    def days_into_month(self, day: int) -> float:
        """Return the days since the first of the month, in a series of months."""
        if len(self._days) < _FEWEST_MONTHS or not self._is_monthly:
            return float("nan")
        return _day_of_month(day) - 1.0

    def _usual_step(self, place: int) -> float | None:
        values = self._values[max(place - WINDOW_STEPS - 1, 0) : place]
        if len(values) <= _FEWEST_STEPS:
            return None
        return float(np.abs(np.diff(values)).mean())


def _factor(one: float, other: float) -> float:
    """Return how many times the larger is the smaller; infinite around zero."""
    if one == other:
        return 1.0
    return max(one / other, other / one) if one * other > 0 else float("inf")


def _day_of_month(day: int) -> int:
    moment = np.datetime64(day, "D")
    return int((moment - moment.astype("datetime64[M]")).astype(np.int64)) + 1
