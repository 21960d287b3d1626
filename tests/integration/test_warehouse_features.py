"""Features are right, and their bits depend on nothing outside their windows."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_inputs import (
    OBSERVED_AT,
    SESSION,
    SESSIONS,
    SYMBOLS,
    bit_matrix,
    bits,
    closes,
    derive_features,
    price_row,
    price_rows,
    prices,
)

from models.lake import PRICES
from pipelines.ingest.sample import SampleProvider
from pipelines.lake import arrow_schema
from pipelines.settings import Settings
from pipelines.warehouse import build_for, connect

CUT = SESSIONS[-30]
LONGEST_WINDOW_SESSIONS = 253
EMA_WARM_UP_SPANS = 4

Derive = Callable[..., pa.Table]


@pytest.fixture(scope="module")
def compiled(small_warehouse: Settings) -> Path:
    return small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"


@pytest.fixture
def derive(compiled: Path, tmp_path: Path) -> Derive:
    def run(rows: pa.Table, **arguments: object) -> pa.Table:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return derive_features(compiled, folder, rows, **arguments)

    return run


@pytest.fixture(scope="module")
def sample_rows() -> pa.Table:
    provider = SampleProvider()
    delivered = provider.prices(provider.first_session(), provider.newest_session()).to_pandas()
    frame = delivered[["symbol", "session_date", "close"]].assign(
        source="sample", known_at=OBSERVED_AT, known_at_basis="assumed"
    )
    return pa.Table.from_pandas(
        frame.reindex(columns=list(PRICES.column_names)), arrow_schema(PRICES), preserve_index=False
    )


def changed_after(date: dt.date) -> pa.Table:
    return prices(
        [
            row | {"close": row["close"] * 1.7} if row["session_date"] > date else row
            for row in price_rows()
        ]
    )


def ended_at(date: dt.date) -> pa.Table:
    return prices([row for row in price_rows() if row["session_date"] <= date])


def with_holes_after(date: dt.date) -> pa.Table:
    return prices(
        [
            row
            for row in price_rows()
            if row["session_date"] <= date or row["session_date"].day % 2 == 0
        ]
    )


def with_a_newcomer_after(date: dt.date) -> pa.Table:
    path = closes(seed=9)["KO"]
    newcomer = [
        price_row("NEW", session, close)
        for session, close in zip(SESSIONS, path, strict=True)
        if session > date
    ]
    return prices(price_rows() + newcomer)


@pytest.mark.parametrize(
    "change", [changed_after, ended_at, with_holes_after, with_a_newcomer_after]
)
def test_what_happens_after_a_session_leaves_its_features_bit_identical(
    derive: Derive, change: Callable[[dt.date], pa.Table]
) -> None:
    before = bits(derive(prices(price_rows())), until=CUT)
    after = derive(change(CUT))

    assert bits(after, until=CUT) == before
    assert bits(after) != bits(derive(prices(price_rows())))


def test_a_build_cut_at_a_session_equals_the_rows_up_to_it_of_a_later_build(
    derive: Derive,
) -> None:
    rows = prices(price_rows())
    assert bits(derive(rows, session=CUT)) == bits(derive(rows), until=CUT)


def test_history_before_the_window_leaves_features_bit_identical(derive: Derive) -> None:
    first = SESSIONS[-LONGEST_WINDOW_SESSIONS]
    short = derive(prices([row for row in price_rows() if row["session_date"] >= first]))
    wild = derive(
        prices(
            [
                row | {"close": row["close"] * 1e5} if row["session_date"] < first else row
                for row in price_rows()
            ]
        )
    )
    full = bits(derive(prices(price_rows())))

    last = [(symbol, SESSION) for symbol in SYMBOLS if symbol != "OLD"]
    for key in last:
        assert bits(short)[key] == full[key] == bits(wild)[key]


def test_the_number_of_threads_and_the_order_of_raw_rows_leave_no_trace(
    derive: Derive, sample_rows: pa.Table
) -> None:
    shuffled = sample_rows.take(np.random.default_rng(3).permutation(sample_rows.num_rows))
    one, two = derive(sample_rows, threads=1), derive(shuffled, threads=2)
    assert one.num_rows == sample_rows.num_rows
    assert one["symbol"] == two["symbol"]
    assert one["session_date"] == two["session_date"]
    np.testing.assert_array_equal(bit_matrix(one), bit_matrix(two))


def test_features_of_the_sample_agree_with_an_independent_calculation(
    derive: Derive, sample_rows: pa.Table
) -> None:
    ours = derive(sample_rows).to_pandas().set_index(["symbol", "session_date"])
    frame = sample_rows.select(["symbol", "session_date", "close"]).to_pandas()
    by_symbol = {
        symbol: reference(group.sort_values("session_date").set_index("session_date")["close"])
        for symbol, group in frame.groupby("symbol")
    }
    theirs = pd.concat(by_symbol, names=["symbol", "session_date"])
    momentum = theirs["momentum_12_1"].groupby("session_date")
    theirs["momentum_rank"] = (momentum.rank(method="min") - 1) / (
        momentum.transform("count") - 1
    ).replace(0, np.nan)
    theirs = theirs.loc[ours.index]

    assert set(theirs.columns) == set(ours.columns)
    for name in theirs.columns:
        assert (ours[name].isna() == theirs[name].isna()).all(), name
        # A ratio less 1 is exact to the rounding of 1, whatever is left of it.
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("span", [10, 21, 50])
def test_an_ema_is_that_of_pandas_over_its_warm_up_window_alone(
    derive: Derive, sample_rows: pa.Table, span: int
) -> None:
    window = EMA_WARM_UP_SPANS * span
    of_ko = sample_rows.filter(pa.compute.equal(sample_rows["symbol"], "KO"))
    ours = derive(of_ko).to_pandas()
    close = ours["close"]
    assert ours[f"ema_{span}"].isna().sum() == window - 1
    for end in range(window, len(close), 501):
        theirs = close.iloc[end - window : end].ewm(span=span).mean().iloc[-1]
        assert ours[f"ema_{span}"].iloc[end - 1] == pytest.approx(theirs, rel=1e-12)


def test_a_build_derives_what_the_compiled_sql_derives(
    derive: Derive, small_warehouse: Settings
) -> None:
    build = build_for(small_warehouse, SESSION)
    exported = pq.read_table(build.features_path)
    with connect(build.warehouse_path) as warehouse:
        stored = warehouse.sql("from features order by symbol, session_date").to_arrow_table()
    assert bits(exported) == bits(stored) == bits(derive(prices(price_rows())))


def reference(close: pd.Series) -> pd.DataFrame:
    """All features of one symbol but its rank, from whole windows in NumPy and pandas."""
    log_return = np.log(close / close.shift())
    columns = {"close": close}
    for n in (1, 5, 21, 63, 252):
        columns[f"log_return_{n}d"] = np.log(close / close.shift(n))
    for n in (5, 10, 21, 50, 200):
        columns[f"sma_{n}"] = rolled(close, n, lambda windows: windows.mean(axis=1))
        columns[f"close_to_sma_{n}"] = close / columns[f"sma_{n}"] - 1
    for n in (10, 21, 50):
        weights = (1 - 2 / (n + 1)) ** np.arange(EMA_WARM_UP_SPANS * n)[::-1]
        columns[f"ema_{n}"] = rolled(close, len(weights), weighted_by(weights))
        columns[f"close_to_ema_{n}"] = close / columns[f"ema_{n}"] - 1
    columns["ema_cross_10_50"] = columns["ema_10"] / columns["ema_50"] - 1
    for n in (21, 63):
        deviation = rolled(log_return, n, lambda windows: windows.std(axis=1, ddof=1))
        columns[f"vol_{n}d_annual"] = deviation * np.sqrt(252)
    columns["sma_cross_10_50"] = columns["sma_10"] / columns["sma_50"] - 1
    columns["sma_cross_50_200"] = columns["sma_50"] / columns["sma_200"] - 1
    columns["momentum_12_1"] = np.log(close.shift(21) / close.shift(252))
    columns["reversal_21d"] = -columns["log_return_21d"]
    columns["drawdown_252d"] = close / close.rolling(252).max() - 1
    return pd.DataFrame(columns)


def weighted_by(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda windows: windows @ weights / weights.sum()


def rolled(
    series: pd.Series, window: int, function: Callable[[np.ndarray], np.ndarray]
) -> pd.Series:
    windows = np.lib.stride_tricks.sliding_window_view(series.to_numpy(), window)
    return pd.Series(function(windows), series.index[window - 1 :]).reindex(series.index)
