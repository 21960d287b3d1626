"""The one module that opens DuckDB: warehouse files, published ones for reading."""

import shutil
import uuid
from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.warehouse.anchoring import anchor, anchor_of

MEMORY_LIMIT = "4GB"
_ATTEMPTS = 3


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse file read-only; its marts need no schema name.

    Pointers in the path (``warehouse/current``, ``warehouse/sessions/<session>``) are resolved
    first, so the connection keeps reading the build it began with when the pointer moves. Its
    tables stay readable when retention removes that build; its views read the panel's files.

    Where the home was moved, the file's views are told so before.

    Parameters
    ----------
    path : a ``warehouse.duckdb``, or a folder that holds one.

    Raises
    ------
    WarehouseError
        There is no such file, or it is no DuckDB database that this release can read.
    """
    for _ in range(_ATTEMPTS):
        real = path.resolve()
        file = real / "warehouse.duckdb" if real.is_dir() else real
        if not file.is_file():
            if path.resolve() != real:
                continue  # the pointer moved and the old build went, between the two looks
            raise WarehouseError(
                "warehouse file",
                path,
                "there is none",
                "Run `smartinvest transform` for the session you want to read.",
            )
        connection = _open(file)
        if anchor_of(connection) in (None, file.parent):
            return connection
        connection.close()
        _follow(file)
        return _open(file)
    raise WarehouseError(
        "warehouse file", path, "its pointer moved faster than it could be read", "Try again."
    )


def open_writable(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a database that nobody else has open, to change it."""
    return duckdb.connect(str(file), config=_config())


def _follow(file: Path) -> None:
    """Let the views of a file that was moved look for the panel beside it.

    It is done on a copy, which takes the file's place: who has it open goes on reading.
    """
    copy = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        shutil.copyfile(file, copy)
        with open_writable(copy) as warehouse:
            anchor(warehouse, file.parent)
        copy.replace(file)
    except (OSError, duckdb.Error) as error:
        copy.unlink(missing_ok=True)
        raise WarehouseError(
            "warehouse file",
            file,
            f"it was moved, and its views cannot be told so ({str(error).splitlines()[0]})",
            "Mend the folder's permissions or make room on the disk, or move the home back.",
        ) from None


def _config() -> dict[str, str]:
    return {
        "memory_limit": MEMORY_LIMIT,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(file), read_only=True, config=_config())
    except duckdb.Error as error:
        raise WarehouseError(
            "warehouse file",
            file,
            f"it cannot be opened ({str(error).splitlines()[0].rstrip('.')})",
            "If it is damaged, remove its folder and run `smartinvest transform` again.",
        ) from None
    connection.execute("set timezone = 'UTC'")
    connection.execute("set search_path = 'marts'")
    return connection
