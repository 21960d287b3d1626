"""The paper broker: trades of a published run, filled at the next session's closes."""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa
from fill_examples import add_client, state, statuses
from new_stores import make_store
from stored import read_current
from warehouse_inputs import SESSION, add_prices, price_row

from models.store_inputs import HOLDING
from models.store_ledger import TRANSACTION
from models.vocabulary import CASH, MICROS
from pipelines.errors import RebalanceError
from pipelines.fills import paper_fills
from pipelines.sessions import available_at, session_after
from pipelines.settings import Settings, load_settings
from pipelines.store import transaction

BEFORE = session_after(SESSION, -1)
"""Session of the advice; the lake has the closes of the one after it."""
CLOSES = {"AAPL": 130.0, "KO": 65.4321}


@pytest.fixture(params=["sqlite", "postgresql"])
def ada(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    return home_of(tmp_path, url)


@pytest.fixture
def sqlite_ada(tmp_path: Path) -> Settings:
    return home_of(tmp_path, "")


def home_of(tmp_path: Path, store_url: str) -> Settings:
    settings = load_settings({}, home=tmp_path / "home", store_url=store_url)
    settings.home.mkdir(parents=True)
    make_store(settings)
    add_closes(settings, BEFORE, {"AAPL": 125.0, "KO": 60.0})
    add_client(settings, BEFORE)
    return settings


def add_closes(settings: Settings, session: dt.date, closes: dict[str, float]) -> None:
    add_prices(settings, [price_row(symbol, session, close) for symbol, close in closes.items()])


def held(settings: Settings, account_id: str = "taxable") -> dict[str, int]:
    rows = read_current(settings, HOLDING).to_pylist()
    return {
        row["symbol"]: row["quantity_micros"] for row in rows if row["account_id"] == account_id
    }


def test_trades_are_filled_at_the_next_sessions_closes(ada: Settings) -> None:
    add_closes(ada, SESSION, CLOSES)
    report = paper_fills(ada)
    assert (report.executed_on, report.sent, report.filled, report.expired) == (SESSION, 3, 3, 0)
    assert set(statuses(ada).values()) == {"filled"}
    # 5,000 + 520.00 - 0.26 - 523.46 - 0.26
    assert held(ada) == {CASH: 4_996_020_000, "AAPL": 6 * MICROS, "KO": 13 * MICROS}
    assert held(ada, "ira")["KO"] == 2 * MICROS
    rows = read_current(ada, TRANSACTION).to_pylist()
    assert {row["price_micros"] for row in rows} == {130_000_000, 65_432_100}
    assert {row["trade_date"] for row in rows} == {SESSION}
    assert {row["recorded_at"] for row in rows} == {available_at(SESSION)}


def test_a_second_call_changes_nothing(ada: Settings) -> None:
    add_closes(ada, SESSION, CLOSES)
    paper_fills(ada)
    before = state(ada)
    report = paper_fills(ada)
    assert state(ada) == before
    assert (report.sent, report.filled, report.expired) == (0, 0, 0)


def test_before_the_next_session_trades_are_sent_and_wait(sqlite_ada: Settings) -> None:
    report = paper_fills(sqlite_ada, BEFORE)
    assert (report.has_prices, report.sent, report.filled) == (False, 3, 0)
    assert set(statuses(sqlite_ada).values()) == {"sent"}
    add_closes(sqlite_ada, SESSION, CLOSES)
    report = paper_fills(sqlite_ada, BEFORE)
    assert (report.sent, report.filled) == (0, 3)


def test_a_share_is_filled_in_whole_lots_and_the_rest_expires(sqlite_ada: Settings) -> None:
    add_closes(sqlite_ada, SESSION, CLOSES)
    report = paper_fills(sqlite_ada, BEFORE, Fraction(2, 5))
    # 1.6 of 4, 3.2 of 8 and 0.8 of 2 shares.
    assert held(sqlite_ada)["AAPL"] == 9 * MICROS
    assert held(sqlite_ada)["KO"] == 8 * MICROS
    assert "KO" not in held(sqlite_ada, "ira")
    assert (report.partly_filled, report.expired) == (2, 3)
    assert set(statuses(sqlite_ada).values()) == {"expired"}


def test_a_sell_of_what_is_not_held_any_more_is_rejected_and_counted(sqlite_ada: Settings) -> None:
    add_closes(sqlite_ada, SESSION, CLOSES)
    with transaction(sqlite_ada) as store:
        store.execute(sa.text("UPDATE holding SET quantity_micros = 3000000 WHERE symbol = 'AAPL'"))
    report = paper_fills(sqlite_ada)
    assert (report.filled, report.rejected, report.expired) == (2, 1, 1)
    assert held(sqlite_ada)["AAPL"] == 3 * MICROS


def test_nothing_is_filled_if_told_so(sqlite_ada: Settings) -> None:
    add_closes(sqlite_ada, SESSION, CLOSES)
    before = held(sqlite_ada)
    report = paper_fills(sqlite_ada, BEFORE, Fraction(0))
    assert (report.sent, report.filled, report.expired) == (3, 0, 3)
    assert held(sqlite_ada) == before


def test_buys_are_cut_to_what_the_cash_pays_for(sqlite_ada: Settings) -> None:
    add_closes(sqlite_ada, SESSION, CLOSES | {"KO": 400.0})
    paper_fills(sqlite_ada)
    # 500 dollars pay for one share of 400 with its fee, not for two.
    assert held(sqlite_ada, "ira") == {CASH: 99_800_000, "KO": MICROS}


def test_a_symbol_without_a_close_is_not_filled(sqlite_ada: Settings) -> None:
    add_closes(sqlite_ada, SESSION, {"AAPL": 130.0})
    report = paper_fills(sqlite_ada)
    assert (report.filled, report.expired) == (1, 2)


def test_without_a_published_run_there_is_nothing_to_fill(sqlite_ada: Settings) -> None:
    with pytest.raises(RebalanceError, match="no advice is published"):
        paper_fills(sqlite_ada, SESSION)
