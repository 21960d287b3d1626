"""One writer per source: others wait, then say who holds it; the holder's children go through."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lake_examples import DAYS, append, bars, lake_of

from models.lake import PRICES
from pipelines.errors import HomeError
from pipelines.lake import dataset_files, sole_writer
from pipelines.settings import Settings, load_settings

REPOSITORY = Path(__file__).parents[2]

_HOLDER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from lake_examples import lake_of
from pipelines.lake import sole_writer
with sole_writer(lake_of(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.readline()
"""

_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from lake_examples import DAYS, append, bars, lake_of
home = lake_of(Path(sys.argv[1]))
print(append(home, DAYS[0], bars([("A", DAYS[0], 1.0)])).new_rows)
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return lake_of(tmp_path)


@contextmanager
def held_elsewhere(home: Settings) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", _HOLDER, str(home.home)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_another_process_is_named_when_patience_ends(home: Settings) -> None:
    with (
        held_elsewhere(home) as holder,
        pytest.raises(HomeError, match=rf"process {holder.pid} has been writing"),
        sole_writer(home, patience_s=0.1),
    ):
        raise AssertionError("two writers at once")


def test_an_append_waits_for_the_other_writer_and_then_works(home: Settings) -> None:
    with held_elsewhere(home) as holder:
        done = threading.Event()

        def write() -> None:
            append(home, DAYS[0], bars([("A", DAYS[0], 1.0)]))
            done.set()

        waiting = threading.Thread(target=write)
        waiting.start()
        assert not done.wait(0.5)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert done.wait(30)
        waiting.join()
    assert len(dataset_files(home, PRICES)) == 1


def test_a_killed_holder_holds_nothing(home: Settings) -> None:
    with held_elsewhere(home) as holder:
        holder.kill()
        holder.wait()
        with sole_writer(home, patience_s=5):
            pass


def test_the_holders_own_processes_write_meanwhile(home: Settings) -> None:
    with sole_writer(home):
        command = [sys.executable, "-c", _WRITER, str(home.home)]
        written = subprocess.run(
            command, cwd=REPOSITORY, text=True, capture_output=True, check=True, timeout=60
        )
    assert written.stdout == "1\n"


def test_sources_do_not_wait_for_each_other(home: Settings) -> None:
    with held_elsewhere(home):
        other = load_settings({}, home=home.home, source="sample")
        with sole_writer(other, patience_s=0.1):
            pass
