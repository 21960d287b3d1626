"""Bad input, seen from outside: a clear error, an exit code, and nothing lost or half-written."""

import datetime as dt
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from new_stores import make_store
from permissions import obey_permissions

from pipelines.clients import generate
from pipelines.ingest import ingest
from pipelines.lineage import REPOSITORY, file_digest
from pipelines.quality import check
from pipelines.settings import load_settings

SESSION = dt.date(2022, 12, 28)
WriteFile = Callable[..., Path]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it said."""

    code: int
    out: str
    err: str

    def require_refusal(self, *words: str) -> None:
        """Check that it failed with one line for a person on stderr, and no traceback."""
        assert self.code == 1, self
        assert "Traceback" not in self.err
        last = self.err.strip().splitlines()[-1]
        assert [word for word in words if word not in last] == [], last


def smartinvest(home: Path, *arguments: str, obedient: bool = False, **environment: str) -> Ended:
    """Run the command in a process of its own, with the settings given here only.

    An obedient one may, even as root, write only where permissions allow it.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SMARTINVEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=REPOSITORY,
        env={**inherited, "SMARTINVEST_HOME": str(home), "COLUMNS": "1000", **environment},
        capture_output=True,
        text=True,
        timeout=180,
        preexec_fn=obey_permissions if obedient else None,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with checked market data of the newest session and a few clients."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    settings = load_settings({}, home=home)
    make_store(settings)
    ingest(settings, SESSION)
    check(settings, SESSION)
    generate(settings, 5, seed=3)
    return home


@pytest.fixture
def home(prepared_home: Path, tmp_path: Path) -> Path:
    """A copy of the prepared home that a test may damage."""
    return Path(shutil.copytree(prepared_home, tmp_path / "home"))


def contents(home: Path) -> tuple[dict[str, str], list[str]]:
    """Every file but locks and logs by its digest; every row of the store, in whatever journal."""
    files = {
        str(path.relative_to(home)): file_digest(path)
        for path in sorted(home.rglob("*"))
        if path.is_file() and not {"store", "logs", ".lock"} & set(path.relative_to(home).parts)
    }
    with _opened(store_file(home)) as connection:
        return files, list(connection.iterdump())


def store_file(home: Path) -> Path:
    return home / "store" / "smartinvest.db"


def price_file(home: Path) -> Path:
    return max(home.glob("lake/raw/prices/**/*.parquet"))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def unwritable(*paths: Path) -> Iterator[None]:
    """Take the write permission from files and folders, and give it back."""
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SMARTINVEST_SOURCE", "yahooo", ("'sample', 'yahoo', 'files' or 'simulated'",)),
        ("SMARTINVEST_SEED", "-1", ("greater than or equal to 0",)),
        ("SMARTINVEST_SESSION", "28.12.2022", ("date",)),
        ("SMARTINVEST_STORE_URL", "mysql://host/store", ("not supported", "sqlite:///PATH")),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(
    tmp_path: Path, name: str, value: str, words: tuple[str, ...]
) -> None:
    ended = smartinvest(tmp_path / "home", "ingest", **{name: value})
    ended.require_refusal(f"setting {name} = '{value}'", *words)
    assert list(tmp_path.glob("home/*")) == []


def test_an_unknown_setting_is_named_and_its_value_hidden_as_it_may_be_a_key(
    tmp_path: Path,
) -> None:
    ended = smartinvest(tmp_path / "home", "ingest", SMARTINVEST_SORCE="sample")
    ended.require_refusal(
        "setting SMARTINVEST_SORCE = '***'", "no such setting", "mean SMARTINVEST_SOURCE"
    )
    assert list(tmp_path.glob("home/*")) == []


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ("2022-12-26", ("XNYS is closed", "2022-12-23 and 2022-12-27")),
        ("2022-12-29", ("source sample has no prices for it", "to 2022-12-28")),
        ("2150-01-04", ("outside the calendar",)),
        ("tomorrow", ("not a date", "YYYY-MM-DD")),
    ],
)
def test_an_unknown_session_is_refused_before_anything_is_written(
    home: Path, session: str, words: tuple[str, ...]
) -> None:
    before = contents(home)
    smartinvest(home, "ingest", "--session", session).require_refusal(
        f"session = '{session}'", *words
    )
    assert contents(home) == before


def test_a_holiday_in_the_settings_is_refused_as_on_the_command_line(home: Path) -> None:
    ended = smartinvest(home, "transform", SMARTINVEST_SESSION="2022-07-04")
    ended.require_refusal("session = '2022-07-04'", "XNYS is closed")


def test_a_session_that_was_never_ingested_is_refused(home: Path) -> None:
    shutil.rmtree(home / "lake")
    smartinvest(home, "transform", "--session", "2022-12-28").require_refusal(
        "session = '2022-12-28'", "smartinvest ingest --session 2022-12-28"
    )
    assert not (home / "warehouse" / "current").exists()


def test_an_unknown_symbol_is_told_with_its_line_and_the_other_rows_load(
    home: Path, client_file: WriteFile
) -> None:
    path = client_file({"holdings": "TSLA:3"}, {"external_ref": "C-2"})
    ended = smartinvest(home, "clients", "import", str(path))
    assert ended.code == 1
    assert "line 2, holdings = 'TSLA': a symbol is unknown" in ended.out
    assert "1 new" in ended.out
    with _opened(store_file(home)) as connection:
        found = connection.execute(
            "SELECT external_ref FROM client_identity WHERE external_ref NOT LIKE 'generated%'"
        ).fetchall()
    assert found == [("C-2",)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("it is empty", "docs/clients.md")),
        (b"name,shares\nJane Doe,5\n", ("its first line is no header",)),
        (b"PAR1\x00\xff\xfe", ("not UTF-8",)),
    ],
)
def test_a_client_file_that_is_none_is_refused_and_changes_nothing(
    home: Path, tmp_path: Path, content: bytes, words: tuple[str, ...]
) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(content)
    before = contents(home)
    smartinvest(home, "clients", "import", str(path)).require_refusal(f"'{path}'", *words)
    assert contents(home) == before


@pytest.mark.parametrize("stage", ["ingest", "transform"])
def test_a_truncated_lake_file_stops_the_stage_and_is_not_touched(home: Path, stage: str) -> None:
    path = price_file(home)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    before = contents(home)
    smartinvest(home, stage, "--session", "2022-12-28").require_refusal(
        f"lake file = '{path.relative_to(home / 'lake')}'", "cannot be read", "from a backup"
    )
    after = contents(home)
    unchanged = {name: after[0].get(name) for name in before[0]}
    assert (unchanged, after[1]) == before
    assert not (home / "warehouse" / "current").exists()


def test_a_flipped_bit_in_a_lake_file_is_found_by_its_name(home: Path) -> None:
    path = price_file(home)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    smartinvest(home, "transform").require_refusal(
        f"lake file = '{path.relative_to(home / 'lake')}'", "bytes changed"
    )
    assert not (home / "warehouse" / "current").exists()


@pytest.mark.long
def test_a_truncated_part_of_the_panel_stops_what_reads_it(home: Path) -> None:
    assert smartinvest(home, "transform").code == 0
    build = (home / "warehouse" / "current").resolve()
    part = max((build / "panel").iterdir())
    os.truncate(part, part.stat().st_size // 2)
    for stage in ("train", "transform"):
        smartinvest(home, stage).require_refusal(
            f"warehouse build = '{build}'", "damaged", "smartinvest transform"
        )
    shutil.rmtree(build)
    assert smartinvest(home, "transform").code == 0
    assert part.is_file()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.write_text("precious")
    smartinvest(path, "ingest").require_refusal(
        f"setting SMARTINVEST_HOME = '{path}'", "cannot be written"
    )
    assert path.read_text() == "precious"


@pytest.mark.usefixtures("permissions_bind")
def test_a_read_only_home_is_refused_and_keeps_everything(home: Path) -> None:
    before = contents(home)
    with unwritable(home):
        ended = smartinvest(home, "clients", "generate", "--count", "9", obedient=True)
    ended.require_refusal(
        f"setting SMARTINVEST_HOME = '{home}'", "cannot be written (Permission denied)"
    )
    assert contents(home) == before


@pytest.mark.usefixtures("permissions_bind")
def test_a_read_only_store_is_refused_and_keeps_everything(home: Path) -> None:
    before = contents(home)
    store = store_file(home)
    with unwritable(store, store.parent):
        ended = smartinvest(home, "clients", "generate", "--count", "9", obedient=True)
    ended.require_refusal("setting SMARTINVEST_STORE_URL", "cannot be written")
    assert contents(home) == before


@pytest.mark.usefixtures("permissions_bind")
def test_a_read_only_lake_is_refused_and_keeps_everything(home: Path) -> None:
    before = contents(home)
    folders = [path for path in (home / "lake").rglob("*") if path.is_dir()]
    with unwritable(home / "lake", *folders):
        ended = smartinvest(home, "transform", "--session", "2022-12-28", obedient=True)
    ended.require_refusal("lake = ", "cannot be written (Permission denied)", "nothing was changed")
    assert contents(home) == before


def test_a_damaged_store_is_refused_and_not_overwritten(home: Path) -> None:
    path = store_file(home)
    path.write_bytes(b"not a database at all" * 500)
    smartinvest(home, "clients", "generate", "--count", "9").require_refusal(
        "setting SMARTINVEST_STORE_URL", "damaged", "backup"
    )
    assert path.read_bytes() == b"not a database at all" * 500


@pytest.mark.long
def test_a_store_that_another_process_holds_for_a_while_is_waited_for(home: Path) -> None:
    with _opened(store_file(home)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(8.0, other.execute, ["ROLLBACK"])
        release.start()
        ended = smartinvest(home, "clients", "generate", "--count", "9", "--seed", "3")
        release.join()
    assert (ended.code, "generated 4 clients" in ended.out) == (0, True), ended


@pytest.mark.long
def test_a_store_that_another_process_keeps_is_given_up_and_unchanged(home: Path) -> None:
    before = contents(home)
    with _opened(store_file(home)) as other:
        other.execute("BEGIN IMMEDIATE")
        smartinvest(home, "clients", "generate", "--count", "9").require_refusal(
            "setting SMARTINVEST_STORE_URL", "another process held it", "try again"
        )
        other.execute("ROLLBACK")
    assert contents(home) == before


def test_an_interrupted_command_says_so_and_leaves_nothing_half_written(home: Path) -> None:
    before = contents(home)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SMARTINVEST_")}
    command = [sys.executable, "-m", "pipelines.cli", "clients", "generate", "--count", "50000"]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**inherited, "SMARTINVEST_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # In the background of a shell without job control it would be ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "generating" in line)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.strip().splitlines()[-1] == "interrupted; nothing half-done was published"
    assert contents(home) == before


def test_a_home_that_another_run_holds_is_refused_and_unchanged(home: Path) -> None:
    lock = home / "run" / "lock"
    lock.parent.mkdir()
    lock.write_text('{"pid": 4711, "state": "running"}')
    before = contents(home)
    with lock.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        smartinvest(home, "daily").require_refusal(
            f"home = '{home}'", "another run (pid 4711) holds it"
        )
    assert contents(home) == before
