"""The panel's parts: what they hold, and that going on from a base gives a full build's bytes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from panel_inputs import SESSION, SESSIONS, Known, bar_of, build, example

from models.panel import PANEL, RANKED
from pipelines.errors import WarehouseError
from pipelines.lake import arrow_schema
from pipelines.lineage import file_digest


@pytest.fixture(scope="module")
def known() -> Known:
    return example()


@pytest.fixture(scope="module")
def full(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("panel") / "full"
    build(known, workspace)
    return workspace


def files_of(workspace: Path) -> dict[str, bytes]:
    """What a build leaves for others: its parts and the last bars."""
    files = {path.name: path.read_bytes() for path in (workspace / "panel").iterdir()}
    return files | {"last_bars": (workspace / "last_bars.parquet").read_bytes()}


def written_parts(workspace: Path) -> set[str]:
    listed = json.loads((workspace / "panel.json").read_text("utf-8"))
    return {part["name"] for part in listed if part["written"]}


def panel_of(workspace: Path) -> pd.DataFrame:
    return pq.read_table(workspace / "panel").to_pandas()


def _ranked(rank: str, panel: pd.DataFrame) -> pd.Series:
    return -panel["log_return_21d"] if rank == "reversal_rank" else panel[RANKED[rank]]


def assert_going_on_is_a_full_build(base: Known, known: Known, folder: Path) -> Path:
    """Build on a base and from nothing, compare all bytes, and return the first's workspace."""
    build(base, folder / "base")
    changes = known.changes_since(base)
    build(known, folder / "on", folder / "base", changes=changes)
    build(known, folder / "full")
    assert files_of(folder / "on") == files_of(folder / "full")
    return folder / "on"


def test_parts_are_years_then_months_then_sessions_of_the_builds_own_month(full: Path) -> None:
    years = {f"{year}.parquet" for year in range(SESSIONS[0].year, SESSION.year)}
    sessions = {f"{day}.parquet" for day in SESSIONS if day >= SESSION.replace(day=1)}
    assert {path.name for path in (full / "panel").iterdir()} == years | sessions


def test_parts_hold_the_declared_columns_in_the_order_of_the_key(full: Path) -> None:
    declared = arrow_schema(PANEL)
    for path in (full / "panel").iterdir():
        table = pq.read_table(path)
        assert table.schema.names == declared.names
        assert table.schema.types == declared.types
        keys = list(
            zip(table["symbol"].to_pylist(), table["session_date"].to_pylist(), strict=True)
        )
        assert keys == sorted(set(keys))


def test_the_list_of_parts_says_what_they_are(full: Path) -> None:
    listed = json.loads((full / "panel.json").read_text("utf-8"))
    assert listed == [
        {
            "name": path.name,
            "digest": file_digest(path),
            "rows": pq.read_metadata(path).num_rows,
            "written": True,
        }
        for path in sorted((full / "panel").iterdir())
    ]


def test_rows_are_the_accepted_bars_of_their_symbols_first_basis(full: Path, known: Known) -> None:
    panel = panel_of(full).set_index(["symbol", "session_date"])
    expected = {
        key: bar
        for key, bar in known.bars.items()
        if not (key[0] == "MIXED" and bar["price_basis"] == "total_return")
    }
    assert set(panel.index) == set(expected)
    for name in ("open", "close", "volume", "known_at", "price_basis"):
        ours = panel[name].to_dict()
        theirs = {key: bar[name] for key, bar in expected.items()}
        assert all(
            ours[key] == value or (value is None and np.isnan(ours[key]))
            for key, value in theirs.items()
        )


def test_ranks_are_those_of_pandas_among_the_members_of_the_session(
    full: Path, known: Known
) -> None:
    panel = panel_of(full)
    is_member = np.zeros(len(panel), bool)
    for symbol, begin, end in known.members:
        until = end or SESSION
        is_member |= (panel["symbol"] == symbol) & panel["session_date"].between(begin, until)
    is_member &= panel["symbol"] != "VIX"
    for rank in RANKED:
        values = _ranked(rank, panel).where(is_member)
        by_session = values.groupby(panel["session_date"])
        expected = (by_session.rank(method="min") - 1) / (by_session.transform("count") - 1)
        expected = expected.where(np.isfinite(expected)).astype(np.float32)
        pd.testing.assert_series_equal(panel[rank], expected, check_names=False)
        assert expected.notna().sum() > 1000


def test_the_last_bars_are_the_panels(full: Path) -> None:
    panel = panel_of(full).sort_values("session_date").groupby("symbol")
    last = pq.read_table(full / "last_bars.parquet").to_pandas().set_index("symbol")
    assert (last["first_session_date"] == panel["session_date"].first()).all()
    assert (last["session_count"] == panel.size()).all()
    for name in ("session_date", "close_micros", "cumulative_growth"):
        assert (last[name] == panel[name].last()).all()
    assert last.loc["DARK", "obv"] != last.loc["DARK", "obv"]


def test_one_thread_and_two_write_the_same_bytes(known: Known, full: Path, tmp_path: Path) -> None:
    build(known, tmp_path / "one", threads=1)
    build(known, tmp_path / "two", threads=2)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two") == files_of(full)


@pytest.mark.parametrize("back", [1, 2, 3, 7, 40, 260])
def test_new_sessions_give_the_bytes_of_a_full_build(
    known: Known, tmp_path: Path, back: int
) -> None:
    base = known.until(SESSIONS[-1 - back])
    workspace = assert_going_on_is_a_full_build(base, known, tmp_path)
    assert f"{SESSION}.parquet" in written_parts(workspace)


def test_a_new_session_writes_its_own_part_and_links_the_others(
    known: Known, tmp_path: Path
) -> None:
    workspace = assert_going_on_is_a_full_build(known.until(SESSIONS[-2]), known, tmp_path)
    assert written_parts(workspace) == {f"{SESSION}.parquet"}
    old = f"{SESSIONS[-2]}.parquet"
    assert (workspace / "panel" / old).samefile(tmp_path / "base" / "panel" / old)


def test_session_after_session_over_the_turn_of_a_year_is_a_full_build(
    known: Known, tmp_path: Path
) -> None:
    begin = SESSIONS[-8]
    build(known.until(begin), tmp_path / str(begin))
    for before, session in zip(SESSIONS[-8:-1], SESSIONS[-7:], strict=True):
        now = known.until(session)
        changes = now.changes_since(known.until(before))
        build(now, tmp_path / str(session), tmp_path / str(before), changes=changes)
    build(known, tmp_path / "full")
    assert files_of(tmp_path / str(SESSION)) == files_of(tmp_path / "full")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda k: k.with_bar("PAYER", SESSIONS[-20], close=61.5), id="restated"),
        pytest.param(lambda k: k.with_bar("HOLE", SESSIONS[-2], close=33.0), id="late"),
        pytest.param(lambda k: k.with_bar("GONE", SESSIONS[700], close=33.0), id="back again"),
        pytest.param(lambda k: k.without_bars(("PAYER", SESSIONS[-15])), id="rejected"),
        pytest.param(
            lambda k: k.without_action("PAYER", SESSIONS[890], "capital_gain"), id="withdrawn"
        ),
        pytest.param(lambda k: k.with_bar("NEW", SESSIONS[-3]), id="new symbol with a past"),
        pytest.param(
            lambda k: k.without_bars(*(key for key in k.bars if key[0] == "LATE")), id="all gone"
        ),
        pytest.param(lambda k: k.with_bar("DARK", SESSIONS[-4], volume=5.0), id="volume appears"),
        pytest.param(
            lambda k: k.with_bar("ONE", SESSIONS[-2], price_basis="total_return"), id="basis"
        ),
    ],
)
@pytest.mark.parametrize("back", [0, 1])
def test_late_restated_and_withdrawn_data_give_the_bytes_of_a_full_build(
    known: Known, tmp_path: Path, changed: Callable[[Known], Known], back: int
) -> None:
    base = known.until(SESSIONS[-1 - back])
    assert_going_on_is_a_full_build(base, changed(known), tmp_path)


def test_a_restated_row_leaves_the_parts_before_it_alone(known: Known, tmp_path: Path) -> None:
    restated = known.with_bar("PAYER", SESSIONS[-2], close=61.5)
    workspace = assert_going_on_is_a_full_build(known, restated, tmp_path)
    assert written_parts(workspace) == {f"{day}.parquet" for day in SESSIONS[-2:]}


def test_a_change_that_changes_no_row_writes_no_part(known: Known, tmp_path: Path) -> None:
    build(known, tmp_path / "base")
    build(known, tmp_path / "on", tmp_path / "base", changes={"SPY": SESSIONS[-5]})
    assert written_parts(tmp_path / "on") == set()
    assert files_of(tmp_path / "on") == files_of(tmp_path / "base")


def test_a_base_that_is_far_behind_gives_the_bytes_of_a_full_build(
    known: Known, tmp_path: Path
) -> None:
    assert_going_on_is_a_full_build(known.until(SESSIONS[300]), known, tmp_path)


def test_a_base_without_rows_gives_the_bytes_of_a_full_build(known: Known, tmp_path: Path) -> None:
    nothing = replace(known, bars={}, session=SESSIONS[-2])
    assert_going_on_is_a_full_build(nothing, replace(known, bars={}), tmp_path)


def test_a_source_without_a_universe_ranks_every_symbol_but_measures_of_the_market(
    known: Known, tmp_path: Path
) -> None:
    build(replace(known, members=[]), tmp_path / "all")
    panel = panel_of(tmp_path / "all")
    ranked = set(panel.loc[panel["momentum_rank"].notna(), "symbol"])
    assert ranked == {"DARK", "GONE", "HOLE", "MIXED", "PAYER", "SPLIT", "SPY"}


def test_without_any_bar_the_panel_is_one_part_without_rows(known: Known, tmp_path: Path) -> None:
    nothing = replace(known, bars={})
    last_bars = build(nothing, tmp_path / "nothing")
    assert last_bars.num_rows == 0
    assert len(panel_of(tmp_path / "nothing")) == 0
    build(known, tmp_path / "on", tmp_path / "nothing", changes=known.changes_since(nothing))
    build(known, tmp_path / "full")
    assert files_of(tmp_path / "on") == files_of(tmp_path / "full")


@pytest.mark.parametrize("close", [None, 0.0, -1.0, float("nan")])
def test_an_accepted_bar_without_a_close_above_zero_is_named(
    known: Known, tmp_path: Path, close: float | None
) -> None:
    bad = bar_of("PAYER", SESSION, 1.0) | {"close": close}
    with pytest.raises(WarehouseError, match=f"PAYER on {SESSION} has no close above zero"):
        build(replace(known, bars={**known.bars, ("PAYER", SESSION): bad}), tmp_path / "bad")
