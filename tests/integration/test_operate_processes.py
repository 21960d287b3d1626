"""Processes are known by pid and start time, and none survives the one that ends them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipelines.errors import HomeError, ProcessError
from pipelines.operate.lock import hold_home
from pipelines.operate.processes import Household, is_running, start_identity
from pipelines.settings import Settings

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]
# Starts a child in a session of its own, says its pid and sleeps.
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'],"
    " start_new_session=True);"
    "print(child.pid, flush=True); time.sleep(300)",
]
# Ignores the polite request.
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(300)",
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def household(settings: Settings):
    household = Household(settings, "test")
    yield household
    household.end(grace_s=0.1)


def _said(log: str) -> str:
    deadline = time.monotonic() + 20
    while not (text := Path(log).read_text()).strip():
        assert time.monotonic() < deadline, "the process said nothing"
        time.sleep(0.02)
    return text.strip()


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_recorded_process_is_ended_by_a_later_household(
    settings: Settings, household: Household
) -> None:
    record = household.start("sleeper", SLEEP, os.environ)
    assert is_running(record)
    later = Household(settings, "test")
    assert later.records() == [record]
    assert later.end() == 1
    assert not is_running(record)
    assert later.records() == []


def test_a_recycled_pid_is_left_alone(settings: Settings, household: Household) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        # The kernel counts starts in clock ticks: two in one tick would look alike.
        time.sleep(2 / os.sysconf("SC_CLK_TCK"))
        record = household.start("sleeper", SLEEP, os.environ)
        assert start_identity(stranger.pid) != record.started
        file = settings.home / "run" / "test" / "sleeper.json"
        recycled = {**json.loads(file.read_text()), "pid": stranger.pid}
        os.kill(record.pid, signal.SIGKILL)
        file.write_text(json.dumps(recycled))
        household.end(grace_s=0.1)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_in_another_session_is_found_after_its_parent_was_killed(
    household: Household,
) -> None:
    record = household.start("parent", PARENT, os.environ)
    orphan = int(_said(record.log))
    os.kill(record.pid, signal.SIGKILL)
    assert _lives(orphan)
    household.end(grace_s=1)
    assert not _lives(orphan)


def test_a_process_that_ignores_the_request_is_killed(household: Household) -> None:
    record = household.start("stubborn", STUBBORN, os.environ)
    _said(record.log)
    household.end(grace_s=0.2)
    assert not is_running(record)


def test_another_role_of_the_same_home_is_left_alone(
    settings: Settings, household: Household
) -> None:
    record = household.start("sleeper", SLEEP, os.environ)
    assert Household(settings, "other").end() == 0
    assert is_running(record)


def test_a_process_that_ended_is_reported_with_its_last_words(household: Household) -> None:
    record = household.start("speaker", [sys.executable, "-c", "print('no port')"], os.environ)
    deadline = time.monotonic() + 20
    while is_running(record) and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(ProcessError, match="no port"):
        household.require_alive(record)


def test_a_second_run_on_one_home_fails_and_names_the_first(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.operate.lock.PATIENCE_S", 0.1)
    with (
        hold_home(settings),
        pytest.raises(HomeError, match=f"pid {os.getpid()}"),
        hold_home(settings),
    ):
        pytest.fail("two runs hold one home")
    with hold_home(settings):  # and the next one gets it
        pass


def test_the_lock_of_a_killed_holder_is_free(settings: Settings) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from pipelines.operate.lock import hold_home; from pipelines.settings import Settings\n"
        "with hold_home(Settings(home=Path(sys.argv[1]))): os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", code, str(settings.home)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    with hold_home(settings):
        pass
