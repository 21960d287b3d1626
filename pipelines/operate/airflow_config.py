"""The embedded Airflow's configuration, as environment variables: SQLite, one machine, loopback."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate import openlineage
from pipelines.operate.airflow_pace import PACE
from pipelines.settings import Settings

HOST = "127.0.0.1"
USER = "admin"
PARALLELISM = 2

PASSED_ON = (
    "AIRFLOW_CONN_",
    "AIRFLOW_VAR_",
    "AIRFLOW__METRICS__",
    "AIRFLOW__TRACES__",
    "AIRFLOW__OPENLINEAGE__",
)
"""What a user may set for Airflow: whom it talks to. The rest is what makes it an embedded one."""

REPOSITORY = Path(__file__).resolve().parents[2]


def dags_folder() -> Path:
    """Return the folder of the real DAG files.

    Raises
    ------
    ProcessError
        It is not there: the package was installed without the repository around it.
    """
    folder = REPOSITORY / "dags"
    if not folder.is_dir():
        raise ProcessError(
            "DAG folder", folder, "there is no such folder", "Run from a clone of the repository."
        )
    return folder


def environment(settings: Settings, port: int, *, schedules: bool) -> dict[str, str]:
    """Return the whole environment of an Airflow process.

    It is this process's environment, with the settings and Airflow's own variables on top.

    Parameters
    ----------
    settings : every process of the embedded Airflow reads these very settings.
    port : where its API server listens on the loopback.
    schedules : whether new sessions are run by themselves, where the source is polled.
    """
    home = settings.airflow
    keys = _keys(home)
    url = f"http://{HOST}:{port}"
    airflow = {
        "CORE__DAGS_FOLDER": dags_folder(),
        "CORE__PLUGINS_FOLDER": REPOSITORY / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": PARALLELISM,
        "CORE__FERNET_KEY": keys["fernet_key"],
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": credentials_file(settings),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database_file(settings)}",
        "API__HOST": HOST,
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "API__SECRET_KEY": keys["secret_key"],
        "API_AUTH__JWT_SECRET": keys["jwt_secret"],
        # The default of one second between two looks is felt at each of the chain's hand-overs.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.25,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "LOGGING__BASE_LOG_FOLDER": log_folder(settings),
        "LOGGING__LOGGING_LEVEL": "INFO",
        "USAGE_DATA_COLLECTION__ENABLED": False,
        **PACE,
        # Read by plugins/exchange_sessions.py.
        "SMARTINVEST__SCHEDULE_SESSIONS": schedules,
    }
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AIRFLOW_") or name.startswith(PASSED_ON)
        },
        **settings.environment(),
        "AIRFLOW_HOME": str(home),
        **{f"AIRFLOW__{name}": str(value) for name, value in airflow.items()},
        **openlineage.variables(os.environ),
        # A proxy must never see what goes over the loopback.
        "no_proxy": f"{HOST},localhost,{os.environ.get('no_proxy', '')}".rstrip(","),
        "PYTHONUNBUFFERED": "1",
    }


def database_file(settings: Settings) -> Path:
    """Return the path of Airflow's own database."""
    return settings.airflow / "airflow.db"


def log_folder(settings: Settings) -> Path:
    """Return the folder in which Airflow keeps one log per task try."""
    return settings.airflow / "logs"


def credentials_file(settings: Settings) -> Path:
    """Return the path of the file that holds the user interface's password."""
    return settings.airflow / "credentials.json"


def password(settings: Settings) -> str:
    """Return the password of :data:`USER`, made at the first call."""
    stored = _made_once(credentials_file(settings), lambda: {USER: secrets.token_urlsafe(18)})
    return stored[USER]


def _keys(home: Path) -> dict[str, str]:
    return _made_once(
        home / "keys.json",
        lambda: {
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt_secret": secrets.token_urlsafe(64),
            "secret_key": secrets.token_urlsafe(32),
        },
    )


def _made_once(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with open(temporary, "w", opener=_owner_only) as file:
            json.dump(make(), file)
        temporary.replace(path)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
