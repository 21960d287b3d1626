"""dbt's data tests of the panel fail on parts that are not what they should be."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_inputs import SESSION

from pipelines.settings import Settings
from pipelines.warehouse import build_for


@pytest.fixture
def panel(small_warehouse: Settings, tmp_path: Path) -> Path:
    """A copy of a build's panel, beside its database, whose parts a test may change."""
    build = build_for(small_warehouse, SESSION)
    shutil.copytree(build.panel_path, tmp_path / "panel")
    return tmp_path / "panel"


def failing_rows(settings: Settings, panel: Path, test: str) -> list[tuple[object, ...]]:
    """Run the SQL that dbt compiled for a data test over the parts."""
    compiled = settings.warehouse / "dbt" / "compiled" / "smartinvest" / "models"
    [sql] = compiled.glob(f"intermediate/int_panel.yml/{test}*.sql")
    with duckdb.connect() as database:
        database.execute(f"set file_search_path = '{panel.parent}'")
        return database.sql(sql.read_text("utf-8")).fetchall()


def change_last_part(panel: Path, column: str, value: float) -> None:
    path = max(panel.iterdir())
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    values = np.array(table[column].to_numpy())
    values[-1] = value
    pq.write_table(
        table.set_column(place, table.schema.field(place), pa.array(values, from_pandas=True)), path
    )


def test_parts_as_they_were_written_pass(small_warehouse: Settings, panel: Path) -> None:
    for test in ("int_panel_parts_are_in_range", "int_panel_parts_are_ordered"):
        assert failing_rows(small_warehouse, panel, test) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("close", 0.0),
        ("rsi_14", 100.5),
        ("drawdown_252d", 0.25),
        ("momentum_rank", -0.5),
        ("log_return_5d", np.inf),
        ("macd_12_26", -np.inf),
    ],
)
def test_a_number_out_of_its_range_names_its_part_and_column(
    small_warehouse: Settings, panel: Path, column: str, value: float
) -> None:
    change_last_part(panel, column, value)
    [found] = failing_rows(small_warehouse, panel, "int_panel_parts_are_in_range")
    assert str(found[0]).endswith(max(panel.iterdir()).name)
    assert column in found


@pytest.mark.parametrize("order", [[1, 0], [0, 0]], ids=["descending", "twice"])
def test_rows_out_of_order_are_found(
    small_warehouse: Settings, panel: Path, order: list[int]
) -> None:
    path = max(panel.iterdir())
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(order)), path)
    assert len(failing_rows(small_warehouse, panel, "int_panel_parts_are_ordered")) == 1
