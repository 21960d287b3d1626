"""Time-weighted and money-weighted returns: by hand, against a solver, and where there is none."""

import datetime as dt
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.optimize import brentq

from pipelines.warehouse.performance import COLUMNS, SINCE_INCEPTION, performance
from pipelines.warehouse.returns import PeriodReturns, WorthSeries, period_returns

YEAR = 365
Row: TypeAlias = tuple[int, float, float]


def series_of(*histories: Sequence[Row]) -> WorthSeries:
    """Histories of (day, worth, flow), one per owner."""
    rows = np.array([row for history in histories for row in history])
    first = np.cumsum([0, *map(len, histories[:-1])])
    return WorthSeries(first, rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2])


def returns_of(*histories: Sequence[Row], start: int | None = None) -> PeriodReturns:
    return period_returns(series_of(*histories), start)


def test_a_deposit_that_doubles_and_one_that_halves_by_hand() -> None:
    """100 becomes 200; 200 more come in and the 400 become 200.

    Linked growth is 2 * 1/2 = 1. With g the growth of half the period, 100 g^2 + 200 g = 200, so
    g = sqrt(3) - 1 and the money grew by g^2 - 1 = 3 - 2 sqrt(3).
    """
    got = returns_of([(0, 100, 100), (50, 400, 200), (100, 200, 0)])
    # The 200 count from the start of day 50, whose growth is 400 / (100 + 200).
    assert got.time_weighted == pytest.approx([400 / 300 * 200 / 400 - 1], rel=1e-15)
    got = returns_of([(0, 100, 100), (49, 200, 0), (50, 400, 200), (100, 200, 0)])
    assert got.time_weighted == pytest.approx([0], abs=1e-15)
    assert got.money_weighted == pytest.approx([3 - 2 * np.sqrt(3)], rel=1e-14)
    assert got.net_flow.tolist() == [300]
    assert got.issue == [""]


def test_the_rate_is_that_of_the_well_known_xirr_example() -> None:
    """The cash flows in Microsoft's documentation of XIRR, whose answer is 0.373362535."""
    first = dt.date(2008, 1, 1)
    flows = [
        (dt.date(2008, 3, 1), 2750),
        (dt.date(2008, 10, 30), 4250),
        (dt.date(2009, 2, 15), 3250),
        (dt.date(2009, 4, 1), 2750),
    ]
    history = [(0, 10_000.0, 10_000.0)]
    history += [((day - first).days, 1.0, -float(out)) for day, out in flows[:-1]]
    history.append(((flows[-1][0] - first).days, float(flows[-1][1]), 0.0))
    got = returns_of(history)
    annual = (1 + got.money_weighted) ** (YEAR / got.days) - 1
    assert annual == pytest.approx([0.373362535], abs=1e-8)


def test_without_flows_both_returns_are_the_growth_of_the_worth() -> None:
    got = returns_of([(0, 100, 100), (400, 150, 0), (800, 120, 0)], start=400)
    assert got.time_weighted == pytest.approx([-0.2], rel=1e-14)
    assert got.money_weighted == pytest.approx([-0.2], rel=1e-13)
    assert got.start_worth.tolist() == [150]
    assert got.net_flow.tolist() == [0]


def test_an_account_may_be_opened_with_a_cost_and_emptied_at_a_gain_within_a_session() -> None:
    got = returns_of([(0, 99, 100), (10, 0, -110)])
    assert got.time_weighted == pytest.approx([0.99 * 110 / 99 - 1], rel=1e-14)
    assert got.money_weighted == pytest.approx([0.1], rel=1e-13)


def test_rates_of_random_histories_are_those_of_brent() -> None:
    dice = np.random.default_rng(5)
    owners, sessions = 200, 15
    shape = (owners, sessions)
    day = np.sort(dice.choice(3000, shape), axis=1) + np.arange(sessions)
    flow = np.where(dice.random(shape) < 0.5, dice.normal(0, 2_000, shape), 0.0)
    flow[:, 0] = dice.uniform(1_000, 50_000, owners)
    growth = np.exp(dice.normal(0.01, 0.1, shape))
    worth = np.empty(shape)
    before = np.zeros(owners)
    for session in range(sessions):
        come, gone = flow[:, session].clip(0), (-flow[:, session]).clip(0)
        gone = np.minimum(gone, 0.5 * (before + come))
        flow[:, session] = come - gone
        worth[:, session] = before = (before + come) * growth[:, session] - gone
    series = WorthSeries(np.arange(owners) * sessions, day.ravel(), worth.ravel(), flow.ravel())
    got = period_returns(series, None)
    assert got.issue == [""] * owners
    for owner in range(owners):
        length = day[owner, -1] - day[owner, 0]
        share = (day[owner, -1] - day[owner]) / length

        def missing(x: float, owner: int = owner, share: npt.NDArray[np.float64] = share) -> float:
            return float(flow[owner] @ np.exp(x * share) - worth[owner, -1])

        expected = np.expm1(brentq(missing, -10, 10, xtol=1e-15, rtol=1e-14))
        assert got.money_weighted[owner] == pytest.approx(expected, rel=1e-11, abs=1e-12)


def test_a_rate_that_is_not_unique_or_does_not_exist_is_not_told() -> None:
    """-100, +230, -132 has the roots 1.1 and 1.2; -100, +100, -100 has none."""
    two = [(0, 1, 100), (50, 1, -230), (100, 0.0, 132)]
    none = [(0, 1, 100), (50, 1, -100), (100, 0.0, 100)]
    fine = [(0, 100, 100), (50, 100, 0), (100, 100, 0)]
    got = returns_of(two, none, fine)
    assert got.issue == ["several_rates", "no_rate", ""]
    assert np.isnan(got.money_weighted).tolist() == [True, True, False]


def test_a_rate_far_below_zero_is_found() -> None:
    got = returns_of([(0, 100, 100), (100, 1e-4, 0)])
    assert got.money_weighted == pytest.approx([1e-6 - 1], abs=1e-15)


def test_what_was_worth_nothing_or_had_no_price_has_no_return_and_says_why() -> None:
    worthless = [(0, 100, 100), (10, 0, 0), (20, 50, 0)]
    unpriced = [(0, 100, 100), (10, np.nan, 0), (20, 50, 0)]
    late = [(15, 100, 100), (20, 50, 0)]
    new = [(20, 50, 50)]
    got = returns_of(worthless, unpriced, late, new)
    assert got.issue == ["worthless", "unpriced", "", "no_history"]
    assert np.isnan(got.time_weighted).tolist() == [True, True, False, True]
    got = returns_of(worthless, unpriced, late, new, start=10)
    assert got.issue == ["worthless", "unpriced", "no_history", "no_history"]
    assert np.isnan(got.start_worth).tolist() == [False, True, True, True]


def test_one_owner_does_not_change_anothers_bits() -> None:
    one = [(0, 100.0, 100.0), (30, 130.0, 20.0), (90, 111.1, 0.0)]
    two = [(5, 7.0, 7.0), (31, 9.0, 3.0), (90, 8.0, -1.0)]
    alone, both = returns_of(one), returns_of(two, one)
    for name in ("time_weighted", "money_weighted"):
        assert getattr(alone, name)[0].tobytes() == getattr(both, name)[1].tobytes()


def worth_rows(*rows: tuple[str, str, dt.date, int | None, int | None]) -> pa.Table:
    names = ("owner_kind", "owner_id", "session_date", "worth_micros", "flow_micros")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    columns["client_id"] = ["c"] * len(rows)
    return pa.table(columns)


PERIODS = pa.table({"period": ["1_month"], "start_session_date": [dt.date(2020, 2, 3)]})


def test_the_table_of_returns_has_each_owner_and_period_once() -> None:
    table = performance(
        worth_rows(
            ("account", "a", dt.date(2020, 1, 2), 100_000_000, 100_000_000),
            ("account", "a", dt.date(2020, 2, 3), 110_000_000, 0),
            ("account", "a", dt.date(2020, 3, 3), 121_000_000, 0),
            ("goal", "a", dt.date(2020, 3, 3), None, 1),
        ),
        PERIODS,
    )
    keys = zip(*(table[n].to_pylist() for n in ("owner_kind", "period", "issue")), strict=True)
    assert sorted(keys, key=str) == [
        ("account", "1_month", None),
        ("account", SINCE_INCEPTION, None),
        ("goal", "1_month", "no_history"),
        ("goal", SINCE_INCEPTION, "no_history"),
    ]
    of_account = table.filter(pc.equal(table["owner_kind"], "account")).to_pylist()
    returns = {row["period"]: row["time_weighted_return"] for row in of_account}
    assert returns == pytest.approx({"1_month": 0.1, SINCE_INCEPTION: 0.21}, rel=1e-14)


def test_a_fortune_beyond_exact_micros_has_its_return() -> None:
    odd_trillion = 10**18 + 1
    table = performance(
        worth_rows(
            ("account", "a", dt.date(2020, 1, 2), odd_trillion, odd_trillion),
            ("account", "a", dt.date(2020, 3, 3), 2 * odd_trillion, 0),
        ),
        PERIODS,
    )
    [row] = [row for row in table.to_pylist() if row["period"] == SINCE_INCEPTION]
    assert (row["net_flow"], row["end_worth"]) == (1e12, 2e12)
    assert row["time_weighted_return"] == 1.0


def test_without_any_owner_the_table_is_empty() -> None:
    nobody = worth_rows(("account", "a", dt.date(2020, 1, 2), 1, 1)).slice(0, 0)
    assert performance(nobody, PERIODS).schema == COLUMNS
