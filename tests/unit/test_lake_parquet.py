"""Files of the lake: the same rows give the same bytes, and a broken file is never data."""

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.declaration import ColumnType, Table
from models.lake import INSTRUMENTS, PRICES, QUARANTINED_PRICES, RAW
from models.store_inputs import SNAPSHOT
from pipelines.errors import LakeError
from pipelines.lake import (
    add_file,
    arrow_schema,
    clean_leftovers,
    conform,
    read_parquet,
    write_parquet,
)
from pipelines.lineage import file_digest

REPOSITORY = Path(__file__).parents[2]
KNOWN = dt.datetime(2022, 1, 4, 1, tzinfo=dt.UTC)


def bars(*closes: float | None, symbol: str = "ACME") -> pa.Table:
    rows = [
        {
            "source": "simulated",
            "symbol": symbol,
            "session_date": dt.date(2022, 1, 3) + dt.timedelta(days=number),
            "close": close,
            "known_at": KNOWN,
            "known_at_basis": "assumed",
        }
        for number, close in enumerate(closes)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(PRICES))


@pytest.mark.parametrize(
    "table", [pytest.param(table, id=table.name) for table in (*RAW, *SNAPSHOT)]
)
def test_a_schema_has_the_declared_names_types_and_nullability(table: Table) -> None:
    expected = {
        ColumnType.TEXT: "string",
        ColumnType.INTEGER: "int64",
        ColumnType.FLOAT: "double",
        ColumnType.BOOLEAN: "bool",
        ColumnType.DATE: "date32[day]",
        ColumnType.TIMESTAMP: "timestamp[us, tz=UTC]",
    }
    schema = arrow_schema(table)
    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        (column.name, expected[column.type], column.nullable) for column in table
    ]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_rows_in_any_order_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, dice: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    rows = bars(1.0, None, 3.5, -0.0, float("inf"), 7.25)
    order = list(range(rows.num_rows))
    dice.shuffle(order)
    first = write_parquet(conform(rows, PRICES), folder / "a.parquet")
    second = write_parquet(conform(rows.take(order), PRICES), folder / "b.parquet")
    assert first.digest == second.digest == file_digest(folder / "b.parquet")


def test_a_file_gives_back_the_rows_that_were_written(tmp_path: Path) -> None:
    rows = conform(bars(1.0, None, 1e300), PRICES)
    record = add_file(rows, tmp_path / "folder")
    assert read_parquet(record.path, PRICES).equals(rows)
    assert read_parquet(record.path, PRICES, ["close"]).column_names == ["close"]
    assert record.rows == 3


def test_a_file_is_named_by_its_digest_and_written_once(tmp_path: Path) -> None:
    first = add_file(conform(bars(1.0), PRICES), tmp_path)
    written = first.path.stat().st_mtime_ns
    second = add_file(conform(bars(1.0), PRICES), tmp_path)
    assert first == second
    assert first.path.name == f"{file_digest(first.path)[:16]}.parquet"
    assert first.path.stat().st_mtime_ns == written
    assert list(tmp_path.iterdir()) == [first.path]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(LakeError, match=r"'close, known_at'.*missing"):
        conform(bars(1.0).drop(["close", "known_at"]), PRICES)


def test_a_null_where_a_value_must_be_is_refused() -> None:
    rows = bars(1.0)
    position = rows.schema.get_field_index("symbol")
    rows = rows.set_column(position, "symbol", pa.array([None], pa.string()))
    with pytest.raises(LakeError, match="symbol"):
        conform(rows, PRICES)


def test_a_value_that_does_not_fit_its_type_is_refused() -> None:
    rows = bars(1.0)
    position = rows.schema.get_field_index("close")
    rows = rows.set_column(position, "close", pa.array(["a lot"]))
    with pytest.raises(LakeError, match="a lot"):
        conform(rows, PRICES)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_named_with_a_remedy(tmp_path: Path, share: float) -> None:
    path = add_file(conform(bars(*map(float, range(1, 500))), PRICES), tmp_path).path
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LakeError, match=rf"{path.name}.*smartinvest ingest"):
        read_parquet(path, PRICES)


def test_a_flipped_bit_is_never_returned_as_another_row(tmp_path: Path) -> None:
    rows = conform(bars(*map(float, range(1, 500))), PRICES)
    path = add_file(rows, tmp_path).path
    whole, dice = path.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(300):
        spoiled = bytearray(whole)
        spoiled[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(spoiled)
        try:
            assert read_parquet(path, PRICES).equals(rows)
        except LakeError:
            refused += 1
    assert refused > 0


def test_garbage_inside_a_file_is_never_returned_as_rows(tmp_path: Path) -> None:
    path = add_file(conform(bars(*map(float, range(1, 500))), PRICES), tmp_path).path
    spoiled = bytearray(path.read_bytes())
    spoiled[4:200] = bytes(196)
    path.write_bytes(spoiled)
    with pytest.raises(LakeError, match=path.name):
        read_parquet(path, PRICES)


def test_a_file_of_another_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(LakeError, match=r"foreign\.parquet.*not those of prices"):
        read_parquet(path, PRICES)
    write_parquet(conform(bars(1.0), PRICES), path)
    with pytest.raises(LakeError, match="not those of instruments"):
        read_parquet(path, INSTRUMENTS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"gone\.parquet.*does not exist"):
        read_parquet(tmp_path / "gone.parquet", QUARANTINED_PRICES)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(LakeError, match=r"occupied.*cannot be written"):
        add_file(conform(bars(1.0), PRICES), tmp_path / "occupied" / "raw")


def test_a_read_only_folder_is_named_and_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    kept = add_file(conform(bars(1.0), PRICES), folder).path
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    try:
        if is_root:  # root may write anywhere, so be somebody else for a moment
            os.seteuid(65534)
        with pytest.raises(LakeError, match="cannot be written"):
            add_file(conform(bars(2.0), PRICES), folder)
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)
    assert list(folder.iterdir()) == [kept]


_ENDLESS_WRITER = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from pipelines.lake import add_file
folder = Path(sys.argv[1])
rows = pa.table({"x": np.random.default_rng(0).normal(size=200_000)})
for number in range(10**9):
    add_file(rows.append_column("n", pa.array(np.full(len(rows), number))), folder)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_files_only(tmp_path: Path) -> None:
    for round_number in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS_WRITER, str(tmp_path)], cwd=REPOSITORY
        )
        deadline = time.monotonic() + 30
        before = len(list(tmp_path.glob("*.parquet")))
        while len(list(tmp_path.glob("*.parquet"))) < before + 2 + round_number:
            assert time.monotonic() < deadline
            time.sleep(0.007)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    files = list(tmp_path.glob("*.parquet"))
    assert files
    for path in files:
        assert path.stem == file_digest(path)[:16]
        assert pq.read_table(path).num_rows == 200_000


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / "raw" / f".{gone.pid}-{'0' * 32}.part"
    living = tmp_path / "raw" / f".{os.getpid()}-{'0' * 32}.part"
    dead.parent.mkdir()
    for part in (dead, living):
        part.write_bytes(b"half a file")
    assert clean_leftovers(tmp_path) == 1
    assert list(dead.parent.iterdir()) == [living]
