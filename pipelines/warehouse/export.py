"""Export the feature mart as Parquet whose bytes depend on its rows only."""

from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.lake import FileRecord, write_parquet

_TYPES = {"VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64()}


def export_features(warehouse: duckdb.DuckDBPyConnection, path: Path) -> FileRecord:
    """Write the mart ``features`` ordered by symbol and session, in one chunk per column."""
    relation = warehouse.sql("select * from features order by symbol, session_date")
    schema = pa.schema(
        [
            pa.field(name, _TYPES[str(kind)])
            for name, kind in zip(relation.columns, relation.types, strict=True)
        ]
    )
    return write_parquet(relation.to_arrow_table().cast(schema).combine_chunks(), path)


def count_rows(warehouse: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the number of rows of each mart, by name."""
    marts = warehouse.sql(
        "select table_name from duckdb_tables() where schema_name = 'marts' order by table_name"
    ).fetchall()
    return {
        name: warehouse.sql(f'select count(*) from "{name}"').fetchall()[0][0] for (name,) in marts
    }
