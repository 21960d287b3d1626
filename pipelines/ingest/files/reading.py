"""One price file of any kind, from bytes to understood rows."""

from collections.abc import Collection
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.ingest.files.bombs import require_plausible_parquet, unpack_gzip
from pipelines.ingest.files.columns import NUMBERS, TEXT_COLUMNS, meanings
from pipelines.ingest.files.delimited import Parsed, read_rows
from pipelines.ingest.files.folder import DataFile
from pipelines.ingest.files.header import UnreadableError, read_header


def read_price_file(
    file: DataFile,
    content: bytes,
    *,
    after: int = 0,
    only: Collection[str] | None = None,
    symbols: Collection[str] | None = None,
) -> Parsed:
    """Return the rows of a price file, its columns under the names of their meanings.

    Parameters
    ----------
    content : the file's bytes.
    after : how many bytes of delimited text are known already; rows behind them are returned.
    only : meanings wanted, where not all are.
    symbols : symbols wanted of a file that has a column for them; all if None.

    Raises
    ------
    UnreadableError
        It is no table.
    UnknownColumnsError
        Its columns are not those of prices.
    """
    if file.is_parquet:
        return _wanted(_read_parquet(content, only), symbols)
    if file.suffix == ".csv.gz":
        content = unpack_gzip(content)
    header = read_header(content)
    if only is not None:
        known = {spelled: name for spelled, name in header.meanings.items() if name in only}
        header = replace(header, meanings=known)
    body = memoryview(content)[max(after, header.length) :]
    return read_rows(header, body, symbols)


def _read_parquet(content: bytes, only: Collection[str] | None) -> Parsed:
    try:
        with pq.ParquetFile(pa.BufferReader(content)) as source:
            require_plausible_parquet(source, len(content))
            known = meanings(source.schema_arrow.names)
            if only is not None:
                known = {spelled: name for spelled, name in known.items() if name in only}
            rows = source.read(columns=list(known))
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableError(f"it is no Parquet file ({str(error).splitlines()[0]})") from None
    rows = rows.rename_columns([known[spelled] for spelled in rows.column_names])
    try:
        rows = rows.cast(pa.schema([(name, _type(name)) for name in rows.column_names]), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UnreadableError(f"its columns have other types than prices ({error})") from None
    keyed = rows["session_date"].is_valid()
    if "symbol" in rows.column_names:
        keyed = pc.and_(keyed, rows["symbol"].is_valid())
    lost = rows.filter(pc.invert(keyed))
    return Parsed(
        rows.filter(keyed) if lost.num_rows else rows,
        tuple(str(row) for row in lost.to_pylist()),
        "no date or symbol" if lost.num_rows else "",
    )


def _type(name: str) -> pa.DataType:
    if name in NUMBERS:
        return pa.float64()
    return pa.string() if name in TEXT_COLUMNS else pa.date32()


def _wanted(parsed: Parsed, symbols: Collection[str] | None) -> Parsed:
    if symbols is None or "symbol" not in parsed.rows.column_names:
        return parsed
    return replace(parsed, rows=parsed.rows.filter(pc.field("symbol").isin(list(symbols))))
