"""The whole chain, as a user runs it: `make run` on a home of its own, real scheduler, real DAGs.

These take minutes each; `make test-long` runs them.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pipelines.cli", "daily"]
# A session of its own for each kill, so that the stage has real work to do; the first one trains.
KILLS = {
    "train": "2022-12-21",
    "ingest": "2022-12-22",
    "warehouse": "2022-12-23",
    "forecast": "2022-12-27",
    "rebalance": "2022-12-28",
}
TIMEOUT_S = 1500


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One home for all tests of this file, with few clients."""
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "SMARTINVEST_HOME": str(home), "SMARTINVEST_GENERATED_CLIENTS": "40"}


@pytest.fixture(autouse=True)
def nothing_left(environ: dict[str, str]) -> Iterator[None]:
    """Every test ends with no process of its home alive."""
    yield
    assert _processes_of(environ["SMARTINVEST_HOME"]) == []


def _processes_of(home: str) -> list[list[str]]:
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("SMARTINVEST_HOME") == home
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def _run(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND,
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _ask(environ: dict[str, str], query: str) -> list[tuple[object, ...]]:
    store = Path(environ["SMARTINVEST_HOME"]) / "store" / "smartinvest.db"
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(query).fetchall()


def _start_and_wait_for(environ: dict[str, str], stage: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            COMMAND, cwd=REPOSITORY, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + TIMEOUT_S
    while f"{stage}: running" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process


@pytest.mark.parametrize("stage", KILLS)
def test_after_a_sigkill_in_any_stage_the_next_run_completes(
    environ: dict[str, str], tmp_path: Path, stage: str
) -> None:
    session = {**environ, "SMARTINVEST_SESSION": KILLS[stage]}
    killed = _start_and_wait_for(session, stage, tmp_path / "killed.log")
    time.sleep(2)  # into the stage's own work
    killed.kill()
    killed.wait()
    done = _run(session)
    assert done.returncode == 0, done.stderr
    runs = _ask(environ, "SELECT session_date, status FROM advice_run ORDER BY session_date")
    killed_so_far = sorted(list(KILLS.values())[: list(KILLS).index(stage) + 1])
    assert runs == [(date, "published") for date in killed_so_far]


def test_an_interrupted_run_leaves_no_process_and_no_half_run(
    environ: dict[str, str], tmp_path: Path
) -> None:
    process = _start_and_wait_for(environ, "warehouse", tmp_path / "interrupted.log")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


def test_every_account_has_one_outcome_and_whole_weights(environ: dict[str, str]) -> None:
    done = _run(environ)
    assert done.returncode == 0, done.stderr
    accounts = _ask(environ, "SELECT count(*) FROM account WHERE version = 1")
    outcomes = _ask(environ, "SELECT count(DISTINCT account_id), count(*) FROM current_outcome")
    assert outcomes == [(accounts[0][0], accounts[0][0])]
    unbalanced = _ask(
        environ,
        "SELECT account_id, sum(weight) FROM current_target_allocation GROUP BY account_id"
        " HAVING abs(sum(weight) - 1) > 1e-9",
    )
    assert unbalanced == []


def test_a_run_without_changes_writes_no_new_run(environ: dict[str, str]) -> None:
    before = _ask(environ, "SELECT run_id, published_at FROM advice_run ORDER BY run_id")
    done = _run(environ)
    assert done.returncode == 0, done.stderr
    assert "nothing changed" in done.stderr + done.stdout
    after = _ask(environ, "SELECT run_id, published_at FROM advice_run ORDER BY run_id")
    assert after == before != []


def test_a_second_run_at_the_same_time_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    first = _start_and_wait_for(environ, "ingest", tmp_path / "first.log")
    try:
        second = _run(environ)
        assert second.returncode == 1
        assert f"another run (pid {first.pid}) holds it" in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        first.wait(60)
