"""What the variables of docker-compose.yml stand for in a cluster on this machine.

Secrets that nobody gave are made once and kept in a file that only its owner may read. Addresses
are the loopback's, with ports that are free: nothing listens beyond this machine.
"""

import base64
import os
import random
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import HOST
from pipelines.operate.ports import free_port
from pipelines.operate.serve import AIRFLOW_PORT, MLFLOW_PORT

_HOSTS = ("LISTEN_ON", "POSTGRES_HOST", "REDIS_HOST", "AIRFLOW_HOST", "TRACKING_HOST")
_INNER_PORTS = ("POSTGRES_PORT", "REDIS_PORT", "SCHEDULER_HEALTH_PORT")
# Below the range from which the kernel takes ports of outgoing connections: one of those must not
# sit on a port in the moment in which its server starts again.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000


def _password() -> str:
    return secrets.token_hex(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _password,
    "AIRFLOW_DB_PASSWORD": _password,
    "MLFLOW_DB_PASSWORD": _password,
    "STORE_DB_PASSWORD": _password,
    "STORE_APP_PASSWORD": _password,
    "STORE_ANALYST_PASSWORD": _password,
    "REDIS_PASSWORD": _password,
    "ADMIN_PASSWORD": _password,
    "AIRFLOW_FERNET_KEY": _fernet_key,
    "AIRFLOW_SECRET_KEY": _password,
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_hex(64),
}
"""The variables that have no default, and how one is made where nobody gives it."""


def given_variables(names: Iterable[str], dotenv: Path) -> dict[str, str]:
    """Return those of these variables that are set: in the environment, else in a file ``.env``."""
    from_file = read_variables(dotenv) if dotenv.exists() else {}
    found = {**from_file, **os.environ}
    return {name: found[name] for name in names if found.get(name)}


def with_secrets(given: Mapping[str, str], kept: Path) -> dict[str, str]:
    """Return the given variables and, for each secret not among them, the one that is kept.

    Parameters
    ----------
    kept : the file of secrets that were made before; what is missing in it is made now.
    """
    made = read_variables(kept) if kept.exists() else {}
    missing = set(SECRETS) - set(given) - set(made)
    if missing:
        made |= {name: SECRETS[name]() for name in sorted(missing)}
        write_variables(kept, made)
    return {**made, **given}


def addresses(given: Mapping[str, str]) -> dict[str, str]:
    """Return where each server of a cluster on this machine listens.

    Parameters
    ----------
    given : variables that are set: a port among them is kept, hosts are not.
    """
    inner = _free_block(len(_INNER_PORTS))
    free = dict(zip(_INNER_PORTS, inner, strict=True))
    free["AIRFLOW_PORT"] = _preferred(AIRFLOW_PORT)
    free["TRACKING_PORT"] = _preferred(MLFLOW_PORT)
    ports = {name: given.get(name) or str(port) for name, port in free.items()}
    return {
        **dict.fromkeys(_HOSTS, HOST),
        **ports,
        "AIRFLOW_URL": f"http://{HOST}:{ports['AIRFLOW_PORT']}",
    }


def read_variables(file: Path) -> dict[str, str]:
    """Read a file of ``NAME=value`` lines, as ``.env`` is one; quotes around a value are left out.

    Raises
    ------
    ProcessError
        A line is none of these; its value, which may be a secret, is not shown.
    """
    found = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise ProcessError(str(file), f"line {number}", "it has no =", "Write NAME=value.")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[name.strip()] = value[1:-1] if quoted else value
    return found


def write_variables(file: Path, variables: Mapping[str, str]) -> None:
    """Write ``NAME=value`` lines into a file that only its owner may read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}.tmp")
    with open(temporary, "w", opener=_owner_only, encoding="utf-8") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in variables.items())
    temporary.replace(file)


def _preferred(port: int) -> int:
    return port if free_port(port) == port else _free_block(1)[0]


def _free_block(count: int) -> list[int]:
    chance = random.SystemRandom()
    while True:
        first = chance.randrange(_FIRST_PORT, _LAST_PORT - count)
        ports = list(range(first, first + count))
        if all(free_port(port) == port for port in ports):
            return ports


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
