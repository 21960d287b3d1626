"""The optional reference files of a folder: instruments, universe, actions and macro series."""

import datetime as dt
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from models.vocabulary import ActionKind, AssetClass
from pipelines.errors import SourceError
from pipelines.ingest.files.columns import plain_spelling
from pipelines.ingest.files.delimited import MISSING
from pipelines.ingest.files.folder import DataFile, Folder
from pipelines.ingest.provider import (
    ACTION_SCHEMA,
    INSTRUMENT_SCHEMA,
    MACRO_SCHEMA,
    UNIVERSE_SCHEMA,
)
from pipelines.sessions import FIRST_DATE

_DATE_SPELLINGS = ("session_date", "ex_date", "date")
_NOT_HELD = {AssetClass.INDEX, AssetClass.VOLATILITY, AssetClass.UNCLASSIFIED}


def instruments(folder: Folder, first_days: Mapping[str, dt.date | None]) -> pa.Table:
    """Return the instruments of ``instruments.csv``, and every other symbol as unclassified.

    Parameters
    ----------
    first_days : for each symbol with a price file, its first day, or None where that is unknown.

    Notes
    -----
    A column that the file leaves out, and a field that it leaves empty, gets what is usual: the
    symbol as name and substitute group, US dollars, no cost, tradable unless an index, and equal
    shares of the reference portfolio.
    """
    given = _read(folder, "instruments", ("symbol", "asset_class"), INSTRUMENT_SCHEMA)
    rows = {row["symbol"]: row for row in given.to_pylist()}
    for symbol in first_days:
        rows.setdefault(symbol, {"symbol": symbol})
    completed = [_completed(row, first_days.get(row["symbol"])) for row in rows.values()]
    if "reference_weight" not in given.column_names:
        held = sum(row["tradable"] for row in completed)
        for row in completed:
            row["reference_weight"] = 1 / held if row["tradable"] else 0.0
    completed.sort(key=lambda row: row["symbol"])
    return pa.Table.from_pylist(completed, schema=INSTRUMENT_SCHEMA)


def universe(folder: Folder, first_days: Mapping[str, dt.date | None]) -> pa.Table:
    """Return ``universe.csv``, or else one of hindsight: each symbol since its first bar."""
    if folder.reference("universe") is not None:
        given = _read(folder, "universe", ("universe", "symbol", "member_from"), UNIVERSE_SCHEMA)
        return _filled(given, UNIVERSE_SCHEMA)
    rows = [
        {"universe": "files", "symbol": symbol, "member_from": day}
        for symbol, day in sorted(first_days.items())
        if day is not None
    ]
    return pa.Table.from_pylist(rows, schema=UNIVERSE_SCHEMA)


def actions(folder: Folder) -> pa.Table:
    """Return ``actions.csv``: dividends, capital gains and splits."""
    given = _read(folder, "actions", ("symbol", "session_date", "kind"), ACTION_SCHEMA)
    _require_words(folder, "actions", given, "kind", {kind.value for kind in ActionKind})
    return _filled(given, ACTION_SCHEMA)


def macro(folder: Folder) -> pa.Table:
    """Return ``macro.csv``: economic series, with the moment of release where it is known."""
    required = ("series_id", "observation_date", "value")
    return _filled(_read(folder, "macro", required, MACRO_SCHEMA), MACRO_SCHEMA)


def _completed(row: dict[str, Any], first_day: dt.date | None) -> dict[str, Any]:
    given = {name: value for name, value in row.items() if value is not None}
    symbol = given["symbol"]
    asset_class = given.get("asset_class", AssetClass.UNCLASSIFIED.value)
    usual = {
        "name": symbol,
        "asset_class": asset_class,
        "currency": "USD",
        "expense_ratio_bps": 0,
        "substitute_group": symbol,
        "reference_weight": 0.0,
        "tradable": asset_class not in {one.value for one in _NOT_HELD},
        "first_session": first_day or FIRST_DATE,
    }
    return usual | given


def _read(folder: Folder, name: str, required: tuple[str, ...], schema: pa.Schema) -> pa.Table:
    """Return the understood columns of a reference file, in the schema's types."""
    file = folder.reference(name)
    if file is None:
        return schema.empty_table()
    try:
        table = _raw(file, schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise _refused(file, f"it cannot be read ({str(error).splitlines()[0]})") from None
    missing = [column for column in required if column not in table.column_names]
    if missing:
        raise _refused(file, f"it has no column {', '.join(missing)}")
    for column in required:
        if table[column].null_count and not schema.field(column).nullable:
            raise _refused(file, f"a field of its column {column} is empty")
    return table


def _raw(file: DataFile, schema: pa.Schema) -> pa.Table:
    if file.is_parquet:
        table = pq.read_table(io.BytesIO(file.read()))
    else:
        with pa.input_stream(str(file.path), compression="detect") as stream:
            table = pacsv.read_csv(
                stream,
                parse_options=pacsv.ParseOptions(delimiter="\t" if file.suffix == ".tsv" else ","),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(_header_of(file), pa.string()),
                    null_values=MISSING,
                    strings_can_be_null=True,
                ),
            )
    names = [_meaning(name, schema) for name in table.column_names]
    if len(set(names)) < len(names):
        raise pa.ArrowInvalid("two of its columns mean the same")
    table = table.rename_columns(names)
    known = [name for name in schema.names if name in names]
    return table.select(known).cast(
        pa.schema([pa.field(name, schema.field(name).type) for name in known])
    )


def _header_of(file: DataFile) -> list[str]:
    with pa.input_stream(str(file.path), compression="detect") as stream:
        line = stream.read(1 << 16).split(b"\n")[0].decode("utf-8-sig", "replace")
    delimiter = "\t" if file.suffix == ".tsv" else ","
    return [name.strip(' "\r') for name in line.split(delimiter)]


def _meaning(name: str, schema: pa.Schema) -> str:
    plain = plain_spelling(name)
    if "session_date" in schema.names and plain in _DATE_SPELLINGS:
        return "session_date"
    return "symbol" if plain == "ticker" else plain


def _filled(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = {
        field.name: rows[field.name]
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    }
    return pa.table(columns).cast(schema)


def _require_words(
    folder: Folder, name: str, rows: pa.Table, column: str, allowed: set[str]
) -> None:
    wrong = set(pc.unique(rows[column]).to_pylist()) - allowed
    file = folder.reference(name)
    if wrong and file is not None:
        raise _refused(
            file, f"{column} {sorted(wrong)[0]!r} is none of {', '.join(sorted(allowed))}"
        )


def _refused(file: DataFile, problem: str) -> SourceError:
    return SourceError("file", file.path, problem, "Its columns are described in docs/files.md.")
