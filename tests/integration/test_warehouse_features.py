"""Features are right, and their bits depend on nothing outside their windows."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feature_reference import EMA_WARM_UP_SPANS, features_of
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
    [symbols] = provider.batches(provider.newest_session())
    delivery = provider.deliver(symbols, provider.first_session(), provider.newest_session())
    frame = delivery.prices.to_pandas()[["symbol", "session_date", "close", "price_basis"]].assign(
        source="sample", known_at=OBSERVED_AT, known_at_basis="assumed", ingest_session=SESSION
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
    closes = sample_rows.select(["symbol", "session_date", "close"]).to_pandas()
    theirs = features_of(closes).loc[ours.index]

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
