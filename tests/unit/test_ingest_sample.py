"""The sample source: exactly what skfolio carries, and nothing that it does not."""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.vocabulary import AssetClass, Source
from pipelines.errors import SessionError
from pipelines.ingest import provider_for, resolve_session
from pipelines.ingest.provider import INSTRUMENT_SCHEMA, PRICE_SCHEMA
from pipelines.ingest.sample import SampleProvider
from pipelines.sessions import sessions_between
from pipelines.settings import load_settings

FIRST, NEWEST = dt.date(1990, 1, 2), dt.date(2022, 12, 28)


def delivered(start: dt.date = FIRST, end: dt.date = NEWEST) -> pa.Table:
    provider = SampleProvider()
    (symbols,) = provider.batches(end)
    return provider.deliver(symbols, start, end).prices


def test_closes_are_those_of_the_packages_own_loaders() -> None:
    from skfolio.datasets import load_factors_dataset, load_sp500_dataset, load_sp500_index

    rows = delivered().to_pandas()
    ours = rows.pivot(index="session_date", columns="symbol", values="close")
    expected_rows = 0
    for panel in (load_sp500_dataset(), load_factors_dataset(), load_sp500_index()):
        theirs = panel.set_axis([stamp.date() for stamp in panel.index])
        assert ((ours.loc[theirs.index, theirs.columns] / theirs - 1).abs() < 1e-12).all(axis=None)
        expected_rows += theirs.size
    assert len(rows) == expected_rows == 185_893


def test_nothing_but_closes_is_delivered() -> None:
    rows = delivered()
    assert rows.schema == PRICE_SCHEMA
    for name in ("open", "high", "low", "volume", "adjusted_return_1d"):
        assert rows[name].null_count == rows.num_rows
    assert rows["close"].null_count == 0
    assert not pc.any(pc.is_nan(rows["close"])).as_py()


def test_each_symbol_has_every_session_from_its_first_to_its_last() -> None:
    rows = delivered().to_pandas()
    for _, days in rows.groupby("symbol")["session_date"]:
        assert list(days) == sessions_between(days.iloc[0], NEWEST)


def test_prices_are_cut_to_the_dates_asked_for() -> None:
    start, end = dt.date(2013, 12, 30), dt.date(2014, 1, 3)
    rows = delivered(start, end)
    assert pc.min_max(rows["session_date"]).as_py() == {"min": start, "max": end}
    assert rows.num_rows == 4 * 21 + 2 * 5


def test_the_reference_knows_exactly_the_symbols_that_have_prices() -> None:
    provider = SampleProvider()
    instruments = provider.instruments()
    assert instruments.schema.names == INSTRUMENT_SCHEMA.names
    priced = set(delivered()["symbol"].to_pylist())
    assert sorted(instruments["symbol"].to_pylist()) == sorted(priced)
    assert len(priced) == 26


def test_the_reference_portfolio_is_equal_over_what_can_be_held() -> None:
    rows = SampleProvider().instruments().to_pylist()
    assert sum(row["reference_weight"] for row in rows) == pytest.approx(1)
    assert {row["reference_weight"] for row in rows if row["tradable"]} == {0.04}
    assert [row["symbol"] for row in rows if not row["tradable"]] == ["SP500"]
    assert {row["asset_class"] for row in rows} <= set(AssetClass)


def test_an_instrument_exists_from_its_first_price_on() -> None:
    first = {
        row["symbol"]: row["first_session"] for row in SampleProvider().instruments().to_pylist()
    }
    assert first["AAPL"] == first["SP500"] == FIRST
    assert first["MTUM"] == dt.date(2014, 1, 2)


@pytest.mark.parametrize("source", list(Source))
def test_every_source_has_a_provider_of_its_own(source: Source) -> None:
    assert provider_for(load_settings({}, source=source)).source is source


def test_without_a_wish_the_session_is_the_newest_one() -> None:
    assert resolve_session(load_settings({})) == NEWEST


def test_a_session_inside_the_data_is_taken_as_it_is() -> None:
    settings = load_settings({}, session="2008-10-13")
    assert resolve_session(settings) == dt.date(2008, 10, 13)


@pytest.mark.parametrize("day", ["1989-12-29", "2022-12-29", "2040-01-03"])
def test_a_session_outside_the_data_is_refused_with_first_and_last(day: str) -> None:
    with pytest.raises(SessionError, match=f"{FIRST} to {NEWEST}"):
        resolve_session(load_settings({}, session=day))


def test_a_holiday_is_refused_with_the_sessions_next_to_it() -> None:
    with pytest.raises(SessionError, match="2022-12-23 and 2022-12-27"):
        resolve_session(load_settings({}, session="2022-12-26"))
