"""Adjusted prices are those that a holder of one share would compute from statements."""

import datetime as dt
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.lake import ACTIONS, PRICES
from pipelines.lake.adjustment import Adjustment, adjusted, comparable
from pipelines.lake.rows import arrow_schema
from pipelines.sessions import available_at, sessions_between

DAYS = sessions_between(dt.date(2024, 1, 2), dt.date(2024, 1, 12))
Action = tuple[str, dt.date, str, float | None]


def bars(symbol: str, closes: Sequence[float], basis: str = "as_traded") -> list[dict[str, Any]]:
    """One bar a session; the open is a dollar below the close, and there is no high."""
    return [
        dict.fromkeys(PRICES.column_names)
        | {"source": "simulated", "symbol": symbol, "session_date": day, "price_basis": basis}
        | {"open": close - 1, "close": close, "volume": 1000.0, "ingest_session": day}
        | {"known_at": available_at(day), "known_at_basis": "assumed"}
        for day, close in zip(DAYS, closes, strict=False)
    ]


def prices(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), arrow_schema(PRICES))


def actions(*given: Action) -> pa.Table:
    rows = [
        {"source": "simulated", "symbol": symbol, "session_date": day, "kind": kind}
        | {"amount": amount, "known_at": available_at(day), "known_at_basis": "assumed"}
        | {"ingest_session": day}
        for symbol, day, kind, amount in given
    ]
    return pa.Table.from_pylist(rows, arrow_schema(ACTIONS))


HAND_MADE = prices(bars("A", [100, 50, 48, 12, 11, 110, 99]) + bars("B", [10, 20, 40]))
"""A is worth the same to its holder every day but the last; B has no actions."""

HAND_MADE_ACTIONS = actions(
    ("A", DAYS[1], "split", 2.0),
    ("A", DAYS[2], "dividend", 2.0),
    ("A", DAYS[3], "split", 3.0),
    ("A", DAYS[3], "dividend", 4.0),
    ("A", DAYS[4], "capital_gain", 0.75),
    ("A", DAYS[4], "dividend", 0.25),
    ("A", DAYS[5], "split", 0.1),
)
"""2 for 1; 2 USD; 3 for 1 with 4 USD on each new share; 1 USD in two kinds; 1 for 10."""


def total_returns(rows: pa.Table, given: pa.Table) -> Any:
    """Each row's return since the row before, from prices in total-return terms."""
    worth = adjusted(rows, given, Adjustment.TOTAL_RETURN)["close"].to_numpy()
    return np.r_[np.nan, worth[1:] / worth[:-1] - 1]


def test_a_holder_whose_wealth_never_moved_has_no_return_until_the_fall() -> None:
    returns = total_returns(HAND_MADE, HAND_MADE_ACTIONS)
    np.testing.assert_allclose(returns[1:7], [0, 0, 0, 0, 0, -0.1], atol=1e-15)
    assert returns[8:].tolist() == [1.0, 1.0]


def test_split_adjusted_prices_are_in_the_shares_of_the_last_bar() -> None:
    rows = adjusted(HAND_MADE, HAND_MADE_ACTIONS, Adjustment.SPLIT)
    # One share of the first day is 2 x 3 / 10 = 0.6 of the last.
    np.testing.assert_allclose(
        rows["close"].to_numpy()[:7],
        [100 / 0.6, 50 / 0.3, 48 / 0.3, 12 / 0.1, 11 / 0.1, 110, 99],
        rtol=1e-15,
    )
    np.testing.assert_allclose(rows["open"].to_numpy()[:2], [99 / 0.6, 49 / 0.3], rtol=1e-15)
    np.testing.assert_allclose(rows["volume"].to_numpy()[:4], [600, 300, 300, 100], rtol=1e-15)
    assert rows["high"].null_count == rows.num_rows
    assert rows["close"].to_pylist()[7:] == [10, 20, 40]


def test_total_return_prices_rise_by_the_total_returns_and_end_at_the_last_close() -> None:
    rows = adjusted(HAND_MADE, HAND_MADE_ACTIONS, Adjustment.TOTAL_RETURN)
    np.testing.assert_allclose(rows["close"].to_numpy()[:7], [110] * 6 + [99], rtol=1e-14)
    shares = adjusted(HAND_MADE, HAND_MADE_ACTIONS, Adjustment.SPLIT)["volume"]
    assert rows["volume"] == shares


def test_prices_that_are_not_adjusted_stay_what_they_are() -> None:
    assert adjusted(HAND_MADE, HAND_MADE_ACTIONS, Adjustment.NONE) is HAND_MADE
    assert adjusted(HAND_MADE, actions(), Adjustment.TOTAL_RETURN) == HAND_MADE


def test_what_the_prices_contain_already_is_not_applied_again() -> None:
    given = actions(("A", DAYS[1], "split", 2.0), ("A", DAYS[1], "dividend", 10.0))
    split_adjusted = prices(bars("A", [50, 40], "split_adjusted"))
    assert total_returns(split_adjusted, given)[1] == 0
    everything = prices(bars("A", [50, 40], "total_return"))
    assert total_returns(everything, given)[1] == pytest.approx(-0.2, abs=1e-15)


def test_actions_in_a_hole_count_at_the_next_bar_in_the_order_of_their_dates() -> None:
    rows = prices([row for row in bars("A", [100, 0, 0, 0, 30]) if row["close"]])
    given = actions(
        ("A", DAYS[1], "dividend", 5.0),
        ("A", DAYS[2], "split", 2.0),
        ("A", DAYS[3], "dividend", 20.0),
    )
    # 100 -> 5 USD, then two shares of 20 USD and 30 each.
    assert total_returns(rows, given)[1] == pytest.approx((5 + 40 + 60) / 100 - 1, abs=1e-15)


def test_actions_outside_a_symbols_bars_withdrawn_ones_and_strangers_change_nothing() -> None:
    given = actions(
        ("A", DAYS[0], "split", 2.0),
        ("A", DAYS[3], "dividend", 1.0),
        ("A", DAYS[1], "dividend", None),
        ("Z", DAYS[1], "split", 3.0),
    )
    rows = prices(bars("A", [10, 11, 12]) + bars("B", [10, 11, 12]))
    assert adjusted(rows, given, Adjustment.TOTAL_RETURN) == rows


def test_bars_of_another_basis_than_their_symbols_first_cannot_be_compared() -> None:
    changing = bars("A", [10, 11]) + bars("B", [10, 11, 12])
    changing[3]["price_basis"] = "split_adjusted"
    kept = comparable(prices(changing))
    assert kept == prices([row for number, row in enumerate(changing) if number != 3])
    assert comparable(prices([])).num_rows == 0


def test_unsorted_prices_are_refused() -> None:
    backwards = HAND_MADE.take(list(range(HAND_MADE.num_rows))[::-1])
    with pytest.raises(ValueError, match="sorted"):
        total_returns(backwards, HAND_MADE_ACTIONS)


@pytest.mark.parametrize("seed", range(5))
def test_returns_are_those_of_exact_bookkeeping_share_by_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    days = sessions_between(dt.date(2015, 1, 2), dt.date(2019, 12, 31))
    rows, given, wealth = [], [], []
    for symbol in ("A", "B", "C"):
        closes = np.round(np.exp(np.cumsum(rng.normal(0, 0.02, len(days)))) * 80, 2)
        kept = rng.random(len(days)) > 0.1
        kept[[0, -1]] = True
        own: list[Action] = []
        for day in days:
            if rng.random() < 0.03:
                own.append((symbol, day, "dividend", round(float(rng.uniform(0.01, 3)), 3)))
            if rng.random() < 0.005:
                own.append((symbol, day, "capital_gain", round(float(rng.uniform(0.01, 9)), 3)))
            if rng.random() < 0.01:
                own.append((symbol, day, "split", float(rng.choice([0.1, 0.5, 1.5, 2, 3, 20]))))
        bar = [
            bars(symbol, [1.0])[0] | {"session_date": day, "close": close}
            for day, close, keep in zip(days, closes.tolist(), kept, strict=True)
            if keep
        ]
        rows += bar
        given += own
        wealth.append(_statement(bar, own))
    table = prices(rows)
    shuffled = actions(*given).take(rng.permutation(len(given)))
    ours = adjusted(table, shuffled, Adjustment.TOTAL_RETURN)["close"].to_numpy()
    theirs = np.concatenate(wealth)
    worst = np.abs(ours / theirs - 1).max()
    sys.stdout.write(
        f"{len(given)} actions, {len(rows)} bars: largest relative error {worst:.1e}\n"
    )
    assert worst < 1e-12


def _statement(bar: Sequence[dict[str, Any]], given: Sequence[Action]) -> list[float]:
    """Book one share day by day in exact fractions, and scale its worth to the last close."""
    shares, worths = Fraction(1), []
    last = bar[0]["session_date"]
    for row in bar:
        day, close = row["session_date"], Fraction(row["close"])
        cash = Fraction(0)
        dated = sorted((a for a in given if last < a[1] <= day), key=lambda a: a[1])
        for when in dict.fromkeys(action[1] for action in dated):
            today = {kind: Fraction(amount) for _, d, kind, amount in dated if d == when}
            shares *= today.get("split", 1)
            cash += shares * (today.get("dividend", 0) + today.get("capital_gain", 0))
        shares += cash / close
        worths.append(shares * close)
        last = day
    return [float(worth / worths[-1] * close) for worth in worths]
