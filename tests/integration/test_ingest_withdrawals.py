"""What a source stops telling of: from the next ingest on it no longer counts, before it did."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from made_up_market import SESSIONS, MadeUpMarket

from models.vocabulary import Arrival
from pipelines.ingest import ingest
from pipelines.ingest.provider import ACTION_SCHEMA, Delivery
from pipelines.lake.adjustment import Adjustment
from pipelines.lake.views import prices_as_of
from pipelines.settings import Settings, load_settings

FIRST, EX_DATE, SECOND = SESSIONS[20], SESSIONS[10], SESSIONS[21]


class PayingMarket(MadeUpMarket):
    """A market that is polled, in which ACME pays a tenth of its price once."""

    arrival = Arrival.POLLED
    tells = True

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        whole = super().deliver(symbols, start, end)
        paid = [{"symbol": "ACME", "session_date": EX_DATE, "kind": "dividend", "amount": 10.0}]
        actions = pa.Table.from_pylist(paid if self.tells else [], schema=ACTION_SCHEMA)
        return Delivery(whole.prices, actions, origin=whole.origin)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path, source="simulated")


def adjusted_by(home: Settings, session: dt.date) -> float:
    """What share of the first close the total-return series leaves, as a run of a session sees."""
    closes = [
        prices_as_of(home, ["ACME"], session, adjustment=adjustment)["close"][0].as_py()
        for adjustment in (Adjustment.TOTAL_RETURN, Adjustment.NONE)
    ]
    return float(closes[0] / closes[1])


def test_a_dividend_that_the_source_takes_back_stops_adjusting(home: Settings) -> None:
    market = PayingMarket()
    ingest(home, FIRST, market)
    before = adjusted_by(home, FIRST)
    assert before < 0.95
    market.tells = False
    ingest(home, SECOND, market)
    assert adjusted_by(home, SECOND) == 1.0
    assert adjusted_by(home, FIRST) == before


def test_a_dividend_stays_while_its_symbol_cannot_be_fetched(home: Settings) -> None:
    market = PayingMarket()
    ingest(home, FIRST, market)
    before = adjusted_by(home, FIRST)
    market.tells = False
    market.drop(lambda bar: bar["symbol"] == "ACME")
    ingest(home, SECOND, market)
    assert adjusted_by(home, SECOND) == before
