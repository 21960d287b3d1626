"""Which symbols are frozen as of a session: their newest bars cannot be trusted."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import pyarrow.compute as pc

from models.lake import PRICES
from pipelines.lake import read_as_of
from pipelines.quality.quarantine import list_quarantine
from pipelines.sessions import session_after
from pipelines.settings import Settings

RECENT_SESSIONS = 21
"""Over how many sessions a symbol's bars must be mostly good."""

LARGEST_BAD_SHARE_OF_SYMBOL = 1 / 3
"""A symbol with a larger share of rejected bars among its recent ones is frozen."""


def frozen_symbols(settings: Settings, session: dt.date, files: Sequence[str]) -> tuple[str, ...]:
    """Return the symbols whose bar of the session, or too many recent ones, were rejected.

    Frozen means that the rejected bars are out and the symbol keeps its last accepted close; its
    good bars stay in. ``files`` are the raw price files that were judged.
    """
    rejected = list_quarantine(settings)
    if rejected.num_rows == 0:
        return ()
    versions = ("symbol", "session_date", "known_at")
    bad_versions = set(zip(*(rejected[name].to_pylist() for name in versions), strict=True))
    recent = (pc.field("session_date") >= session_after(session, 1 - RECENT_SESSIONS)) & pc.field(
        "symbol"
    ).isin(pc.unique(rejected["symbol"]))
    bars = read_as_of(settings, PRICES, session).filter(recent)
    verdicts: dict[str, list[bool]] = defaultdict(list)
    bad_today = set()
    for bar in zip(*(bars[name].to_pylist() for name in versions), strict=True):
        symbol, day, _ = bar
        verdicts[symbol].append(bar in bad_versions)
        if day == session and bar in bad_versions:
            bad_today.add(symbol)
    often_bad = {
        symbol
        for symbol, bad in verdicts.items()
        if sum(bad) > LARGEST_BAD_SHARE_OF_SYMBOL * len(bad)
    }
    return tuple(sorted(bad_today | often_bad))
