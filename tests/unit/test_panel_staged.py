"""Bars as the panel's builder reads them from staging: one version of each, in order."""

import datetime as dt
import random

import duckdb
import pytest
from panel_inputs import SESSION, Known, bar_of, staged

from pipelines.warehouse.panel.staged import FEW_SYMBOLS, bars_of

FIRST = dt.date(1969, 12, 30)
"""Days before 1970 count below zero."""


@pytest.mark.parametrize("more", [0, FEW_SYMBOLS])
def test_bars_are_the_newest_versions_by_symbol_and_session_in_whatever_order_rows_lie(
    more: int,
) -> None:
    symbols = ["AA", "CC", *(f"D{number:03d}" for number in range(more))]
    sessions = [FIRST + dt.timedelta(days=7 * number) for number in range(5)]
    versions = [
        bar_of(symbol, session, 100.0 + hour, known_at=known_at(session, hour))
        for symbol in [*symbols, "BB"]  # BB lies between and is not asked for
        for session in sessions
        for hour in range(1 + (session.day + len(symbol)) % 3)
    ]
    random.Random(4).shuffle(versions)
    newest: dict[tuple[str, dt.date], float] = {}
    for bar in versions:
        key = bar["symbol"], bar["session_date"]
        newest[key] = max(bar["close"], newest.get(key, 0.0))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set timezone = 'UTC'")
        known = Known(SESSION, dict(enumerate(versions)), {}, [], {})
        found = bars_of(staged(connection, known, {}), symbols)
    keys = list(zip(found["symbol"].to_pylist(), found["session_date"].to_pylist(), strict=True))
    assert keys == [(symbol, session) for symbol in symbols for session in sessions]
    assert found["close"].to_pylist() == [newest[key] for key in keys]


def known_at(session: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(session, dt.time(hour), dt.UTC)
