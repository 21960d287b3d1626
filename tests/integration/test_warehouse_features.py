"""The mart features: right, and no bit of it depends on what came or became known later."""

import datetime as dt
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from feature_chain import KEY, SINGLE, agrees, bit_matrix, bits, derive_features
from feature_reference import of_closes, reference
from warehouse_inputs import SESSION, SYMBOLS, price_rows, prices
from whole_market import SESSIONS, another_future, ended_at, the_market

from models.lake import PRICES
from models.panel import EMA_SPANS, SMA_SPANS
from pipelines.ingest.sample import SampleProvider
from pipelines.lake import arrow_schema
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse import build_for, connect

CUTS = (SESSIONS[-2], SESSIONS[-40], SESSIONS[-170])
"""The day before the end, and days with everything still to come; the last is a month's last."""
LONGEST_WINDOW_SESSIONS = 800
ANCHORED = {"obv"}

Derive = Callable[..., pa.Table]


@pytest.fixture(scope="module")
def compiled(small_warehouse: Settings) -> Path:
    return small_warehouse.warehouse / "dbt" / "compiled" / "smartinvest" / "models"


@pytest.fixture(scope="module")
def derive(compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Derive:
    def run(raw: dict[str, pa.Table], **arguments: object) -> pa.Table:
        return derive_features(compiled, tmp_path_factory.mktemp("chain"), **raw, **arguments)

    return run


@pytest.fixture(scope="module")
def market_features(derive: Derive) -> pa.Table:
    return derive(the_market())


@pytest.fixture(scope="module")
def sample_rows() -> pa.Table:
    provider = SampleProvider()
    [symbols] = provider.batches(provider.newest_session())
    delivery = provider.deliver(symbols, provider.first_session(), provider.newest_session())
    frame = delivery.prices.to_pandas()[["symbol", "session_date", "close", "price_basis"]].assign(
        source="sample", known_at_basis="assumed", ingest_session=SESSION
    )
    frame["known_at"] = frame["session_date"].map(cache(available_at))
    return pa.Table.from_pandas(
        frame.reindex(columns=list(PRICES.column_names)), arrow_schema(PRICES), preserve_index=False
    )


def up_to(features: pa.Table, session: dt.date) -> pa.Table:
    return features.filter(pc.less_equal(features["session_date"], session))


def differing_bits(ours: pa.Table, theirs: pa.Table) -> int:
    for name in KEY:
        assert ours[name].equals(theirs[name])
    return int(np.unpackbits((bit_matrix(ours) ^ bit_matrix(theirs)).view(np.uint8)).sum())


def test_no_bit_of_any_feature_depends_on_what_came_after_its_session(
    derive: Derive, market_features: pa.Table
) -> None:
    differing = 0
    for cut, threads in product(CUTS, (1, 2)):
        for world in (another_future(cut), ended_at(cut)):
            features = derive(world, threads=threads)
            differing += differing_bits(up_to(features, cut), up_to(market_features, cut))
    names = [name for name in market_features.column_names if name not in KEY]
    sys.stdout.write(
        f"features checked: {len(names)}, sessions cut: {len(CUTS)}, "
        f"with 1 and with 2 threads, differing bits: {differing}\n"
    )
    assert differing == 0


def test_another_future_changes_every_feature_but_the_calendar(
    derive: Derive, market_features: pa.Table
) -> None:
    cut = CUTS[-1]
    ours = market_features.to_pandas().set_index(list(KEY))
    theirs = derive(another_future(cut)).to_pandas().set_index(list(KEY))
    later = ours.index.intersection(theirs.index)
    later = later[later.get_level_values("session_date") > cut]
    same = [name for name in ours if ours.loc[later, name].equals(theirs.loc[later, name])]
    assert same == [
        *("weekday", "month", "session_of_month", "sessions_to_month_end"),
        *("sessions_to_quarter_end", "days_since_last_session", "days_to_next_session"),
        *("is_half_day", "is_turn_of_month", "is_option_expiry"),
    ]


def test_every_feature_has_a_value_at_the_end_of_a_market_in_which_nothing_is_missing(
    market_features: pa.Table,
) -> None:
    last = market_features.filter(pc.equal(market_features["session_date"], SESSION))
    assert [name for name in last.column_names if last[name].null_count] == []


@pytest.mark.parametrize("cut", CUTS)
def test_a_build_cut_at_a_session_equals_the_rows_up_to_it_of_a_later_build(
    derive: Derive, market_features: pa.Table, cut: dt.date
) -> None:
    features = derive(the_market(), session=cut)
    assert differing_bits(features, up_to(market_features, cut)) == 0


def test_history_before_the_window_leaves_all_but_what_is_anchored_bit_identical(
    derive: Derive, market_features: pa.Table
) -> None:
    market = the_market()
    first = SESSIONS[-LONGEST_WINDOW_SESSIONS]
    kept = pc.greater_equal(market["prices"]["session_date"], first)
    short = derive(market | {"prices": market["prices"].filter(kept)})
    assert short.num_rows < market_features.num_rows
    [ours, theirs] = (
        features.filter(pc.equal(features["session_date"], SESSION)).drop_columns(list(ANCHORED))
        for features in (short, market_features)
    )
    assert differing_bits(ours, theirs) == 0


@pytest.mark.long
def test_the_number_of_threads_and_the_order_of_raw_rows_leave_no_trace(
    derive: Derive, sample_rows: pa.Table
) -> None:
    shuffled = sample_rows.take(np.random.default_rng(3).permutation(sample_rows.num_rows))
    one = derive({"prices": sample_rows}, threads=1)
    two = derive({"prices": shuffled}, threads=2)
    assert one.num_rows == sample_rows.num_rows
    assert differing_bits(one, two) == 0


@pytest.mark.parametrize("symbol", ["AAPL", "XOM"])
def test_features_of_the_sample_agree_with_an_independent_calculation(
    derive: Derive, sample_rows: pa.Table, symbol: str
) -> None:
    recent = sample_rows.filter(
        pc.and_(
            pc.is_in(sample_rows["symbol"], pa.array([symbol, "SP500"])),
            pc.greater_equal(sample_rows["session_date"], SESSIONS[0]),
        )
    )
    ours = derive({"prices": recent}).to_pandas().set_index(list(KEY)).loc[symbol]
    closes = recent.to_pandas().pivot(index="session_date", columns="symbol", values="close")
    theirs = reference(of_closes(closes[symbol], closes["SP500"]))
    assert ours["log_return_1d"].count() == len(SESSIONS) - 1

    for name in theirs.columns.intersection(ours.columns):
        agrees(ours[name], theirs[name])
    close = closes[symbol]
    for span in SMA_SPANS:
        agrees(ours[f"sma_{span}"], close / (1 + theirs[f"close_to_sma_{span}"]), 1e-7)
    for span in EMA_SPANS:
        agrees(ours[f"ema_{span}"], close / (1 + theirs[f"close_to_ema_{span}"]), 1e-7)
    signal = theirs["macd_12_26"] - theirs["macd_histogram_12_26_9"]
    agrees(ours["macd_signal_12_26_9"], signal, 1e-6, 1e-6)
    agrees(ours["macd_to_close"], theirs["macd_12_26"] / close, SINGLE, 1e-9)
    agrees(ours["macd_histogram_to_close"], theirs["macd_histogram_12_26_9"] / close, SINGLE, 1e-9)
    agrees(ours["reversal_5d"], -theirs["log_return_5d"], SINGLE)
    agrees(ours["reversal_21d"], -theirs["log_return_21d"], SINGLE)


def test_a_build_derives_what_the_chain_of_its_parts_derives(
    derive: Derive, small_warehouse: Settings
) -> None:
    build = build_for(small_warehouse, SESSION)
    with connect(build.warehouse_path) as warehouse:
        stored = warehouse.sql("from features order by symbol, session_date").to_arrow_table()
    derived = derive({"prices": prices(price_rows())})
    assert set(stored["symbol"].to_pylist()) == set(SYMBOLS)
    assert bits(stored) == bits(derived)
