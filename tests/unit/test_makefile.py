"""What make hands to `smartinvest`, without doing it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def told(*arguments: str, **environment: str) -> list[str]:
    """Return the words with which make would call `smartinvest`."""
    # Make hands its own arguments to tests that it runs.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    clean = {name: value for name, value in own.items() if name not in ("PROFILE", "WORKERS")}
    done = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if "bin/smartinvest" in line]
    return line.partition("bin/smartinvest")[2].split()


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["up"], {}, ["up"]),
        (["up"], {"PROFILE": "my-cloud", "WORKERS": "8"}, ["up"]),
        (["down"], {"PROFILE": "my-cloud"}, ["down"]),
        (["up", "PROFILE=cluster"], {}, ["cluster", "up"]),
        (["up", "PROFILE=cluster", "WORKERS=4"], {}, ["cluster", "up", "--workers", "4"]),
        (["down"], {"PROFILE": "cluster"}, ["cluster", "down"]),
    ],
)
def test_a_profile_is_taken_from_the_environment_only_where_it_is_ours(
    arguments: list[str], environment: dict[str, str], words: list[str]
) -> None:
    assert told(*arguments, **environment) == words


def test_a_mistyped_profile_is_handed_on_to_be_refused() -> None:
    assert told("up", "PROFILE=clutser") == ["clutser", "up"]
