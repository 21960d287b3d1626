"""What the exchange's calendar said of each session on that session itself.

A calendar read today knows days on which the exchange stayed shut without notice (11 September
2001, a hurricane, a state funeral). Nobody counted on them the week before, so whatever looks
ahead from a session counts them as sessions that were to come.
"""

import numpy as np
import numpy.typing as npt

from pipelines.sessions import calendar

Days = npt.NDArray[np.datetime64]


def next_expected(sessions: Days) -> Days:
    """Return the session that was expected to follow each session."""
    expected = _expected()
    return expected[np.searchsorted(expected, sessions, side="right")]


def expected_after(sessions: Days, months: int) -> npt.NDArray[np.int64]:
    """Return how many more sessions were expected in the month (1) or quarter (3) of each."""
    expected = _expected()
    ends = ((sessions.astype("datetime64[M]").astype(np.int64) // months + 1) * months).astype(
        "datetime64[M]"
    )
    following = np.searchsorted(expected, ends.astype("datetime64[D]"))
    return following - np.searchsorted(expected, sessions, side="right")


def is_half_day(sessions: Days) -> npt.NDArray[np.bool_]:
    """Say on which sessions the exchange closed early."""
    return np.isin(sessions, _days(calendar().early_closes))


def _expected() -> Days:
    exchange = calendar()
    return np.union1d(_days(exchange.sessions), _days(exchange.adhoc_holidays))


def _days(stamps: object) -> Days:
    return np.asarray(stamps, dtype="datetime64[D]")
