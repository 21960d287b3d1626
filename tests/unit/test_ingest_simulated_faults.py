"""The catalogue of faults: each spoils its own symbol, and says truly what it spoiled."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.errors import SettingError
from pipelines.ingest.simulated import SimulatedProvider, simulated_provider
from pipelines.ingest.simulated.faults import (
    CATALOGUE,
    SYMBOL_FAULTS,
    Boundary,
    FaultyProvider,
    Injection,
    SymbolFault,
    by_name,
)
from pipelines.sessions import session_after
from pipelines.settings import load_settings

MARKET = SimulatedProvider(symbols=30, years=3)
FIRST, NEWEST = MARKET.first_session(), MARKET.newest_session()
DAY = dt.date(2024, 6, 3)
SYMBOL, OTHER = "SIM0013", "SIM0016"
BATCH = [SYMBOL, OTHER, "SIM0001"]

AT_THE_END = {"future_bar", "unfinished_bar"}
LATER = {"history_restated", "bar_restated"}


def injected(fault: SymbolFault, severity: float, day: dt.date = DAY) -> FaultyProvider:
    return FaultyProvider(MARKET, [Injection(fault, severity, SYMBOL, day, OTHER)])


def frames(rows: pa.Table) -> dict[str, pd.DataFrame]:
    return {str(symbol): part for symbol, part in rows.to_pandas().groupby("symbol")}


def test_there_are_enough_kinds_at_every_boundary() -> None:
    assert len(CATALOGUE) >= 25
    assert {fault.boundary for fault in CATALOGUE.values()} == set(Boundary)


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=CATALOGUE)
def test_a_ladder_ascends_and_holds_the_severity_that_matters(fault: SymbolFault) -> None:
    assert list(fault.ladder) == sorted(set(fault.ladder))
    assert fault.ladder[0] <= fault.matters_from <= fault.ladder[-1]
    assert (len(fault.ladder) > 1) == bool(fault.unit)


@pytest.mark.parametrize("fault", SYMBOL_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_spoils_its_symbol_at_every_severity_and_no_other(fault: SymbolFault) -> None:
    if fault.name in LATER:
        end, day = NEWEST, session_after(NEWEST, -5)
    else:
        end = DAY if fault.name in AT_THE_END else NEWEST
        day = DAY
    clean = MARKET.deliver(BATCH, FIRST, end)
    for severity in fault.ladder:
        spoiled = injected(fault, severity, day).deliver(BATCH, FIRST, end)
        for name in ("prices", "actions"):
            table: pa.Table = getattr(spoiled, name)
            assert table.schema == getattr(clean, name).schema
            others = table.filter(pc.field("symbol") != SYMBOL)
            assert others.equals(getattr(clean, name).filter(pc.field("symbol") != SYMBOL))
        assert not (
            _of_symbol(spoiled.prices).equals(_of_symbol(clean.prices))
            and _of_symbol(spoiled.actions).equals(_of_symbol(clean.actions))
        )


def _of_symbol(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.field("symbol") == SYMBOL).combine_chunks()


@pytest.mark.parametrize("fault", SYMBOL_FAULTS, ids=lambda fault: fault.name)
def test_rows_before_the_first_wrong_one_are_clean(fault: SymbolFault) -> None:
    end = DAY if fault.name in AT_THE_END else NEWEST
    provider = injected(fault, fault.matters_from)
    (truth,) = provider.truths(end).values()
    assert truth.thing == SYMBOL
    assert truth.first <= truth.last
    # Some begin with a hole, or with a split that is told of twice: those are not wrong.
    before = pc.field("session_date") < pa.scalar(min(truth.first, DAY))
    clean, spoiled = (
        _of_symbol(one.deliver([SYMBOL], FIRST, end).prices.filter(before))
        for one in (MARKET, provider)
    )
    assert spoiled.equals(clean)


def test_a_fault_waits_for_its_day() -> None:
    provider = injected(CATALOGUE["bad_bar"], 0.5)
    before = session_after(DAY, -1)
    clean = MARKET.deliver(BATCH, FIRST, before)
    assert provider.deliver(BATCH, FIRST, before).prices.equals(clean.prices)
    assert provider.truths(before) == {}


def test_a_bad_bar_is_wrong_by_its_severity() -> None:
    severity = 0.25
    spoiled = injected(CATALOGUE["bad_bar"], severity).deliver([SYMBOL], DAY, DAY).prices
    clean = MARKET.deliver([SYMBOL], DAY, DAY).prices
    ratio = spoiled["close"][0].as_py() / clean["close"][0].as_py()
    assert abs(ratio - 1) == pytest.approx(severity, abs=1e-3)


def test_a_lost_split_halves_the_price_and_leaves_no_action() -> None:
    spoiled = injected(CATALOGUE["split_lost"], 2).deliver([SYMBOL], FIRST, NEWEST)
    clean = MARKET.deliver([SYMBOL], FIRST, NEWEST)
    from_day = pc.field("session_date") >= pa.scalar(DAY)
    ratio = pc.divide(
        spoiled.prices.filter(from_day)["close"], clean.prices.filter(from_day)["close"]
    )
    assert ratio.to_pylist() == pytest.approx([0.5] * len(ratio))
    assert spoiled.actions.num_rows == clean.actions.num_rows
    assert spoiled.prices["adjusted_return_1d"].equals(clean.prices["adjusted_return_1d"])


def test_an_unfinished_bar_is_whole_the_day_after() -> None:
    provider = injected(CATALOGUE["unfinished_bar"], 0.5)
    during = provider.deliver([SYMBOL], DAY, DAY).prices
    after = provider.deliver([SYMBOL], DAY, session_after(DAY)).prices.slice(0, 1)
    clean = MARKET.deliver([SYMBOL], DAY, DAY).prices
    assert after.equals(clean)
    assert during["volume"][0].as_py() < clean["volume"][0].as_py()


@pytest.mark.parametrize(
    "name", [name for name, fault in CATALOGUE.items() if fault.boundary is Boundary.MACRO]
)
def test_a_macro_fault_spoils_its_series_alone(name: str) -> None:
    fault, day = CATALOGUE[name], dt.date(2024, 3, 1)
    provider = FaultyProvider(MARKET, [Injection(fault, fault.matters_from, "CPIAUCSL", day)])
    clean, spoiled = (one.macro(FIRST, NEWEST)[0] for one in (MARKET, provider))
    for rows, equal in (("CPIAUCSL", False), ("UNRATE", True)):
        parts = [table.filter(pc.field("series_id") == rows) for table in (clean, spoiled)]
        assert parts[0].combine_chunks().equals(parts[1].combine_chunks()) is equal
    (truth,) = provider.truths(NEWEST).values()
    assert truth.thing == "CPIAUCSL"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (name, fault.boundary.value)
        for name, fault in CATALOGUE.items()
        if fault.boundary in (Boundary.INSTRUMENTS, Boundary.UNIVERSE)
    ],
)
def test_a_fault_of_the_reference_spoils_it(name: str, table: str) -> None:
    provider = FaultyProvider(MARKET, [Injection(CATALOGUE[name], 1.0, SYMBOL, DAY)])
    assert not getattr(provider, table)().equals(getattr(MARKET, table)())
    assert len(provider.truths(NEWEST)) == 1


def test_faults_are_asked_for_by_name_in_the_settings() -> None:
    settings = load_settings(
        {},
        source="simulated",
        simulated_symbols=30,
        simulated_years=4,
        simulated_faults="unit_100x, split_lost",
    )
    provider = simulated_provider(settings)
    assert isinstance(provider, FaultyProvider)
    names = {one.fault.name for one in provider.truths(NEWEST)}
    assert names == {"unit_100x", "split_lost"}


@pytest.mark.parametrize(
    ("names", "problem"),
    [("unit_99x", "no such fault"), ("half_a_file", "fault of files")],
)
def test_a_fault_that_cannot_be_injected_is_refused_by_name(names: str, problem: str) -> None:
    with pytest.raises(SettingError, match=rf"SIMULATED_FAULTS.*{names}.*{problem}"):
        by_name(names, MARKET)


def test_more_faults_than_symbols_are_refused() -> None:
    with pytest.raises(SettingError, match="only 2 of them"):
        by_name("unit_100x,zero_price,bad_tick", SimulatedProvider(symbols=4, years=4))
