"""A user's folder, from files to lake: nothing lost, nothing guessed, nothing read twice."""

import datetime as dt
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.errors import SourceError
from pipelines.ingest import IngestReport, ingest, resolve_session
from pipelines.ingest.files import FilesProvider, reading
from pipelines.ingest.files import provider as files_provider
from pipelines.ingest.files.delimited import Parsed
from pipelines.ingest.files.header import Header
from pipelines.lake import current_versions, dataset_files, rejections
from pipelines.sessions import sessions_between
from pipelines.settings import Settings, load_settings

DAYS = sessions_between(dt.date(2020, 1, 2), dt.date(2020, 3, 31))
LAST = DAYS[-1]
HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"


def line(day: dt.date, close: float) -> str:
    return f"{day},{close},{close + 1},{close - 1},{close},{close / 2},1000"


def lines(first: float = 100.0, days: list[dt.date] = DAYS) -> list[str]:
    return [line(day, first + position % 7) for position, day in enumerate(days)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    return load_settings({}, home=tmp_path / "home", source="files", files_folder=folder)


def write(path: Path, rows: list[str], header: str = HEADER) -> None:
    path.write_text("\n".join([header, *rows, ""]))


def filed_problems(settings: Settings) -> list[dict[str, Any]]:
    files = sorted((settings.lake / "problems").rglob("*.json"))
    return [problem for file in files for problem in json.loads(file.read_text("utf-8"))]


def closes(settings: Settings, symbol: str) -> dict[dt.date, float]:
    rows = current_versions(settings, PRICES, [symbol]).to_pylist()
    return {row["session_date"]: row["close"] for row in rows}


def test_odd_orders_and_other_files_do_not_disturb(settings: Settings, folder: Path) -> None:
    write(folder / "^IDX.csv", lines(100))
    shuffled = [",".join(reversed(row.split(","))) for row in reversed(lines(200))]
    write(folder / "ODD.csv", shuffled, ",".join(reversed(HEADER.split(","))))
    (folder / "ZIP.csv.gz").write_bytes(gzip.compress((folder / "^IDX.csv").read_bytes()))
    (folder / "LICENSE").write_text("MIT")
    (folder / "notes.txt").write_text("Date,Close\n2020-01-02,1\n")
    report = ingest(settings, LAST)
    assert [(one.symbol, one.rows, one.first_day, one.last_day) for one in report.by_symbol] == [
        (symbol, len(DAYS), DAYS[0], LAST) for symbol in ("ODD", "ZIP", "^IDX")
    ]
    assert report.problems == ()
    assert list(closes(settings, "ODD").values()) == [200.0 + i % 7 for i in range(len(DAYS))]
    assert closes(settings, "ZIP") == closes(settings, "^IDX")


def test_the_sources_own_return_comes_from_its_adjusted_closes(
    settings: Settings, folder: Path
) -> None:
    write(folder / "ONE.csv", [line(DAYS[1], 110.0), line(DAYS[0], 100.0)])
    ingest(settings, DAYS[1])
    rows = current_versions(settings, PRICES).to_pylist()
    assert [row["adjusted_return_1d"] for row in rows] == [None, 0.1]


def test_one_unreadable_file_among_good_ones_is_kept_as_text(
    settings: Settings, folder: Path
) -> None:
    write(folder / "GOOD.csv", lines())
    (folder / "BAD.csv").write_bytes(b"no,prices\nat all\n")
    (folder / "WORSE.parquet").write_bytes(b"PAR1 half a file")
    report = ingest(settings, LAST)
    assert [one.symbol for one in report.by_symbol] == ["GOOD"]
    assert {problem.thing for problem in report.problems} == {"BAD.csv", "WORSE.parquet"}
    kept = {problem["thing"]: problem["rows"] for problem in filed_problems(settings)}
    assert kept["BAD.csv"] == ["no,prices", "at all"]


def test_a_bad_line_is_kept_as_text_and_the_others_are_taken(
    settings: Settings, folder: Path
) -> None:
    rows = lines()
    rows[5] = rows[5].replace("1000", "many")
    write(folder / "ONE.csv", [*rows, f"{LAST},1,2"])
    report = ingest(settings, LAST)
    assert report.new_rows == len(DAYS) - 1
    (problem,) = filed_problems(settings)
    assert set(problem["rows"]) == {rows[5], f"{LAST},1,2"}


def test_bars_that_fail_their_expectations_are_stored_and_quarantined(
    settings: Settings, folder: Path
) -> None:
    rows = lines()
    rows[10] = f"{DAYS[10]},100,90,110,100,50,1000"
    write(folder / "ONE.csv", rows)
    report = ingest(settings, LAST)
    assert (report.new_rows, report.quarantined_rows) == (len(DAYS), 1)
    rejected = rejections(settings, PRICES).to_pylist()
    assert {row["session_date"] for row in rejected} == {DAYS[10]}
    assert {group.symbol for group in report.quarantined} == {"ONE"}
    assert ingest(settings, LAST).quarantined_rows == 1


def test_a_bar_that_comes_twice_is_not_lost_silently(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", [*lines(), line(DAYS[3], 500.0)])
    report = ingest(settings, LAST)
    assert report.new_rows == len(DAYS) + 1
    assert {row["session_date"] for row in rejections(settings, PRICES).to_pylist()} == {DAYS[3]}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each parse was given, without the header."""
    seen: list[int] = []
    original = reading.read_rows

    def spy(header: Header, body: bytes, *others: Any) -> Parsed:
        seen.append(len(body))
        return original(header, body, *others)

    monkeypatch.setattr(reading, "read_rows", spy)
    return seen


def again(settings: Settings, session: dt.date, seen: list[int]) -> tuple[IngestReport, list[int]]:
    provider = FilesProvider(settings)
    provider.newest_session()  # a look into small files parses them; it is not what counts here
    seen.clear()
    return ingest(settings, session, provider), list(seen)


def test_an_unchanged_file_is_not_parsed_again(
    settings: Settings, folder: Path, parsed: list[int]
) -> None:
    write(folder / "ONE.csv", lines())
    first = ingest(settings, LAST)
    report, seen = again(settings, LAST, parsed)
    assert seen == []
    assert (report.new_rows, report.by_symbol) == (0, first.by_symbol)


def test_of_a_grown_file_only_the_end_is_parsed(
    settings: Settings, folder: Path, parsed: list[int]
) -> None:
    write(folder / "ONE.csv", lines(days=DAYS[:-1]))
    ingest(settings, DAYS[-2])
    added = line(LAST, 101.0)
    with (folder / "ONE.csv").open("a") as stream:
        stream.write(f"{added}\n")
    report, seen = again(settings, LAST, parsed)
    assert seen == [len(added) + 1]
    assert (report.new_rows, report.by_symbol[0].rows) == (1, len(DAYS))
    newest = current_versions(settings, PRICES).to_pylist()[-1]
    before = 100.0 + (len(DAYS) - 2) % 7
    assert newest["adjusted_return_1d"] == round(101.0 / before - 1, 6)


def test_rows_beyond_the_session_come_with_their_own(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", lines())
    assert ingest(settings, DAYS[-3]).new_rows == len(DAYS) - 2
    assert ingest(settings, LAST).new_rows == 2


def test_a_changed_line_is_a_restatement(settings: Settings, folder: Path) -> None:
    rows = lines()
    write(folder / "ONE.csv", rows)
    ingest(settings, LAST)
    rows[7] = line(DAYS[7], 101.5)
    write(folder / "ONE.csv", rows)
    report = ingest(settings, LAST)
    assert (report.new_rows, report.restated_rows) == (0, 1)


def test_what_the_lake_lost_is_read_again(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", lines())
    ingest(settings, LAST)
    (path,) = dataset_files(settings, PRICES)
    (settings.lake / path).unlink()
    assert ingest(settings, LAST).new_rows == len(DAYS)


def test_one_long_table_gives_what_single_files_give(
    settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, parquet = tmp_path / "long", tmp_path / "parquet"
    long.mkdir()
    parquet.mkdir()
    table = []
    for position, symbol in enumerate(("AAA", "BBB", "CCC")):
        rows = lines(100.0 * (position + 1))
        write(folder / f"{symbol}.csv", rows)
        table += [f"{symbol},{row}" for row in rows]
    table = table[::2] + table[1::2]
    write(long / "all.csv", table, f"Ticker,{HEADER}")
    numbers = [row.split(",") for row in table]
    columns = {
        name: pa.array([row[position] for row in numbers]).cast(
            pa.string() if position == 0 else pa.date32() if position == 1 else pa.float64()
        )
        for position, name in enumerate(["Ticker", *HEADER.split(",")])
    }
    pq.write_table(pa.table(columns), parquet / "all.parquet")
    monkeypatch.setattr(files_provider, "BATCH_BYTES", 1000)
    results = []
    for name, where in (("single", folder), ("long", long), ("parquet", parquet)):
        its = settings.model_copy(update={"home": tmp_path / name, "files_folder": where})
        assert len(FilesProvider(its).batches(LAST)) > 1
        ingest(its, LAST, FilesProvider(its))
        results.append(current_versions(its, PRICES))
        assert ingest(its, LAST, FilesProvider(its)).new_rows == 0
    assert results[0].equals(results[1])
    assert results[0].equals(results[2])


def test_workers_store_what_one_process_stores(
    settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(folder / f"S{number}.csv", lines(100.0 + number))
    monkeypatch.setattr(files_provider, "BATCH_BYTES", 8000)
    alone = settings.model_copy(update={"home": tmp_path / "alone"})
    ingest(alone, LAST, FilesProvider(alone))
    report = ingest(settings, LAST)
    assert report.symbols == 4
    assert dataset_files(settings, PRICES) == dataset_files(alone, PRICES)
    assert len(dataset_files(alone, PRICES)) > 1


def test_a_killed_ingest_leaves_no_worker_behind(settings: Settings, folder: Path) -> None:
    for number in range(200):
        write(folder / f"S{number:03}.csv", lines(100.0 + number))
    script = (
        "import datetime as dt\n"
        "from pipelines.ingest import ingest\n"
        "from pipelines.ingest.files import provider\n"
        "from pipelines.settings import load_settings\n"
        "provider.BATCH_BYTES = 4000\n"
        f"ingest(load_settings(), dt.date({LAST.year}, {LAST.month}, {LAST.day}))\n"
    )
    environ = {**os.environ, **settings.environment()}
    with subprocess.Popen([sys.executable, "-c", script], env=environ) as parent:
        ours = psutil.Process(parent.pid)
        deadline = time.monotonic() + 60
        # The resource tracker, the server, and two workers that it forked.
        while len(family := ours.children(recursive=True)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        parent.kill()
    assert len(family) >= 4
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []


def test_a_bar_of_the_future_moves_nobodys_session(settings: Settings, folder: Path) -> None:
    for number in range(30):
        write(folder / f"S{number:02}.csv", lines())
    write(folder / "EARLY.csv", [*lines(), line(dt.date(2021, 5, 3), 100.0)])
    assert resolve_session(settings) == LAST


def test_symbols_without_reference_are_known_and_not_tradable(
    settings: Settings, folder: Path
) -> None:
    write(folder / "ONE.csv", lines())
    ingest(settings, LAST)
    (row,) = current_versions(settings, INSTRUMENTS).to_pylist()
    assert (row["symbol"], row["asset_class"], row["tradable"]) == ("ONE", "unclassified", False)
    (member,) = current_versions(settings, UNIVERSE).to_pylist()
    assert (member["member_from"], member["member_until"]) == (DAYS[0], None)


def test_reference_files_are_read_where_there_are_any(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", lines())
    write(folder / "IDX.csv", lines())
    write(folder / "instruments.csv", ["ONE,us_equity", "IDX,index"], "symbol,asset_class")
    write(folder / "actions.csv", [f"ONE,{DAYS[9]},split,2"], "ticker,ex_date,kind,amount")
    write(
        folder / "universe.csv",
        [f"core,ONE,{DAYS[0]},{DAYS[20]}"],
        "universe,symbol,member_from,member_until",
    )
    write(folder / "macro.csv", ["UNRATE,2019-12-01,3.5"], "series_id,observation_date,value")
    ingest(settings, LAST)
    classes = {
        row["symbol"]: (row["asset_class"], row["tradable"], row["reference_weight"])
        for row in current_versions(settings, INSTRUMENTS).to_pylist()
    }
    assert classes == {"ONE": ("us_equity", True, 1.0), "IDX": ("index", False, 0.0)}
    (action,) = current_versions(settings, ACTIONS).to_pylist()
    assert (action["kind"], action["amount"]) == ("split", 2.0)
    (member,) = current_versions(settings, UNIVERSE).to_pylist()
    assert member["member_until"] == DAYS[20]
    (value,) = current_versions(settings, MACRO).to_pylist()
    assert value["value"] == 3.5


def test_an_end_of_membership_is_not_known_before_it(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", lines())
    write(
        folder / "universe.csv",
        [f"core,ONE,{DAYS[0]},{DAYS[20]}"],
        "universe,symbol,member_from,member_until",
    )
    ingest(settings, DAYS[10])
    (member,) = current_versions(settings, UNIVERSE).to_pylist()
    assert member["member_until"] is None
    ingest(settings, LAST)
    (member,) = current_versions(settings, UNIVERSE).to_pylist()
    assert member["member_until"] == DAYS[20]


def test_dividends_and_splits_in_columns_become_actions(settings: Settings, folder: Path) -> None:
    rows = [f"{row},0,0" for row in lines()]
    rows[4] = rows[4].removesuffix(",0,0") + ",0.25,0"
    rows[6] = rows[6].removesuffix(",0,0") + ",0,2"
    write(folder / "ONE.csv", rows, f"{HEADER},Dividends,Stock Splits")
    ingest(settings, LAST)
    found = [
        (row["session_date"], row["kind"], row["amount"])
        for row in current_versions(settings, ACTIONS).to_pylist()
    ]
    assert found == [(DAYS[4], "dividend", 0.25), (DAYS[6], "split", 2.0)]


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda folder: None, "no price file in it"),
        (lambda folder: folder.rmdir(), "cannot be read"),
        (lambda folder: (folder / "A.csv").write_text("a,b\n"), "can be read as prices"),
    ],
)
def test_a_folder_without_prices_says_what_is_missing(
    settings: Settings, folder: Path, prepare: Callable[[Path], None], problem: str
) -> None:
    prepare(folder)
    with pytest.raises(SourceError, match=problem):
        resolve_session(settings)


def test_without_a_folder_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="SMARTINVEST_FILES_FOLDER"):
        resolve_session(load_settings({}, home=tmp_path, source="files"))


def test_a_wrong_reference_file_is_refused_by_name(settings: Settings, folder: Path) -> None:
    write(folder / "ONE.csv", lines())
    write(folder / "actions.csv", [f"ONE,{DAYS[9]},merger,2"], "symbol,date,kind,amount")
    with pytest.raises(SourceError, match=r"actions\.csv.*merger"):
        ingest(settings, LAST)
