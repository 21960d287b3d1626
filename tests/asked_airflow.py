"""Ask an Airflow of its own for pages, in a process of its own (``ask_airflow``)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_once import made_once

from pipelines.operate.airflow_config import environment, password
from pipelines.operate.airflow_local import ensure_database
from pipelines.settings import Settings, load_settings

FAB = {
    "AIRFLOW__CORE__AUTH_MANAGER": (
        "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    ),
}


def asked(
    factory: pytest.TempPathFactory,
    settings: Settings,
    plugin: str,
    package: str,
    paths: list[str],
    *,
    runs: list[dict[str, Any]] | None = None,
    users: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What Airflow answers to nobody and to its user; with ``users``, FAB is its auth manager."""
    airflow_database(factory, settings)
    environ = environment(settings, 0, schedules=False) | (FAB if users else {})
    wanted = {"runs": runs or [], "paths": paths, "plugin": plugin, "package": package}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("dags") / "ask_airflow.py")],
        env={**environ, "PASSWORD": password(settings)},
        input=json.dumps(wanted | {"users": users or {}}),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def airflow_database(factory: pytest.TempPathFactory, settings: Settings) -> None:
    """Give a home an Airflow database of its own, with password and keys."""
    shutil.copytree(made_once(factory, "airflow-database", _database), settings.airflow)


def _database(folder: Path) -> None:
    """Migrate a database for FAB, which takes as long as all tests of pages; the simple does too.

    Its password and keys lie beside it.
    """
    settings = load_settings({}, home=folder.with_name("home"))
    password(settings)
    ensure_database(settings, environment(settings, 0, schedules=False) | FAB)
    settings.airflow.rename(folder)
