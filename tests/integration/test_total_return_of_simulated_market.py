"""Our total-return series beside the market that made the splits and dividends up."""

from itertools import groupby

import numpy as np
import pyarrow as pa
import pytest

from models.vocabulary import ActionKind
from pipelines.ingest.provider import Delivery
from pipelines.ingest.simulated import SimulatedProvider
from pipelines.ingest.simulated.instruments import instrument
from pipelines.ingest.simulated.paths import paths
from pipelines.ingest.simulated.timeline import timeline
from pipelines.lake.adjustment import Adjustment, adjusted

MARKET = SimulatedProvider(symbols=60, years=30)
ROUNDING = 1e-10


@pytest.fixture(scope="module")
def delivery() -> Delivery:
    (batch,) = MARKET.batches(MARKET.newest_session())
    return MARKET.deliver(batch, MARKET.first_session(), MARKET.newest_session())


@pytest.fixture(scope="module")
def series(delivery: Delivery) -> dict[str, list[float]]:
    """Our total-return closes by symbol."""
    rows = adjusted(delivery.prices, delivery.actions, Adjustment.TOTAL_RETURN)
    return {
        symbol: [row["close"] for row in bars]
        for symbol, bars in groupby(rows.to_pylist(), lambda row: row["symbol"])
    }


def test_it_is_what_a_share_with_its_dividends_reinvested_grows_to(
    delivery: Delivery, series: dict[str, list[float]]
) -> None:
    """One share, followed day by day: splits multiply it, cash buys more at the close."""
    payments = _by_symbol_and_day(delivery.actions)
    assert sum(kind == ActionKind.SPLIT for kinds in payments.values() for kind in kinds) > 50
    assert sum(kind != ActionKind.SPLIT for kinds in payments.values() for kind in kinds) > 2000
    largest = 0.0
    for symbol, bars in groupby(delivery.prices.to_pylist(), lambda row: row["symbol"]):
        wealth, shares = [], 1.0
        for number, bar in enumerate(bars):
            due = payments.get((symbol, bar["session_date"]), {}) if number else {}
            shares *= due.get(ActionKind.SPLIT, 1.0)
            cash = due.get(ActionKind.DIVIDEND, 0.0) + due.get(ActionKind.CAPITAL_GAIN, 0.0)
            shares += shares * cash / bar["close"]
            wealth.append(shares * bar["close"])
        growth = np.array(wealth) / wealth[-1]
        ours = np.array(series[symbol]) / series[symbol][-1]
        largest = max(largest, float(np.abs(ours / growth - 1).max()))
    assert largest < ROUNDING


def test_over_thirty_years_it_stays_near_the_returns_that_were_drawn(
    series: dict[str, list[float]],
) -> None:
    """Prices in cents, and cash reinvested at the close instead of the eve, is all that differs."""
    first = timeline().position(MARKET.first_session())
    numbers = [number for number in range(60) if f"SIM{number:04d}" in series]
    drawn = paths([instrument(number) for number in numbers], first).log_return
    whole = [
        row
        for row in range(len(numbers))
        if len(series[f"SIM{numbers[row]:04d}"]) == drawn.shape[1]
    ]
    assert len(whole) > 40
    for row in whole:
        ours = np.log(series[f"SIM{numbers[row]:04d}"])
        error = (ours[-1] - ours[0]) - drawn[row, 1:].sum()
        assert abs(error) < 0.02


def _by_symbol_and_day(actions: pa.Table) -> dict[tuple[str, object], dict[str, float]]:
    found: dict[tuple[str, object], dict[str, float]] = {}
    for row in actions.to_pylist():
        found.setdefault((row["symbol"], row["session_date"]), {})[row["kind"]] = row["amount"]
    return found
