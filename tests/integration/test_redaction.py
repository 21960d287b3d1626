"""No command, log or error shows a secret, whichever library says it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.lineage import REPOSITORY

PASSWORD = "c41f09d7be83"
"""Not in any text of ours by chance."""

SECRETS = {
    "SMARTINVEST_STORE_URL": f"postgresql://anna:{PASSWORD}@127.0.0.1:9/smartinvest",
    "SMARTINVEST_FRED_API_KEY": f"fred-{PASSWORD}",
    "SMARTINVEST_SEARCH_URL": f"postgresql://127.0.0.1:9/search?user=anna&password={PASSWORD}",
    "SMARTINVEST_MLFLOW_URL": f"postgresql://anna:{PASSWORD}@127.0.0.1:9/mlflow",
    "SMARTINVEST_LAKE_URL": f"s3://AKIA:{PASSWORD}@bucket/lake?endpoint_override=127.0.0.1:9",
    "AWS_SECRET_ACCESS_KEY": f"aws-{PASSWORD}",
    "STORE_ADMIN_URL": f"postgresql://postgres:{PASSWORD}@127.0.0.1:9/postgres",
    "STORE_APP_PASSWORD": f"app-{PASSWORD}",
    "STORE_ANALYST_PASSWORD": f"analyst-{PASSWORD}",
}


def run(tmp_path: Path, *arguments: str, **changes: str) -> str:
    """Run python with every secret in its environment; return all that it says."""
    environ = {name: value for name, value in os.environ.items() if "SMARTINVEST" not in name}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**environ, "SMARTINVEST_HOME": str(tmp_path / "home"), **SECRETS, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("status",), "cannot be read"),
        (("store", "roles"), "roles cannot be made"),
        (("store", "migrate"), "cannot be reached"),
    ],
)
def test_a_command_that_fails_names_the_setting_and_shows_no_secret(
    tmp_path: Path, command: tuple[str, ...], told: str
) -> None:
    said = run(tmp_path, "-m", "pipelines.cli", *command)
    assert told in said
    assert PASSWORD not in said


LOG = """
import logging, os
from pipelines.log_identifiers import log_to_stderr
from pipelines.redaction import redact_uncaught_errors
log_to_stderr(logging.INFO)
redact_uncaught_errors()
log = logging.getLogger("some.library")
log.info("connecting to %s", os.environ["SMARTINVEST_STORE_URL"])
log.info("key %s", os.environ["AWS_SECRET_ACCESS_KEY"])
try:
    raise ValueError(os.environ["STORE_APP_PASSWORD"])
except ValueError:
    log.exception("it failed")
raise RuntimeError("cannot open " + os.environ["STORE_ADMIN_URL"])
"""


def test_what_a_library_logs_or_raises_is_shown_without_secrets(tmp_path: Path) -> None:
    said = run(tmp_path, "-c", LOG)
    assert PASSWORD not in said
    for kept in ("connecting to postgresql://***@127.0.0.1:9", "key ***", "ValueError: ***"):
        assert kept in said
    assert "RuntimeError: cannot open postgresql://***@127.0.0.1:9/postgres" in said


TASK_LOG = """
import os
import secret_masks
from airflow.sdk._shared.secrets_masker import redact
for name in os.environ:
    if name.startswith(("SMARTINVEST_", "STORE_", "AWS_")):
        print(name, redact("a library says " + os.environ[name]))
"""


def test_airflows_masker_knows_our_secrets(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        "-c",
        TASK_LOG,
        PYTHONPATH=f"{REPOSITORY}:{REPOSITORY / 'plugins'}",
        AIRFLOW_HOME=str(tmp_path / "airflow"),
    )
    assert PASSWORD not in said
    assert "SMARTINVEST_STORE_URL a library says postgresql://anna:***@127.0.0.1:9" in said
