import datetime as dt
import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ml_examples import LAST_SESSION, feature_table, panel_of, random_walk, session_table

from ml.errors import PanelError
from ml.panel import Panel
from ml.panel.feature_columns import columns_of
from ml.panel.features import FEATURES, SESSION_FEATURES, SYMBOL_FEATURES, Feature, Transform
from ml.panel.reading import panel_from_table, read_panel
from models.panel import PANEL


@pytest.fixture
def table() -> pa.Table:
    return feature_table(random_walk(sessions=30, symbols=2))


def written(table: pa.Table, folder: Path) -> tuple[Path, Path]:
    """The table in two parts, of which the later ones are the first in order of names; and what
    its sessions share."""
    day = dt.date(2022, 12, 15)
    (folder / "panel").mkdir()
    for name, is_part in (
        ("a", pc.greater_equal(table["session_date"], day)),
        ("b", pc.less(table["session_date"], day)),
    ):
        pq.write_table(table.filter(is_part), folder / "panel" / f"{name}.parquet")
    pq.write_table(session_table(table), folder / "session_features.parquet")
    return folder / "panel", folder / "session_features.parquet"


def assert_equal(one: Panel, other: Panel) -> None:
    names = ("sessions", "values", "log_return_1d", "observed", "session_values")
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.symbols == other.symbols


def changed(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(values))


def test_features_are_made_of_columns_that_the_warehouse_has() -> None:
    assert {*columns_of(SYMBOL_FEATURES)} <= {*PANEL.column_names}
    mart = Path(__file__).parents[2] / "dbt" / "models" / "marts" / "session_features.yml"
    for name in columns_of(SESSION_FEATURES):
        assert f"- name: {name}\n" in mart.read_text("utf-8")
    assert len(set(FEATURES)) == len(FEATURES)


def test_rows_in_any_order_give_the_same_panel(table: pa.Table) -> None:
    shuffled = table.take(np.random.default_rng(3).permutation(table.num_rows))
    one, other = (panel_from_table(each, "test") for each in (table, shuffled))
    assert_equal(one, other)
    assert one.symbols == ("S00", "S01")
    assert (*one.features, *one.session_features) == FEATURES


def test_parts_of_different_symbols_give_the_panel_of_the_whole_table(
    table: pa.Table, tmp_path: Path
) -> None:
    late = dt.date(2022, 12, 20)
    is_kept = pc.or_(pc.equal(table["symbol"], "S01"), pc.greater(table["session_date"], late))
    some = table.filter(is_kept)
    files = written(some, tmp_path)
    one = read_panel(*files)
    assert_equal(one, panel_from_table(some, "test"))
    assert one.symbols == ("S00", "S01")
    assert not one.observed[0, 0]
    assert read_panel(*files, through=late).symbols == ("S01",)


def test_a_logarithm_a_ratio_to_the_close_and_the_time_of_year_are_made_when_read(
    table: pa.Table,
) -> None:
    features = (
        Feature("log_amihud_21d", "amihud_21d", Transform.LOG),
        Feature("atr_14_to_close", "atr_14", Transform.TO_CLOSE),
    )
    of_sessions = (
        Feature("year_sine", "month", Transform.YEAR_SINE),
        Feature("year_cosine", "month", Transform.YEAR_COSINE),
    )
    for column, row, value in (
        ("amihud_21d", -1, 0.5),
        ("amihud_21d", -2, 0.0),
        ("atr_14", -1, 3.0),
        ("close", -1, 120.0),
    ):
        table = changed(table, column, row, value)
    panel = panel_from_table(table, "test", features, of_sessions)
    assert panel.values[-1, 1].tolist() == [np.float32(np.log(0.5)), np.float32(0.025)]
    assert np.isnan(panel.values[-1, 0, 0])
    np.testing.assert_allclose(panel.session_values[-1], [0.0, 1.0], atol=1e-6)


def test_features_of_the_last_sessions_come_with_the_returns_of_all(
    table: pa.Table, tmp_path: Path
) -> None:
    since = dt.date(2022, 12, 20)
    files = written(table, tmp_path)
    whole, late = read_panel(*files), read_panel(*files, features_since=since)
    assert late.session(late.features_start) == since
    rows = range(late.features_start, len(late))
    np.testing.assert_array_equal(late.values_at(rows), whole.values_at(rows))
    np.testing.assert_array_equal(late.log_return_1d, whole.log_return_1d)
    np.testing.assert_array_equal(late.session_values, whole.session_values)
    cut = late.until(dt.date(2022, 12, 22)).of_symbols(("S01", "NEW"))
    assert cut.session(len(cut) - 1) == dt.date(2022, 12, 22)
    rows = range(cut.features_start, len(cut))
    np.testing.assert_array_equal(cut.values_at(rows)[:, 0], whole.values_at(rows)[:, 1])
    with pytest.raises(PanelError, match="those from position 0 on are needed"):
        late.values_at(range(len(late)))


def test_a_panel_cut_before_its_features_has_none(table: pa.Table, tmp_path: Path) -> None:
    late = read_panel(*written(table, tmp_path), features_since=LAST_SESSION)
    cut = late.until(dt.date(2022, 12, 22))
    assert cut.features_start == len(cut)
    assert len(cut.values) == 0


def test_a_session_without_features_of_its_own_has_none(table: pa.Table, tmp_path: Path) -> None:
    folder, file = written(table, tmp_path)
    pq.write_table(session_table(table).slice(0, 29), file)
    panel = read_panel(folder, file)
    assert np.isnan(panel.session_values[-1]).all()
    assert not np.isnan(panel.session_values[-2]).any()


def test_a_session_that_stands_twice_in_its_file_is_refused(
    table: pa.Table, tmp_path: Path
) -> None:
    folder, file = written(table, tmp_path)
    rows = session_table(table)
    pq.write_table(pa.concat_tables([rows, rows.slice(3, 1)]), file)
    with pytest.raises(PanelError, match="a session has two rows"):
        read_panel(folder, file)


def test_rows_that_differ_in_what_their_session_shares_are_refused(table: pa.Table) -> None:
    with pytest.raises(PanelError, match=r"vix of 2022-12-28 = .*other rows of that session"):
        panel_from_table(changed(table, "vix", -1, 99.0), "test")


def test_a_folder_without_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="it has no file"):
        read_panel(tmp_path, tmp_path / "session_features.parquet")


def test_nothing_after_the_cut_is_read(table: pa.Table, tmp_path: Path) -> None:
    cut = dt.date(2022, 12, 20)
    files = written(table, tmp_path)
    panel = read_panel(*files, through=cut)
    assert panel.session(len(panel) - 1) == cut
    assert_equal(read_panel(*files).until(cut), panel)


def test_infinite_values_count_as_missing_and_are_named(
    table: pa.Table, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("log_return_1d", "vol_21d_annual", "vix"):
        for row in (-1, -2):
            table = changed(table, name, row, np.inf)
    with caplog.at_level(logging.WARNING):
        panel = panel_from_table(table, "the table")
    assert np.isnan(panel.values[-1, :, panel.features.index("vol_21d_annual")]).all()
    assert np.isnan(panel.session_values[-1, panel.session_features.index("log_vix")])
    assert np.isnan(panel.log_return_1d[-1]).all()
    found = "2 of log_return_1d, 2 of vol_21d_annual, 2 of vix"
    assert f"infinite values in the table count as missing: {found}" in caplog.text


def test_a_value_beyond_single_precision_counts_as_missing(table: pa.Table) -> None:
    panel = panel_from_table(changed(table, "vol_21d_annual", -1, 1e39), "the table")
    values = panel.values[-1, :, panel.features.index("vol_21d_annual")]
    assert np.isnan(values[-1])
    assert np.isfinite(values[:-1]).all()


@pytest.mark.parametrize("name", ["momentum_rank", "symbol"])
def test_a_missing_column_is_named(table: pa.Table, tmp_path: Path, name: str) -> None:
    without = table.drop_columns([name])
    with pytest.raises(PanelError, match=rf"lacks the columns \['{name}'\]"):
        read_panel(*written(without, tmp_path))
    with pytest.raises(PanelError, match=rf"lacks the columns \['{name}'\]"):
        panel_from_table(without, "test")


def test_a_repeated_row_is_refused(table: pa.Table) -> None:
    with pytest.raises(PanelError, match="1 rows repeat a symbol and session"):
        panel_from_table(pa.concat_tables([table, table.slice(0, 1)]), "test")


@pytest.mark.parametrize("name", ["panel/b.parquet", "session_features.parquet"])
def test_a_truncated_file_is_refused(table: pa.Table, tmp_path: Path, name: str) -> None:
    files = written(table, tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-100])
    with pytest.raises(PanelError, match=r"\.parquet.*cannot be read"):
        read_panel(*files)


def test_an_impossible_return_is_named_with_symbol_and_session() -> None:
    returns = random_walk(sessions=30, symbols=2)
    returns[-1, 1] = 9.0
    with pytest.raises(PanelError, match=f"log_return_1d of S01 on {LAST_SESSION}"):
        panel_from_table(feature_table(returns), "test")


def test_a_symbol_that_the_panel_lacks_is_never_observed() -> None:
    panel = panel_of(random_walk(sessions=100, symbols=2)).of_symbols(("S01", "NEW"))
    assert panel.observed[:, 0].all()
    assert not panel.observed[:, 1].any()
    assert np.isnan(panel.values[:, 1]).all()


def test_volatility_is_unknown_where_the_price_does_not_move() -> None:
    returns = random_walk(sessions=100, symbols=2)
    returns[:, 0] = 0.0
    volatility = panel_of(returns).daily_volatility
    assert np.isnan(volatility[:, 0]).all()
    assert volatility[-1, 1] == pytest.approx(np.sqrt(np.mean(returns[-63:, 1] ** 2)))
