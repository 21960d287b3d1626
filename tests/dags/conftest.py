"""Parse the real DAG files once, in a process of their own with an Airflow of its own.

Airflow reads its configuration when it is imported and keeps it for the life of the process, and
what parsing imports can only be told in a process that has imported nothing else.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `parse_report` prints: DAGs with their policy, import errors, heavy modules."""
    home = tmp_path_factory.mktemp("airflow")
    inherited = {name: value for name, value in os.environ.items() if "AIRFLOW" not in name}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("parse_report.py"))],
        cwd=REPOSITORY,
        env={
            **inherited,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def our_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Import a plugin or a DAG file by name, as Airflow finds it."""
    folders = [str(REPOSITORY / name) for name in ("dags", "plugins")]
    with pytest.MonkeyPatch.context() as patch:
        # Airflow writes its configuration there when it is first imported.
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        patch.setattr(sys, "path", [*sys.path, *folders])
        yield importlib.import_module
