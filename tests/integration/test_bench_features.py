"""The feature benchmark: its market, its peers' environment, its comparison, and a tiny run."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.features.bench import run
from benchmarks.features.equality import agreement
from benchmarks.market_files import NEXT_SESSION, add_session, symbols_of, write_market
from benchmarks.peers_environment import Peers, peers_python
from models.declaration import ColumnType
from models.panel import PANEL, RANKS
from pipelines.errors import ProcessError
from pipelines.settings import load_settings

ROWS = 60
FEATURES = [column.name for column in PANEL if column not in RANKS]


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv")


def test_a_market_with_actions_splits_prices_as_traded_and_goes_on_paying(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    bars = write_market(folder, 8, 1, processes=1, actions=True)
    assert len(symbols_of(folder)) == 8
    assert bars == sum(len(read(folder, symbol)) for symbol in symbols_of(folder))

    actions, split_bars = read(folder, "actions"), read(folder, "S00007")
    split = actions[actions["kind"] == "split"]
    assert list(split["symbol"]) == ["S00007"]
    at = split_bars.index[split_bars["Date"] == split["date"].item()].item()
    assert split_bars["Close"][at] / split_bars["Close"][at - 1] == pytest.approx(0.5, rel=0.1)
    assert set(split_bars["Price Basis"]) == {"as_traded"}
    assert "S00004" not in set(actions["symbol"])

    assert add_session(folder) == 8
    added = read(folder, "actions").iloc[len(actions) :]
    assert [tuple(row) for row in added[["symbol", "date"]].to_numpy()] == [
        ("SPY", NEXT_SESSION.isoformat())
    ]
    assert read(folder, "S00007").iloc[-1]["Price Basis"] == "as_traded"


@pytest.mark.long
def test_peers_that_cannot_be_installed_are_an_error_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(ProcessError, match=r"cannot be installed.*PIP_INDEX_URL"):
        peers_python(load_settings({}, home=tmp_path), Peers.FRAMES)


def panel_rows() -> pa.Table:
    dice = np.random.default_rng(7)
    words = {"symbol": np.repeat(["AAA", "BBB"], ROWS // 2)}
    days = [dt.date(2024, 1, 1) + dt.timedelta(days) for days in range(ROWS // 2)] * 2
    columns = {}
    for column in PANEL:
        match column.type:
            case ColumnType.TEXT:
                columns[column.name] = pa.array(words.get(column.name, ["x"] * ROWS), pa.string())
            case ColumnType.DATE:
                columns[column.name] = pa.array(days)
            case ColumnType.TIMESTAMP:
                columns[column.name] = pa.array([0] * ROWS, pa.timestamp("us", "UTC"))
            case ColumnType.INTEGER:
                columns[column.name] = pa.array(range(ROWS))
            case kind:
                width = pa.float32() if kind is ColumnType.SINGLE else pa.float64()
                columns[column.name] = pa.array(dice.normal(100, 1, ROWS)).cast(width)
    return pa.table(columns)


def changed(rows: pa.Table, name: str, values: np.ndarray) -> pa.Table:
    at = rows.schema.get_field_index(name)
    column = pa.array(values, rows.schema.field(at).type, from_pandas=True)
    return rows.set_column(at, rows.schema.field(at), column)


def write(folder: Path, ours: pa.Table, theirs: pa.Table) -> tuple[Path, Path]:
    panel, made = folder / "panel", folder / "made"
    panel.mkdir()
    made.mkdir()
    pq.write_table(ours, panel / "2024.parquet")
    pq.write_table(theirs.select(FEATURES), made / "00000.parquet")
    keys_and_ranks = [*PANEL.key, *(column.name for column in RANKS)]
    pq.write_table(theirs.select(keys_and_ranks), made / "ranks.parquet")
    return panel, made


def test_the_worst_difference_the_warm_up_and_a_missing_value_are_told_apart(
    tmp_path: Path,
) -> None:
    ours = panel_rows()
    obv = ours["obv"].to_numpy().copy()
    obv[7] *= 1.5
    rsi = ours["rsi_14"].to_numpy().copy()
    rsi[3] += 2
    rank = ours["momentum_rank"].to_numpy().copy()
    rank[0] = np.nan
    theirs = changed(changed(changed(ours, "obv", obv), "rsi_14", rsi), "momentum_rank", rank)
    found = agreement(*write(tmp_path, ours, theirs))
    assert found.worst == "obv"
    assert found.error == pytest.approx(0.5, rel=0.02)
    assert found.warm_up_error == pytest.approx(0.02, rel=1e-3)
    assert (found.rows, found.unlike) == (ROWS, 1)


def test_rows_that_a_peer_lacks_are_no_agreement(tmp_path: Path) -> None:
    ours = panel_rows()
    with pytest.raises(RuntimeError, match="59 rows"):
        agreement(*write(tmp_path, ours, ours.slice(1)))


@pytest.mark.long
def test_all_contestants_make_the_same_features_of_a_tiny_market(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTINVEST_HOME", str(tmp_path / "home"))
    line = run(symbols=12, years=3, work=tmp_path).line()
    assert line["bench"] == "features"
    peers = {"pandas", "polars", "copy", "copy_arrow", "incremental"}
    assert set(line["ratios"]) == peers
    assert all(ratio > 0 for ratio in line["ratios"].values())
    errors = line["errors"]
    for peer in ("pandas", "polars"):
        assert errors[peer] < 1e-6
        assert errors[f"{peer}_warm_up"] < 1e-3
        assert errors[f"{peer}_unlike"] == 0
    assert line["rows_compared"] > 5000
    assert 12 * 3 * 250 < line["rows"] <= 12 * 3 * 253
    assert not list(tmp_path.glob("bench-features-*"))
