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
from lake_examples import lake_of

from models.declaration import ColumnType, Table
from models.lake import INSTRUMENTS, PRICES, QUARANTINED_PRICES, RAW
from models.store_inputs import SNAPSHOT
from pipelines.errors import LakeError
from pipelines.lake import (
    FileRecord,
    add_file,
    arrow_schema,
    clean_leftovers,
    conform,
    declared,
    read_file,
    write_parquet,
)
from pipelines.lineage import file_digest
from pipelines.local_files import part_name, this_host
from pipelines.settings import Settings

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
            "price_basis": "as_traded",
            "known_at_basis": "assumed",
            "ingest_session": dt.date(2022, 1, 3),
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


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return lake_of(tmp_path)


def forget_footers() -> None:
    from pipelines.lake import parquet_reading

    parquet_reading._footer.cache_clear()


def added(home: Settings, *closes: float | None) -> FileRecord:
    return add_file(home, PRICES, bars(*closes), "raw")


def rows_of(home: Settings, path: str) -> pa.Table:
    return declared(read_file(home, PRICES, path), PRICES)


def test_a_file_gives_back_the_rows_that_were_written(home: Settings) -> None:
    record = added(home, 1.0, None, 1e300)
    assert rows_of(home, record.path).equals(conform(bars(1.0, None, 1e300), PRICES))
    assert read_file(home, PRICES, record.path, ["close"]).column_names == ["close"]
    assert record.rows == 3


def test_a_file_is_named_by_its_digest_and_written_once(home: Settings) -> None:
    first = added(home, 1.0)
    path = home.lake / first.path
    written = path.stat().st_mtime_ns
    assert added(home, 1.0) == first
    assert path.name == f"{file_digest(path)[:16]}.parquet"
    assert path.stat().st_mtime_ns == written
    assert list(path.parent.iterdir()) == [path]


def test_text_is_stored_alike_whether_it_comes_plain_or_encoded(home: Settings) -> None:
    plain = pa.concat_tables([bars(1.0, symbol="B"), bars(2.0, symbol="A")])
    encoded = pa.DictionaryArray.from_arrays([0, 2], ["B", "unused", "A"])
    position = plain.schema.get_field_index("symbol")
    other = plain.set_column(position, "symbol", encoded)
    assert add_file(home, PRICES, plain, "raw") == add_file(home, PRICES, other, "raw")


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
def test_a_truncated_file_is_named_with_a_remedy(home: Settings, share: float) -> None:
    record = added(home, *map(float, range(1, 500)))
    path = home.lake / record.path
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(LakeError, match=rf"{path.name}.*smartinvest ingest"):
        read_file(home, PRICES, record.path)


def test_a_flipped_bit_is_never_returned_as_another_row(home: Settings) -> None:
    closes = [float(number) for number in range(1, 500)]
    record = added(home, *closes)
    rows = conform(bars(*closes), PRICES)
    path = home.lake / record.path
    whole, dice = path.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(300):
        spoiled = bytearray(whole)
        spoiled[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(spoiled)
        forget_footers()
        try:
            assert rows_of(home, record.path).equals(rows)
        except LakeError:
            refused += 1
    assert refused > 0


def test_garbage_inside_a_file_is_never_returned_as_rows(home: Settings) -> None:
    record = added(home, *map(float, range(1, 500)))
    path = home.lake / record.path
    spoiled = bytearray(path.read_bytes())
    spoiled[4:200] = bytes(196)
    path.write_bytes(spoiled)
    with pytest.raises(LakeError, match=path.name):
        read_file(home, PRICES, record.path)


def test_a_file_of_another_table_is_named(home: Settings) -> None:
    (home.lake / "raw").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), home.lake / "raw" / "foreign.parquet")
    with pytest.raises(LakeError, match=r"foreign\.parquet.*not those of prices"):
        read_file(home, PRICES, "raw/foreign.parquet")
    with pytest.raises(LakeError, match="not those of instruments"):
        read_file(home, INSTRUMENTS, added(home, 1.0).path)


def test_a_missing_file_is_named(home: Settings) -> None:
    with pytest.raises(LakeError, match=r"gone\.parquet.*does not exist"):
        read_file(home, QUARANTINED_PRICES, "gone.parquet")


def test_a_folder_that_cannot_be_made_is_named(home: Settings) -> None:
    home.lake.mkdir()
    (home.lake / "raw").write_text("a file")
    with pytest.raises(LakeError, match=r"lake/raw.*cannot be written"):
        added(home, 1.0)


def test_a_read_only_folder_is_named_and_stays_as_it_was(home: Settings) -> None:
    kept = home.lake / added(home, 1.0).path
    folder = kept.parent
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    try:
        if is_root:  # root may write anywhere, so be somebody else for a moment
            os.seteuid(65534)
        with pytest.raises(LakeError, match=r"cannot be (read|written) \(Permission denied\)"):
            added(home, 2.0)
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)
    assert list(folder.iterdir()) == [kept]


_WRITER_WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
sys.path.insert(0, "tests")
import datetime as dt
from lake_examples import DAYS, append, bars, lake_of
from pipelines.errors import LakeError
home = lake_of(Path(sys.argv[1]))
append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
small = [("A", dt.date(2021, 12, 31), 1.0)]  # of the year before, so a file of its own
large = [(f"S{n:05d}", DAYS[1], n + 0.1) for n in range(20_000)]
try:
    append(home, DAYS[1], bars(small + large))
except LakeError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_leaves_what_was_there(home: Settings) -> None:
    """A limit on the size of files fails in the same call as a full disk does."""
    writer = subprocess.run(
        [sys.executable, "-c", _WRITER_WITHOUT_ROOM, str(home.home)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written (File too large)" in writer.stdout
    assert "nothing was changed" in writer.stdout
    [kept] = [path for path in home.lake.rglob("*") if path.is_file()]
    assert rows_of(home, kept.relative_to(home.lake).as_posix())["symbol"].to_pylist() == ["A"]


_ENDLESS_WRITER = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from pipelines.lake import write_parquet
folder = Path(sys.argv[1])
values = np.random.default_rng(0).normal(size=200_000)
for number in range(10**9):
    write_parquet(pa.table({"x": values + number}), folder / f"{number % 5}.parquet")
"""


def test_a_writer_killed_at_any_moment_leaves_whole_files_only(tmp_path: Path) -> None:
    for round_number in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS_WRITER, str(tmp_path)], cwd=REPOSITORY
        )
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("*.parquet"))) < 3 + round_number:
            assert time.monotonic() < deadline
            time.sleep(0.007)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    for path in tmp_path.glob("*.parquet"):
        assert pq.read_table(path).num_rows == 200_000


def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    home = lake_of(tmp_path)
    dead = home.lake / "raw" / part_name(this_host(), gone.pid)
    living = home.lake / "raw" / part_name(this_host(), os.getpid())
    # Of another machine it cannot be known who lives: what it writes is given a day.
    elsewhere = home.lake / "raw" / part_name("elsewhere", gone.pid)
    abandoned = home.lake / "raw" / part_name("elsewhere", gone.pid)
    dead.parent.mkdir(parents=True)
    for part in (dead, living, elsewhere, abandoned):
        part.write_bytes(b"half a file")
    os.utime(abandoned, (1_000_000, 1_000_000))
    assert clean_leftovers(home) == 2
    assert {*dead.parent.iterdir()} == {living, elsewhere}
