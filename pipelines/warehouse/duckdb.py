"""The one module that opens DuckDB: published warehouse files, for reading."""

from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError

MEMORY_LIMIT = "4GB"
_ATTEMPTS = 3


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse file read-only; its marts need no schema name.

    Pointers in the path (``warehouse/current``, ``warehouse/sessions/<session>``) are resolved
    first, so the connection keeps reading the build it began with when the pointer moves or
    retention removes that build.

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
        return _open(file)
    raise WarehouseError(
        "warehouse file", path, "its pointer moved faster than it could be read", "Try again."
    )


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(
            str(file),
            read_only=True,
            config={
                "memory_limit": MEMORY_LIMIT,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
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
