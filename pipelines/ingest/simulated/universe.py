"""Membership of the simulated index: who is in it, since when, until when."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pipelines.ingest.simulated.instruments import Instrument
from pipelines.ingest.simulated.timeline import (
    LAST_SESSION,
    SESSIONS_PER_YEAR,
    generator,
    timeline,
)

UNIVERSE_NAME = "simulated"
_SHARE_WITH_A_BREAK = 0.1


def memberships(instruments: Iterable[Instrument], begin: dt.date) -> list[dict[str, Any]]:
    """Return the memberships of tradable instruments that had not ended before ``begin``.

    One instrument in ten is dropped once and comes back about a year later.
    """
    return [
        {
            "universe": UNIVERSE_NAME,
            "symbol": one.symbol,
            "member_from": since,
            "member_until": until,
        }
        for one in instruments
        if one.is_tradable
        for since, until in _spans(one)
        if until is None or until >= begin
    ]


def _spans(one: Instrument) -> list[tuple[dt.date, dt.date | None]]:
    end = None if one.last_session == LAST_SESSION else one.last_session
    dice = generator(2, one.number)
    has_break = dice.random() < _SHARE_WITH_A_BREAK
    position = len(timeline().sessions) - 1 - int(dice.integers(2, 20) * SESSIONS_PER_YEAR)
    out, back = timeline().day(position), timeline().day(position + SESSIONS_PER_YEAR)
    if has_break and one.first_session < out and back < one.last_session:
        return [(one.first_session, out), (back, end)]
    return [(one.first_session, end)]
