"""The sessions of the simulated market, and how its random numbers are drawn.

Every series is drawn from the last session backwards. So a market of ten years is bit for bit the
end of the market of twenty-five, whatever was asked for.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from pipelines.sessions import calendar, sessions_between

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

FIRST_SESSION = dt.date(1955, 1, 3)
LAST_SESSION = dt.date(2025, 12, 31)
SESSIONS_PER_YEAR = 252
_SEED = 1955


@dataclass(frozen=True)
class Timeline:
    """All sessions that can be simulated; arrays have one entry per session, oldest first."""

    sessions: npt.NDArray[np.datetime64]
    year: Integers
    month: Integers
    session_of_month: Integers
    is_half_day: Truths

    def position(self, day: dt.date) -> int:
        """Return the position of the first session on or after a day."""
        return int(np.searchsorted(self.sessions, np.datetime64(day, "D")))

    def day(self, position: int) -> dt.date:
        """Return the session at a position."""
        day: dt.date = self.sessions[position].astype(object)
        return day


@cache
def timeline() -> Timeline:
    """Return the exchange's sessions from ``FIRST_SESSION`` to ``LAST_SESSION``."""
    sessions = np.array(sessions_between(FIRST_SESSION, LAST_SESSION), dtype="datetime64[D]")
    months = sessions.astype("datetime64[M]").astype(np.int64)
    starts = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
    session_of_month = (
        np.arange(len(sessions))
        - starts[np.searchsorted(starts, range(len(sessions)), "right") - 1]
    )
    half_days = calendar().early_closes.to_numpy().astype("datetime64[D]")
    return Timeline(
        sessions=sessions,
        year=months // 12 + 1970,
        month=months % 12 + 1,
        session_of_month=session_of_month,
        is_half_day=np.isin(sessions, half_days),
    )


def generator(*stream: int) -> np.random.Generator:
    """Return the random numbers of one stream, which no other stream's length can shift."""
    return np.random.default_rng([_SEED, *stream])


def persistent(noise: Floats, persistence: float) -> Floats:
    """Turn white noise into a first-order autoregression of the same variance.

    A Gaussian one is the same process read in either direction, which is why it can be drawn
    backwards. ``noise`` has sessions along its last axis.
    """
    innovation = np.sqrt(1 - persistence**2)
    backwards = noise[..., ::-1].copy()
    backwards[..., 0] /= innovation
    return np.asarray(lfilter([innovation], [1, -persistence], backwards, axis=-1))[..., ::-1]
