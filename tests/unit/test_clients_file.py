"""A client file is read whole or refused whole, and its bad rows are told one by one."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from models.vocabulary import AssetClass, PreferenceKind
from pipelines.clients.assemble import Assembled, assemble
from pipelines.clients.columns import COLUMNS
from pipelines.clients.csv_file import read_client_file
from pipelines.clients.market import Market
from pipelines.errors import ClientInputError

MARKET = Market(
    session=dt.date(2022, 12, 28),
    classes={
        "AAPL": AssetClass.TECHNOLOGY,
        "MSFT": AssetClass.TECHNOLOGY,
        "QUAL": AssetClass.FACTOR,
        "XOM": AssetClass.ENERGY,
    },
    price_micros={},
)
WriteFile = Callable[..., Path]


def load(path: Path) -> Assembled:
    return assemble(read_client_file(path).rows, MARKET)


def test_the_documented_example_is_read_as_it_says(tmp_path: Path, documented_example: str) -> None:
    path = tmp_path / "example.csv"
    path.write_text(documented_example, encoding="utf-8")
    assembled = load(path)
    ada, noah = assembled.clients
    assert assembled.issues == ()
    assert [account.number for account in ada.accounts] == [1, 2]
    assert len(ada.goals) == 1
    assert ada.accounts[0].holdings == (("AAPL", 10_000_000), ("MSFT", 2_500_000))
    assert ada.accounts[0].cash_cents == 125_075
    assert ada.questionnaire.annual_expenses_cents == 5_200_050
    assert ada.preferences.max_symbol_weight == 0.25
    assert ada.preferences.exclusions == (
        (PreferenceKind.EXCLUDE_CLASS, "energy"),
        (PreferenceKind.EXCLUDE_SYMBOL, "XOM"),
    )
    assert noah.identity.full_name == "Mbeki, Noah"
    assert noah.accounts[0].holdings == ()
    assert noah.preferences.max_symbol_weight == 1.0


def test_the_document_describes_every_column_in_order() -> None:
    document = (Path(__file__).parents[2] / "docs" / "clients.md").read_text("utf-8")
    described = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \|$", document, re.MULTILINE)
    assert described == [
        (c.name, c.owner.value, c.meaning + (" (personal)" if c.personal else "")) for c in COLUMNS
    ]


def test_columns_may_come_in_any_order_with_a_byte_order_mark(
    client_file: WriteFile, tmp_path: Path
) -> None:
    lines = client_file({"full_name": "Zoë"}).read_text("utf-8").splitlines()
    turned = "\r\n".join(",".join(reversed(line.split(","))) for line in lines)
    path = tmp_path / "turned.csv"
    path.write_bytes(turned.encode("utf-8-sig"))
    assert load(path).clients[0].identity.full_name == "Zoë"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"external_ref,email\n", "lacks the columns 'full_name'"),
        (b"Jane Doe,jane@example.com\n", "its first line is no header"),
    ],
)
def test_a_file_without_the_right_header_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(content)
    with pytest.raises(ClientInputError, match=message) as caught:
        read_client_file(path)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.split("\n", 1)[0], "a header but no rows"),
        (lambda text: text.replace("holdings", "holdings,shoe_size", 1), "columns 'shoe_size'"),
        (lambda text: text.replace("holdings", "holdings,cash", 1), "repeats the columns 'cash'"),
        (lambda text: text.replace("holdings", "stocks", 1), "lacks.*'holdings'.*'stocks'"),
        (lambda text: text.replace("Ada", '"Ada"x', 1), "line 2 is not CSV"),
        (lambda text: text.replace("Ada", '"Ada', 1), "is not CSV"),
        (lambda text: text.replace("Ada", "A\0da", 1), "line 2 holds a NUL"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(
    client_file: WriteFile, edit: Callable[[str], str], message: str
) -> None:
    path = client_file({})
    path.write_text(edit(path.read_text("utf-8")), encoding="utf-8")
    with pytest.raises(ClientInputError, match=message):
        read_client_file(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused_with_the_line(client_file: WriteFile, encoding: str) -> None:
    path = client_file({}, {"full_name": "Zoë"})
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    with pytest.raises(ClientInputError, match=r"line \d is not UTF-8"):
        read_client_file(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClientInputError, match="No such file"):
        read_client_file(tmp_path / "nowhere.csv")


def test_a_row_with_a_cell_too_many_is_left_out(client_file: WriteFile) -> None:
    path = client_file({}, {"account_number": "2"})
    path.write_text(path.read_text("utf-8").rstrip() + ",surplus\n", encoding="utf-8")
    file = read_client_file(path)
    assert [row.line for row in file.rows] == [2]
    assert str(file.issues[0]).startswith("line 3, row")


def test_lines_are_counted_as_an_editor_counts_them(client_file: WriteFile) -> None:
    path = client_file({}, {"account_number": "2", "cash": "many"})
    header, *rows = path.read_text("utf-8").splitlines()
    text = "\n".join([header, rows[0].replace("Ada Brooks", '"Ada Brooks\n"'), "", rows[1], ""])
    path.write_text(text, encoding="utf-8")
    assert [issue.line for issue in load(path).issues] == [5]


@pytest.mark.parametrize(
    ("change", "field", "shown", "problem"),
    [
        ({"holdings": "AAPL:1;TSLA:1"}, "holdings", "'TSLA'", "unknown to the market"),
        ({"holdings": "AAPL:-3"}, "holdings", "'AAPL:-3'", "negative"),
        ({"target_date": "2022-12-28"}, "target_date", "'2022-12-28'", "horizon is impossible"),
        ({"target_date": "2102-12-30"}, "target_date", "'2102-12-30'", "horizon is impossible"),
        ({"target_date": "2190-01-01"}, "target_date", "'2190-01-01'", "horizon is impossible"),
        ({"target_amount": "0"}, "target_amount", "'0'", "goal of nothing"),
        ({"share_kind": "whole"}, "holdings", "'MSFT'", "holds a fraction"),
        ({"exclusions": "symbol:TSLA"}, "exclusions", "'TSLA'", "unknown to the market"),
        (
            {"exclusions": "class:technology;class:energy;symbol:QUAL"},
            "exclusions",
            "'class:technology;class:energy;symbol:QUAL'",
            "leave no instrument",
        ),
        ({"max_symbol_weight": "0"}, "max_symbol_weight", "'0'", "leaves nothing to hold"),
        ({"goal_kind": "yacht"}, "goal_kind", "'yacht'", "word is not known"),
        ({"gamble_choice": "6"}, "gamble_choice", "'6'", "whole number from 1 to 5"),
        ({"cash": "12.345"}, "cash", "'12.345'", "more than 2 decimals"),
        ({"birth_date": "2023-01-01"}, "birth_date", "(personal, not shown)", "nobody alive"),
        ({"birth_date": "1884-05-17"}, "birth_date", "(personal, not shown)", "nobody alive"),
        ({"email": "nowhere"}, "email", "(personal, not shown)", "no e-mail address"),
        ({"full_name": ""}, "full_name", "(personal, not shown)", "it is empty"),
        ({"full_name": "a\u202eb"}, "full_name", "(personal, not shown)", "control characters"),
        ({"external_ref": "x" * 65}, "external_ref", "(personal, not shown)", "longer than 64"),
        ({"tax_kind": "\x1b[31mred"}, "tax_kind", r"'\x1b[31mred'", "word is not known"),
    ],
)
def test_a_bad_row_is_told_and_the_good_one_loads(
    client_file: WriteFile, change: dict[str, str], field: str, shown: str, problem: str
) -> None:
    assembled = load(client_file({"external_ref": "C-1", **change}, {"external_ref": "C-2"}))
    assert [client.identity.external_ref for client in assembled.clients] == ["C-2"]
    (issue,) = assembled.issues
    assert str(issue).startswith(f"line 2, {field} = {shown}: ")
    assert problem in issue.problem


def test_the_longest_horizon_is_eighty_years(client_file: WriteFile) -> None:
    assert load(client_file({"target_date": "2102-12-28"})).issues == ()


def test_every_bad_cell_of_a_row_is_told(client_file: WriteFile) -> None:
    assembled = load(client_file({"cash": "x", "goal_kind": "x", "email": "x"}))
    assert [issue.field for issue in assembled.issues] == ["email", "goal_kind", "cash"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "account_number"),
        ({"account_number": "2", "annual_income": "1"}, "annual_income"),
        ({"account_number": "2", "full_name": "Somebody Else"}, "full_name"),
        ({"account_number": "2", "exclusions": ""}, "exclusions"),
        ({"account_number": "2", "target_date": "2060-01-01"}, "target_date"),
    ],
)
def test_a_row_that_contradicts_an_earlier_one_is_left_out(
    client_file: WriteFile, change: dict[str, str], field: str
) -> None:
    assembled = load(client_file({}, change, {"account_number": "3"}))
    assert [(issue.line, issue.field) for issue in assembled.issues] == [(3, field)]
    assert [account.number for account in assembled.clients[0].accounts] == [1, 3]


def test_a_rejected_row_leaves_no_goal_behind(client_file: WriteFile) -> None:
    assembled = load(client_file({}, {"goal_number": "2", "account_number": "1"}))
    assert [goal.number for goal in assembled.clients[0].goals] == [1]
