"""Files that are small on the disk and would fill the memory are refused, before they do.

Real prices shrink some tenfold by compression. A file made to do harm shrinks a thousandfold.
"""

import gzip
import io
import zlib

import pyarrow.parquet as pq

from pipelines.ingest.files.header import UnreadableError

_SMALL = 64 << 20
"""Bytes that any machine has room for: below them nothing is refused."""

_MOST_GZIP = 100
"""Times that text of prices shrinks at most; gzip's own limit is 1,032."""

_MOST_ROWS_PER_BYTE = 64
"""Parquet writes a column of one value in a few bytes; dates and prices differ from row to row."""


def unpack_gzip(content: bytes) -> bytes:
    """Return what gzip packed.

    Raises
    ------
    UnreadableError
        It is not whole, or unpacks to far more than prices would.
    """
    most = max(_SMALL, _MOST_GZIP * len(content))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(f"it cannot be unpacked ({error})") from None
    if len(unpacked) > most:
        raise UnreadableError(
            f"it unpacks to over {_MOST_GZIP} times its {len(content):,} bytes, as prices never do"
        )
    return unpacked


def require_plausible_parquet(source: pq.ParquetFile, size_bytes: int) -> None:
    """Check that a Parquet file announces no more rows than its bytes can hold of prices.

    Raises
    ------
    UnreadableError
        It does.
    """
    rows = source.metadata.num_rows
    cells = rows * max(1, source.metadata.num_columns)
    if cells * 8 > _SMALL and rows > _MOST_ROWS_PER_BYTE * size_bytes:
        raise UnreadableError(f"it announces {rows:,} rows in {size_bytes:,} bytes")
