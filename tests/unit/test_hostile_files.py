"""Files and names made to do harm are refused, or shown as the text that they are."""

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.clients import csv_file
from pipelines.clients.csv_file import read_client_file
from pipelines.errors import ClientInputError
from pipelines.explain.document import Document, Grid, Section
from pipelines.explain.page import page
from pipelines.ingest.files import bombs
from pipelines.ingest.files.bombs import require_plausible_parquet, unpack_gzip
from pipelines.ingest.files.header import UnreadableError
from pipelines.quality.listing import write_csv

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bombs, "_SMALL", 1 << 12)
    monkeypatch.setattr(csv_file, "_LARGEST_BYTES", 1 << 12)


@pytest.mark.usefixtures("small_limits")
def test_a_gzip_bomb_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UnreadableError, match="unpacks to over 100 times"):
        unpack_gzip(gzip.compress(bytes(1 << 22)))


@pytest.mark.usefixtures("small_limits")
def test_real_prices_unpack_whatever_their_size() -> None:
    rng = np.random.default_rng(1)
    text = "\n".join(f"2024-01-02,{price:.6f}" for price in rng.uniform(1, 9, 5000)).encode()
    assert unpack_gzip(gzip.compress(text)) == text


def test_what_is_no_gzip_or_ends_early_is_refused() -> None:
    for content in (b"no gzip at all", gzip.compress(bytes(range(256)) * 9)[:-20]):
        with pytest.raises(UnreadableError, match="cannot be unpacked"):
            unpack_gzip(content)


@pytest.mark.usefixtures("small_limits")
def test_a_parquet_file_that_announces_more_rows_than_it_can_hold_is_refused() -> None:
    def written(column: pa.Array) -> tuple[pq.ParquetFile, int]:
        sink = io.BytesIO()
        pq.write_table(pa.table({"close": column}), sink)
        return pq.ParquetFile(pa.BufferReader(sink.getvalue())), len(sink.getvalue())

    with pytest.raises(UnreadableError, match="announces 1,000,000 rows"):
        require_plausible_parquet(*written(pa.array(np.zeros(1_000_000))))
    require_plausible_parquet(*written(pa.array(np.random.default_rng(1).uniform(1, 9, 10_000))))


@pytest.mark.usefixtures("small_limits")
def test_a_client_file_too_large_for_the_memory_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_bytes(bytes(5000))
    with pytest.raises(ClientInputError, match=r"5,000 bytes, more than 4,096"):
        read_client_file(tmp_path / "clients.csv")


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_takes_no_rejected_value_for_a_formula(formula: str) -> None:
    stream = io.StringIO()
    write_csv(
        pa.table({"symbol": [formula, "^GSPC", "BRK-B"], "observed_value": ["-1.5"] * 3}), stream
    )
    rows = stream.getvalue()
    assert f"'{formula}" in rows
    assert "^GSPC,-1.5\nBRK-B,-1.5\n" in rows, "numbers and usual symbols stay as they are"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_in_an_explanation_is_text(text: str) -> None:
    section = Section(text, 1, (text,), grids=(Grid((text, "shares"), ((text, "1"),), numeric=1),))
    html = page(Document(text, (section,)))
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r"""=\s*["']?javascript:""", html)
