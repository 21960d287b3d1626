"""Ask a published warehouse a question in SQL."""

from typing import Any

import duckdb

from pipelines.errors import WarehouseError


def ask(
    warehouse: duckdb.DuckDBPyConnection, sql: str, most_rows: int
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns' names and the first rows of an answer.

    Raises
    ------
    WarehouseError
        The question cannot be understood or answered.
    """
    try:
        answer = warehouse.execute(sql)
        names = [column[0] for column in answer.description or ()]
        return names, answer.fetchmany(most_rows)
    except duckdb.Error as error:
        raise WarehouseError(
            "query",
            " ".join(sql.split())[:80],
            str(error).splitlines()[0].rstrip("."),
            "Mend it; `smartinvest query 'show tables'` lists the marts, docs/queries has more.",
        ) from None
