import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ml_examples import LAST_SESSION, feature_table, panel_of, random_walk

from ml.errors import PanelError
from ml.features import FEATURES
from ml.panel_reading import panel_from_table, read_panel


@pytest.fixture
def table() -> pa.Table:
    return feature_table(random_walk(sessions=30, symbols=2))


def written(table: pa.Table, folder: Path) -> Path:
    """The table in two parts, of which the later ones are the first in order of names."""
    day = dt.date(2022, 12, 15)
    for name, is_part in (
        ("a", pc.greater_equal(table["session_date"], day)),
        ("b", pc.less(table["session_date"], day)),
    ):
        pq.write_table(table.filter(is_part), folder / f"{name}.parquet")
    return folder


def test_rows_in_any_order_give_the_same_panel(table: pa.Table) -> None:
    shuffled = table.take(np.random.default_rng(3).permutation(table.num_rows))
    one, other = (panel_from_table(each, FEATURES, "test") for each in (table, shuffled))
    np.testing.assert_array_equal(one.values, other.values)
    assert one.symbols == other.symbols == ("S00", "S01")


def test_parts_of_different_symbols_give_the_panel_of_the_whole_table(
    table: pa.Table, tmp_path: Path
) -> None:
    late = dt.date(2022, 12, 20)
    is_kept = pc.or_(pc.equal(table["symbol"], "S01"), pc.greater(table["session_date"], late))
    some = table.filter(is_kept)
    one, other = (
        read_panel(written(some, tmp_path), FEATURES),
        panel_from_table(some, FEATURES, "test"),
    )
    for name in ("sessions", "values", "log_return_1d", "observed"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.symbols == other.symbols == ("S00", "S01")
    assert not one.observed[0, 0]
    assert read_panel(tmp_path, FEATURES, through=late).symbols == ("S01",)


def test_a_folder_without_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="it has no file"):
        read_panel(tmp_path, FEATURES)


def test_nothing_after_the_cut_is_read(table: pa.Table, tmp_path: Path) -> None:
    cut = dt.date(2022, 12, 20)
    panel = read_panel(written(table, tmp_path), FEATURES, through=cut)
    assert panel.session(len(panel) - 1) == cut
    whole = read_panel(written(table, tmp_path), FEATURES)
    np.testing.assert_array_equal(whole.until(cut).values, panel.values)


def test_infinite_values_count_as_missing(table: pa.Table) -> None:
    values = table["vol_21d_annual"].to_numpy().copy()
    values[-1] = np.inf
    changed = table.set_column(
        table.column_names.index("vol_21d_annual"), "vol_21d_annual", pa.array(values)
    )
    panel = panel_from_table(changed, FEATURES, "test")
    assert np.isnan(panel.values[-1, -1, FEATURES.index("vol_21d_annual")])


def test_a_missing_column_is_named(table: pa.Table, tmp_path: Path) -> None:
    path = written(table.drop_columns(["momentum_rank"]), tmp_path)
    with pytest.raises(PanelError, match=r"lacks the columns \['momentum_rank'\]"):
        read_panel(path, FEATURES)


def test_a_repeated_row_is_refused(table: pa.Table) -> None:
    with pytest.raises(PanelError, match="1 rows repeat a symbol and session"):
        panel_from_table(pa.concat_tables([table, table.slice(0, 1)]), FEATURES, "test")


def test_a_truncated_file_is_refused(table: pa.Table, tmp_path: Path) -> None:
    part = written(table, tmp_path) / "b.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(PanelError, match=r"b\.parquet.*cannot be read"):
        read_panel(tmp_path, FEATURES)


def test_an_impossible_return_is_named_with_symbol_and_session() -> None:
    returns = random_walk(sessions=30, symbols=2)
    returns[-1, 1] = 9.0
    with pytest.raises(PanelError, match=f"log_return_1d of S01 on {LAST_SESSION}"):
        panel_from_table(feature_table(returns), FEATURES, "test")


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
