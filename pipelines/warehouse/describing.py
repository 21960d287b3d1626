"""Give a warehouse file the descriptions of its tables, views and columns, as comments.

dbt can do it model by model (``persist_docs``); that took a seventh of a session's build. Here it
is one transaction at the end.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb


def describe(warehouse: duckdb.DuckDBPyConnection, manifest: Path) -> None:
    """Comment every relation and column of a database that dbt's manifest describes."""
    models: dict[str, dict[str, Any]] = json.loads(manifest.read_text("utf-8"))["nodes"]
    relations = warehouse.execute(
        "select table_schema, table_name, table_type from information_schema.tables"
    ).fetchall()
    kinds = {(schema, name): kind for schema, name, kind in relations}
    warehouse.begin()
    for model in models.values():
        if kind := kinds.get((model["schema"], model["name"])):
            for statement in _comments(model, "view" if kind == "VIEW" else "table"):
                warehouse.execute(statement)
    warehouse.commit()


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _comments(model: dict[str, Any], kind: str) -> Iterator[str]:
    relation = f'"{model["schema"]}"."{model["name"]}"'
    yield f"comment on {kind} {relation} is {quoted(model['description'])}"
    for name, column in model["columns"].items():
        yield f'comment on column {relation}."{name}" is {quoted(column["description"])}'
