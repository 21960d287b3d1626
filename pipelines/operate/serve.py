"""The user interfaces of Airflow and MLflow, in the background of this machine."""

import os
import sys
import time
from pathlib import Path

import httpx
import typer

from models.credentials import without_credentials
from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import HOST, USER, credentials_file
from pipelines.operate.airflow_local import LocalAirflow
from pipelines.operate.due import runs_by_itself
from pipelines.operate.lock import hold_home
from pipelines.operate.ports import free_port
from pipelines.operate.processes import Household, is_running
from pipelines.settings import Settings

ROLE = "serve"
AIRFLOW_PORT = 8080
MLFLOW_PORT = 5000
START_TIMEOUT_S = 120.0

# Else MLflow opens on its pages for language models.
_RUNS = "#/experiments/1/runs?workflowType=machine_learning"


def start(settings: Settings) -> None:
    """Start the interfaces, wait until they answer, and say where they are.

    Airflow's scheduler runs too: sessions can be triggered, backfilled and cleared from the
    interface, and those of a polled source run by themselves.

    Raises
    ------
    HomeError
        A daily run holds the home.
    ProcessError
        The interfaces are served already, or one did not start.
    """
    with hold_home(settings):
        require_not_serving(settings)
        airflow = LocalAirflow(settings, ROLE)
        try:
            airflow.start(stays=True, preferred_port=AIRFLOW_PORT)
            mlflow_url = _start_mlflow(settings, airflow.household)
            mlflow_address(settings).write_text(f"{without_credentials(mlflow_url)}/{_RUNS}")
        except BaseException:
            airflow.stop()
            raise
    typer.echo(f"Airflow  {airflow.url}  user {USER}, password in {credentials_file(settings)}")
    typer.echo(f"MLflow   {without_credentials(mlflow_url)}/{_RUNS}")
    typer.echo(_what_runs(settings))
    typer.echo("end them with: make down")


def stop(settings: Settings) -> None:
    """End the interfaces; whatever a killed one left behind ends too."""
    ended = Household(settings, ROLE).end()
    mlflow_address(settings).unlink(missing_ok=True)
    typer.echo(f"ended {ended} processes" if ended else "nothing was being served")


def mlflow_address(settings: Settings) -> Path:
    """Return the file that holds the address of MLflow's pages while they are served."""
    return settings.home / "run" / ROLE / "mlflow.url"


def require_not_serving(settings: Settings) -> None:
    """Check that no interface serves this home.

    Raises
    ------
    ProcessError
        One does; the message names its pid.
    """
    for record in Household(settings, ROLE).records():
        if is_running(record):
            raise ProcessError(
                f"process {record.name}",
                record.pid,
                "the user interfaces are being served from this home",
                "End them first: make down.",
            )


def _what_runs(settings: Settings) -> str:
    source = settings.source.value
    if runs_by_itself(settings.source):
        return f"source {source} is polled: each session runs by itself once its bars can be known"
    return f"source {source} gets no new sessions by itself: trigger or backfill the DAG `ingest`"


def _start_mlflow(settings: Settings, household: Household) -> str:
    if settings.mlflow_url.startswith(("http:", "https:")):
        return settings.mlflow_url.rstrip("/")
    database = settings.mlflow_url or _database_file(settings)
    port = free_port(MLFLOW_PORT)
    url = f"http://{HOST}:{port}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)),
        *("--workers", "1"),
    ]
    environ = {
        **os.environ,
        # Not as an argument: every user of this machine may list those, and it may have a password.
        "MLFLOW_BACKEND_STORE_URI": database,
        # Without this the server runs seven more processes for jobs that nobody submits.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    record = household.start("mlflow", command, environ)
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx.Client(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline:
            household.require_alive(record)
            try:
                if http.get(f"{url}/health").is_success:
                    return url
            except httpx.TransportError:
                time.sleep(0.3)
    raise ProcessError(
        "MLflow", url, f"it did not answer within {START_TIMEOUT_S:.0f} s", f"See {record.log}."
    )


def _database_file(settings: Settings) -> str:
    # Heavy: it imports MLflow.
    from ml.tracking import ensure_database

    return ensure_database(settings.mlflow)
