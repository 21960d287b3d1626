"""Let Airflow clean its own database of old runs, tasks, events and XComs: `airflow db clean`."""

import datetime as dt
import os
import re
import subprocess
import sys

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import database_file
from pipelines.settings import Settings

_SECONDS = 1800
_ROWS_PER_TRANSACTION = 5000
_CLEANED = re.compile(r"Checking table (?P<table>\w+)\nFound (?P<rows>\d+) rows")


def metadata_url(settings: Settings) -> str | None:
    """Return the URL of the embedded Airflow's database; None where there is none."""
    database = database_file(settings)
    return f"sqlite:///{database}" if database.is_file() else None


def clean_metadata(url: str, before: dt.datetime, *, dry_run: bool) -> dict[str, int]:
    """Remove what Airflow knows of the time before a moment, without an archive.

    Of each DAG the last run stays. What runs published is not in this database.

    Parameters
    ----------
    url : of Airflow's database. A task's own environment does not tell it: Airflow keeps its
        database from tasks.

    Returns
    -------
    Table to the rows that were, or in a dry run would be, removed; tables without any left out.

    Raises
    ------
    ProcessError
        Airflow could not do it.
    """
    command = [
        *(sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive"),
        *("--clean-before-timestamp", before.astimezone(dt.UTC).isoformat()),
        *("--batch-size", str(_ROWS_PER_TRANSACTION), "--error-on-cleanup-failure"),
        *(["--dry-run"] if dry_run else []),
    ]
    done = subprocess.run(
        command,
        env=_environment(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = next(reversed(done.stderr.strip().splitlines()), "nothing")
        raise ProcessError(
            "airflow db clean",
            f"exit code {done.returncode}",
            f"it said: {said.replace(url, '***')[:300]}",
            "Mend that and run the upkeep again; it goes on where it was.",
        )
    rows = {found["table"]: int(found["rows"]) for found in _CLEANED.finditer(done.stdout)}
    return {table: count for table, count in rows.items() if count}


def _environment(url: str) -> dict[str, str]:
    """Return this environment without what Airflow puts there to keep tasks from its database."""
    given = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(given)}
    environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = url
    if url.startswith("postgresql"):  # else Airflow asks for a driver that is not installed
        environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] = url
    return environ
