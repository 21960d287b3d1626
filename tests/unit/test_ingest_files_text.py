"""Delimited price files as users write them: what is understood, what is set aside as text."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.files import delimited
from pipelines.ingest.files.columns import UnknownColumnsError, meanings
from pipelines.ingest.files.delimited import Parsed, read_rows
from pipelines.ingest.files.few import few_plain_rows
from pipelines.ingest.files.header import UnreadableError, read_header

DAY = dt.date(2020, 1, 2)


def read(text: str | bytes) -> Parsed:
    content = text.encode() if isinstance(text, str) else text
    header = read_header(content)
    return read_rows(header, content[header.length :])


def rows(text: str | bytes) -> list[dict[str, Any]]:
    return read(text).rows.to_pylist()


@pytest.mark.parametrize(
    "header",
    [
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "date,open,high,low,close,adjClose,volume",
        "timestamp,o,h,l,c,adjusted_close,v",
        '"Date","Open","High","Low","Close","Adj_Close","Volume"',
        "Trade Date,OPEN_PRICE,HIGH_PRICE,LOW_PRICE,Close/Last,Adj. Close,Vol.",
    ],
)
def test_usual_spellings_mean_the_same(header: str) -> None:
    assert rows(f"{header}\n2020-01-02,1,3,0.5,2,1.9,100\n") == [
        {
            "session_date": DAY,
            "open": 1.0,
            "high": 3.0,
            "low": 0.5,
            "close": 2.0,
            "adjusted_close": 1.9,
            "volume": 100.0,
        }
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-02",
        "2020-01-02 00:00:00-05:00",
        "2020-01-02T16:00:00Z",
        "20200102",
        "2020/1/2",
        "2020/01/02",
    ],
)
def test_days_are_read_as_they_are_written(text: str) -> None:
    assert rows(f"date,close\n{text},1\n") == [{"session_date": DAY, "close": 1.0}]


def test_slashes_are_read_in_the_order_that_the_whole_file_allows() -> None:
    american, european = (
        rows("date,close\n01/13/2020,1\n01/02/2020,2\n"),
        rows("date,close\n13/01/2020,1\n01/02/2020,2\n"),
    )
    assert [row["session_date"] for row in american] == [dt.date(2020, 1, 13), DAY]
    assert [row["session_date"] for row in european] == [dt.date(2020, 1, 13), dt.date(2020, 2, 1)]


def test_slashes_that_can_be_read_in_two_orders_are_not_guessed() -> None:
    with pytest.raises(UnreadableError, match="month first and as day first"):
        read("date,close\n01/02/2020,1\n03/04/2020,2\n")


def test_a_day_that_does_not_exist_is_set_aside_and_not_moved() -> None:
    parsed = read("date,close\n2020-02-31,1\n2020-03-02,2\n")
    assert parsed.bad_lines == ("2020-02-31,1",)
    assert parsed.rows["session_date"].to_pylist() == [dt.date(2020, 3, 2)]


def test_dollars_and_thousands_are_numbers_and_a_decimal_comma_is_not() -> None:
    parsed = read('date;close;volume\n2020-01-02;"$1,234.5";"1,000"\n2020-01-03;1,5;7\n')
    assert parsed.rows.to_pylist() == [{"session_date": DAY, "close": 1234.5, "volume": 1000.0}]
    assert parsed.bad_lines == ("2020-01-03;1,5;7",)
    assert parsed.bad_reason == "not understood: close"


def test_missing_values_are_null_and_the_row_stays() -> None:
    assert rows("date,close,volume\n2020-01-02,null,\n") == [
        {"session_date": DAY, "close": None, "volume": None}
    ]


def test_lines_of_another_length_are_set_aside_with_their_text() -> None:
    parsed = read("date,close\n2020-01-02,1\n2020-01-03,1,2\n2020-01\n")
    assert parsed.rows.num_rows == 1
    assert parsed.bad_lines == ("2020-01-03,1,2", "2020-01")
    assert parsed.bad_reason == "3 fields instead of 2; 1 fields instead of 2"


def test_a_byte_that_is_no_text_spoils_its_own_line_only() -> None:
    parsed = read(b"date,close\n2020-01-02,1\n2020-01-03,\xff\n")
    assert (parsed.rows.num_rows, parsed.bad_lines) == (1, ("2020-01-03,\\xff",))


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    assert rows("\ufeffdate,close\r\n2020-01-02,1\r\n") == [{"session_date": DAY, "close": 1.0}]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02", b"\xff\xfe,a\n"])
def test_what_is_no_text_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(content)


def test_a_header_without_what_prices_need_is_refused_by_name() -> None:
    with pytest.raises(UnknownColumnsError, match="no column for close among Date, Open"):
        meanings(["Date", "Open"])
    with pytest.raises(UnknownColumnsError, match="'Close' and 'close' both mean close"):
        meanings(["Date", "Close", "close"])


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
days = st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31))


@given(st.lists(st.tuples(days, numbers), min_size=1, max_size=20), st.booleans())
def test_every_number_comes_back_bit_for_bit(
    bars: list[tuple[dt.date, float]], patiently: bool
) -> None:
    lines = [f"{day},{close!r}" for day, close in bars]
    spoilt = ["2020-01-02,?"] if patiently else []
    parsed = read("\n".join(["date,close", *lines, *spoilt, ""]))
    assert [(row["session_date"], row["close"]) for row in parsed.rows.to_pylist()] == bars
    assert list(parsed.bad_lines) == spoilt


HEADER = b"Date,Open,Note,Close,Volume\n"
PLAIN_LINES = [
    b"2020-01-02,10.1,a note,-0.30000000000000004,1234567\n",
    b"2020-01-02,10,,007.25,0\r\n2020-01-03,11,x,12345678901234567890.5,12\r\n",
    b"2020-01-02,0.1,caf\xe9,0.2,3",
]
ODD_LINES = [
    b"2020-02-30,1,,1,1\n",
    b"02/03/2020,1,,1,1\n",
    b"2020-01-02,1e3,,1,1\n",
    b"2020-01-02,,,1,1\n",
    b"2020-01-02, 1,,1,1\n",
    b"2020-01-02,1,1,1\n",
    b'2020-01-02,1,"a,b",1,1\n',
    b"2020-01-02,1,,1,1\n\n",
    b"2020-01-02,1,a\rb,1,1\n",
    b"2020-01-02,1_0,,1,1\n",
    "2020-01-02,1٣,,1,1\n".encode(),
]


@pytest.mark.parametrize("body", PLAIN_LINES)
def test_a_few_plain_lines_read_as_in_a_large_file(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = read_header(HEADER)
    few = few_plain_rows(header, body)
    monkeypatch.setattr(delimited, "few_plain_rows", lambda header, body: None)
    assert few is not None
    assert few.equals(read_rows(header, body).rows)


@pytest.mark.parametrize("body", ODD_LINES)
def test_odd_lines_are_left_to_the_patient_reader(body: bytes) -> None:
    assert few_plain_rows(read_header(HEADER), body) is None
