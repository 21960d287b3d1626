"""Names made to do harm are text on every page that is made of data."""

import datetime as dt
import html
import re
from pathlib import Path

import pyarrow as pa
import pytest
from stock_bars import stock

from expectations.instruments import INSTRUMENT_SUITE
from models.lake import INSTRUMENTS
from pipelines.lake import arrow_schema
from pipelines.quality.confirmation import confirm
from pipelines.quality.data_docs import read_page, write_index
from pipelines.quality.documenting import rendered
from pipelines.quality.judging import judge_rows
from pipelines.settings import load_settings

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def data_docs() -> list[str]:
    """The pages of an instrument whose every text is hostile."""
    moment = stock()[0]["known_at"]
    row = {
        "source": "simulated",
        "symbol": HOSTILE,
        "name": HOSTILE,
        "asset_class": "technology",
        "currency": HOSTILE,
        "expense_ratio_bps": 5_000,
        "substitute_group": HOSTILE,
        "reference_weight": 0.5,
        "tradable": False,
        "known_at": moment,
        "known_at_basis": "assumed",
        "ingest_session": moment.date(),
    }
    rows = pa.Table.from_pylist([row], arrow_schema(INSTRUMENTS))
    verdict = judge_rows(INSTRUMENTS, INSTRUMENT_SUITE, rows)
    confirmation = confirm(INSTRUMENTS, INSTRUMENT_SUITE, verdict)
    return [rendered(result) for result in confirmation.results]


def test_data_docs_show_a_hostile_value_as_text() -> None:
    pages = data_docs()
    assert pages
    for page in pages:
        assert "<img src=x" not in page
        assert "<script>alert(2)" not in page
    assert any("onerror=alert(1)" in html.unescape(page) for page in pages), "it is shown at all"


def test_the_first_page_of_data_docs_shows_a_hostile_symbol_as_text(tmp_path: Path) -> None:
    rejected = pa.table(
        {name: [HOSTILE] for name in ("symbol", "rule", "reason", "remedy")}
        | {
            "session_date": [dt.date(2024, 5, 31)],
            "known_at": [dt.datetime(2024, 6, 1, tzinfo=dt.UTC)],
        }
    )
    settings = load_settings({}, home=tmp_path)
    write_index(settings, rejected, [(HOSTILE, HOSTILE)])
    page = read_page(settings, "index.html")
    assert page is not None
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
    assert not re.search(r"<(img|script)", page)


@pytest.mark.parametrize(
    "name", ["../../../airflow/keys.html", "/etc/x.html", "..\\x.html", "x.html/../y.html", ".html"]
)
def test_no_name_of_a_page_leads_out_of_their_folder(tmp_path: Path, name: str) -> None:
    settings = load_settings({}, home=tmp_path)
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "keys.html").write_text("secret")
    write_index(settings, pa.table({"symbol": pa.array([], pa.string())}), [])
    assert read_page(settings, name) is None
