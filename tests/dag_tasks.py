"""Tasks of the real DAG files, called outside of Airflow."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pipelines.settings import Settings

REPOSITORY = Path(__file__).parents[1]


def call_task(
    settings: Settings, dag_id: str, task_id: str, **params: object
) -> "subprocess.CompletedProcess[str]":
    """What a task of a DAG does with these parameters; its result is the last line of stdout."""
    own = ("AIRFLOW", "SMARTINVEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return subprocess.run(
        [
            *(sys.executable, str(REPOSITORY / "tests" / "dags" / "call_task.py")),
            *(dag_id, task_id, json.dumps(params)),
        ],
        env={
            **inherited,
            **settings.environment(),
            "AIRFLOW_HOME": str(settings.home / "airflow-of-the-test"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
