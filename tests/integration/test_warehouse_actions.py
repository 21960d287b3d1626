"""Splits and distributions: no look-ahead, bits of the window alone, and what a holder earned."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from feature_chain import SINGLE, bits, derive_features
from feature_reference import of_closes, reference
from warehouse_inputs import (
    OBSERVED_AT,
    SESSION,
    SESSIONS,
    SYMBOLS,
    action_row,
    actions,
    add_prices,
    append,
    price_rows,
    prices,
    proven_home,
)

from models.lake import ACTIONS
from pipelines.lake.adjustment import Adjustment, adjusted
from pipelines.settings import Settings
from pipelines.warehouse import WarehouseBuild, connect, transform

EVE = SESSIONS[-40]
LONGEST_WINDOW_SESSIONS = 253
LEVEL = re.compile(r"close|[se]ma_\d+|macd_12_26|macd_signal_12_26_9|macd_histogram_12_26_9")
"""Features in USD per share; all others are free of the price level."""

Derive = Callable[..., pa.Table]


def as_traded() -> list[dict[str, Any]]:
    """The usual rows, as if their prices had traded like that."""
    return [row | {"price_basis": "as_traded"} for row in price_rows()]


def events() -> list[dict[str, Any]]:
    """For every symbol: monthly dividends, splits both ways, a gain, and a crowded day."""
    rows = []
    for number, symbol in enumerate(SYMBOLS):
        days = SESSIONS[number + 3 :: 21]
        rows += [action_row(symbol, day, "dividend", 0.004 * 10**number) for day in days]
        rows += [action_row(symbol, SESSIONS[60 + number], "split", 3.0)]
        rows += [action_row(symbol, SESSIONS[200 + number], "split", 0.125)]
        rows += [action_row(symbol, days[4], "capital_gain", 0.02 * 10**number)]
        rows += [action_row(symbol, days[5], "split", 1.5)]
    return rows


@pytest.fixture(scope="module")
def compiled(small_warehouse: Settings) -> Path:
    return small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"


@pytest.fixture
def derive(compiled: Path, tmp_path: Path) -> Derive:
    def run(rows: list[dict[str, Any]], given: list[dict[str, Any]], **arguments: Any) -> pa.Table:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        raw = {"prices": prices(rows), "actions": actions(given)}
        return derive_features(compiled, folder, **raw, **arguments)

    return run


@pytest.mark.parametrize("kind", ["split", "dividend", "capital_gain"])
def test_an_action_leaves_every_feature_up_to_its_eve_bit_identical(
    derive: Derive, kind: str
) -> None:
    rows = as_traded()
    ex_date = SESSIONS[SESSIONS.index(EVE) + 1]
    later = [action_row(symbol, ex_date, kind, 0.05) for symbol in SYMBOLS]
    before, after = derive(rows, events()), derive(rows, events() + later)

    assert bits(after, until=EVE) == bits(before, until=EVE)
    first_after = {key: row for key, row in bits(after, until=ex_date).items() if key[1] == ex_date}
    assert first_after.keys() == {(symbol, ex_date) for symbol in SYMBOLS}
    assert all(bits(before)[key] != row for key, row in first_after.items())


def test_a_build_cut_before_an_action_equals_the_rows_up_to_it_of_a_later_build(
    derive: Derive,
) -> None:
    cut_there = derive(as_traded(), events(), session=EVE)
    assert bits(cut_there) == bits(derive(as_traded(), events()), until=EVE)


def test_actions_and_history_before_the_window_leave_features_bit_identical(
    derive: Derive,
) -> None:
    first = SESSIONS[-LONGEST_WINDOW_SESSIONS]
    inside = [row for row in events() if row["session_date"] > first]
    earlier = [
        action_row(symbol, day, kind, amount)
        for symbol in SYMBOLS
        for day, kind, amount in ((SESSIONS[5], "split", 7.0), (SESSIONS[9], "dividend", 0.123))
    ]
    full = bits(derive(as_traded(), events()))
    other = bits(derive(as_traded(), inside + earlier))
    short = bits(derive([row for row in as_traded() if row["session_date"] >= first], inside))

    for symbol in set(SYMBOLS) - {"OLD"}:
        assert short[symbol, SESSION] == full[symbol, SESSION] == other[symbol, SESSION]


def test_the_number_of_threads_and_the_order_of_actions_leave_no_trace(derive: Derive) -> None:
    one = derive(as_traded(), events(), threads=1)
    assert bits(one) == bits(derive(as_traded(), events()[::-1], threads=2))


def test_a_split_changes_levels_only(derive: Derive) -> None:
    halved = [
        row | {"close": row["close"] / 2} if row["session_date"] > EVE else row
        for row in as_traded()
    ]
    ex_date = SESSIONS[SESSIONS.index(EVE) + 1]
    split = [action_row(symbol, ex_date, "split", 2.0) for symbol in SYMBOLS]
    ours = derive(halved, split).to_pandas().set_index(["symbol", "session_date"])
    unsplit = derive(as_traded(), []).to_pandas().set_index(["symbol", "session_date"])

    after = (ours.index.get_level_values("session_date") > EVE).astype(int)
    for name in ours.columns:
        scale = 2.0**-after if LEVEL.fullmatch(name) else 1.0
        np.testing.assert_allclose(
            ours[name].astype(float),
            unsplit[name].astype(float) * scale,
            rtol=SINGLE,
            atol=1e-11,
            err_msg=name,
        )


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_features_agree_with_those_of_an_independent_total_return_series(
    derive: Derive, symbol: str
) -> None:
    ours = derive(as_traded(), events()).to_pandas().set_index(["symbol", "session_date"])
    ours = ours.loc[symbol]
    series = adjusted(prices(as_traded()), actions(events()), Adjustment.TOTAL_RETURN).to_pandas()
    close = series[series["symbol"] == symbol].set_index("session_date")["close"]
    theirs = reference(of_closes(close, close * np.nan))

    own_terms = ours["close"] / close
    for name in theirs.columns.intersection(ours.columns):
        expected = theirs[name] * (own_terms if LEVEL.fullmatch(name) else 1.0)
        np.testing.assert_array_equal(ours[name].isna(), expected.isna(), err_msg=name)
        np.testing.assert_allclose(
            ours[name].astype(float), expected, rtol=SINGLE, atol=1e-10, err_msg=name
        )
    average = close.rolling(200).mean() * own_terms
    np.testing.assert_allclose(ours["sma_200"], average, rtol=1e-6, err_msg="sma_200")


@pytest.fixture(scope="module")
def build(small_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> WarehouseBuild:
    """All events; AAPL has no bar in the last two sessions, and splits 4 for 1 on the first."""
    settings = proven_home(tmp_path_factory.mktemp("actions") / "home", small_warehouse, traded())
    append(settings, ACTIONS, actions([*events(), SPLIT]))
    return transform(settings, SESSION)


SPLIT = action_row("AAPL", SESSIONS[-2], "split", 4.0)


def traded() -> list[dict[str, Any]]:
    return [
        row
        for row in as_traded()
        if row["symbol"] != "AAPL" or row["session_date"] < SPLIT["session_date"]
    ]


def test_a_build_shows_analysts_the_returns_that_a_holder_earned(build: WarehouseBuild) -> None:
    with connect(build.warehouse_path) as warehouse:
        shown = warehouse.sql("from price order by symbol, session_date").to_arrow_table()
        listed = warehouse.sql("from corporate_action").to_arrow_table()
    series = adjusted(prices(traded()), actions(events()), Adjustment.TOTAL_RETURN)
    worth, returns = series["close"].to_numpy(), shown["simple_return_1d"].to_numpy()
    worst = {
        "simple_return_1d": np.nanmax(np.abs(returns[1:] - (worth[1:] / worth[:-1] - 1))),
        "split_adjusted_close": _worst(shown, "split_adjusted_close", Adjustment.SPLIT),
        "total_return_close": _worst(shown, "total_return_close", Adjustment.TOTAL_RETURN),
    }
    sys.stdout.write(f"largest relative errors of the mart price: {worst}\n")
    assert max(worst.values()) < 1e-12
    assert listed.num_rows == len(events()) + 1
    assert shown["close"].to_pylist() == [row["close"] for row in traded()]


def test_holdings_and_stale_closes_are_told_in_the_shares_of_the_session(
    build: WarehouseBuild,
) -> None:
    with connect(build.warehouse_path) as warehouse:
        held = warehouse.sql(
            "select quantity_micros, price_micros, price_session_date from account_holding "
            "where symbol = 'AAPL'"
        ).fetchall()
    last = [row for row in traded() if row["symbol"] == "AAPL"][-1]
    # 2.5 shares became 10 in an account of whole shares; the close is of before the split.
    price = round(round(last["close"] * 1e6) / 4)
    assert held == [(10_000_000, price, last["session_date"])]


@pytest.mark.long
def test_a_restated_dividend_is_seen_by_the_run_that_knew_it_and_by_no_earlier_one(
    small_warehouse: Settings, tmp_path: Path
) -> None:
    settings = proven_home(tmp_path / "home", small_warehouse, [])
    append(settings, ACTIONS, actions([action_row("KO", EVE, "dividend", 0.5)]))
    add_prices(settings, as_traded())
    before = transform(settings, SESSIONS[-2])
    append(settings, ACTIONS, actions([action_row("KO", EVE, "dividend", 0.25)]))

    assert transform(settings, SESSIONS[-2]).data_snapshot == before.data_snapshot
    after = transform(settings, SESSION)
    assert after.known_at_cut >= OBSERVED_AT > before.known_at_cut
    assert [_amount(build) for build in (before, after)] == [0.5, 0.25]


def _amount(build: WarehouseBuild) -> float:
    with connect(build.warehouse_path) as warehouse:
        [(amount,)] = warehouse.sql("select amount from corporate_action").fetchall()
    return float(amount)


def _worst(shown: pa.Table, name: str, adjustment: Adjustment) -> float:
    theirs = adjusted(prices(traded()), actions(events()), adjustment)["close"].to_numpy()
    return float(np.max(np.abs(shown[name].to_numpy() / theirs - 1)))
