"""Client files in the real store, on both databases."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from stored import read_current

from models.declaration import Table
from models.store_inputs import (
    ACCOUNT,
    CLIENT_IDENTITY,
    GOAL,
    HOLDING,
    INPUTS,
    PREFERENCE,
    RISK_PROFILE,
    SNAPSHOT,
)
from models.store_issues import CLIENT_ISSUE
from models.vocabulary import CASH
from pipelines.clients import count_clients, import_csv
from pipelines.clients.saving import Saved
from pipelines.errors import ClientInputError
from pipelines.settings import Settings
from pipelines.store import connect, tables

WriteFile = Callable[..., Path]


def contents(settings: Settings, *chosen: Table) -> dict[str, list[tuple[object, ...]]]:
    with connect(settings) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(tables[table.name]))))
            for table in chosen or (*INPUTS, CLIENT_ISSUE)
        }


def only(table: pa.Table) -> dict[str, object]:
    (row,) = table.to_pylist()
    return row


def test_the_documented_example_loads(
    store: Settings, tmp_path: Path, documented_example: str
) -> None:
    path = tmp_path / "example.csv"
    path.write_text(documented_example, encoding="utf-8")
    report = import_csv(store, path)
    assert (report.rows, report.rejected_rows, report.issues) == (3, 0, ())
    assert report.clients == Saved(added=2, changed=0, unchanged=0)
    holdings = {
        (row["symbol"], row["quantity_micros"]) for row in read_current(store, HOLDING).to_pylist()
    }
    assert holdings == {
        ("AAPL", 10_000_000),
        ("MSFT", 2_500_000),
        ("QUAL", 12_000_000),
        (CASH, 1_250_750_000),
        (CASH, 300_000_000),
        (CASH, 8_000_000_000),
    }


def test_importing_twice_changes_nothing(store: Settings, client_file: WriteFile) -> None:
    path = client_file({}, {"account_number": "2", "cash": "x"}, {"external_ref": "C-2"})
    import_csv(store, path)
    before = contents(store)
    again = import_csv(store, path)
    assert contents(store) == before
    assert again.clients == Saved(added=0, changed=0, unchanged=2)
    assert [issue.field for issue in again.issues] == ["cash"]


@pytest.mark.parametrize(
    ("change", "table", "column", "value"),
    [
        ({"annual_income": "90000"}, RISK_PROFILE, "annual_income_cents", 9_000_000),
        ({"target_amount": "5000.01"}, GOAL, "target_cents", 500_001),
        ({"cash_buffer": "1"}, ACCOUNT, "cash_buffer_cents", 100),
    ],
)
def test_a_changed_row_is_a_new_version_of_that_table_alone(
    store: Settings,
    client_file: WriteFile,
    change: dict[str, str],
    table: Table,
    column: str,
    value: int,
) -> None:
    import_csv(store, client_file({}))
    others = [other for other in INPUTS if other is not table]
    before = contents(store, *others)
    former = only(read_current(store, table))
    report = import_csv(store, client_file(change))
    current = only(read_current(store, table))
    assert report.clients == Saved(added=0, changed=1, unchanged=0)
    assert (current["version"], current[column]) == (2, value)
    assert former[column] != value
    assert len(contents(store, table)[table.name]) == 2, "the former version stays"
    assert contents(store, *others) == before


def test_changed_holdings_are_a_whole_new_version(store: Settings, client_file: WriteFile) -> None:
    import_csv(store, client_file({"holdings": "AAPL:10;MSFT:2.5"}))
    import_csv(store, client_file({"holdings": "AAPL:10"}))
    current = read_current(store, HOLDING)
    assert set(current["symbol"].to_pylist()) == {"AAPL", CASH}
    assert set(current["version"].to_pylist()) == {2}


def test_the_last_wish_can_be_taken_back(store: Settings, client_file: WriteFile) -> None:
    import_csv(store, client_file({"exclusions": "class:energy", "max_symbol_weight": "0.2"}))
    import_csv(store, client_file({"exclusions": "", "max_symbol_weight": ""}))
    wish = only(read_current(store, PREFERENCE))
    assert (wish["kind"], wish["limit_weight"]) == ("max_symbol_weight", 1.0)


def test_a_file_leaves_alone_what_it_does_not_name(store: Settings, client_file: WriteFile) -> None:
    import_csv(store, client_file({}, {"account_number": "2"}, {"external_ref": "C-2"}))
    accounts = contents(store, ACCOUNT)
    report = import_csv(store, client_file({"account_number": "2", "cash": "7"}))
    assert report.clients == Saved(added=0, changed=1, unchanged=0)
    assert contents(store, ACCOUNT) == accounts


def test_a_changed_name_reaches_no_table_that_advice_reads(
    store: Settings, client_file: WriteFile
) -> None:
    import_csv(store, client_file({}))
    before = contents(store, *SNAPSHOT)
    report = import_csv(store, client_file({"full_name": "Ada Rivers", "email": "a@example.net"}))
    assert report.clients.changed == 1
    assert contents(store, *SNAPSHOT) == before
    assert only(read_current(store, CLIENT_IDENTITY))["full_name"] == "Ada Rivers"


def test_a_name_typed_with_other_accents_is_the_same_name(
    store: Settings, client_file: WriteFile
) -> None:
    import_csv(store, client_file({"full_name": "Zo\u00eb"}))
    assert import_csv(store, client_file({"full_name": "Zoe\u0308"})).clients.unchanged == 1


def test_good_rows_load_and_bad_ones_are_kept_as_issues(
    store: Settings, client_file: WriteFile
) -> None:
    path = client_file(
        {}, {"account_number": "2", "holdings": "TSLA:1"}, {"external_ref": "C-9", "email": "x"}
    )
    report = import_csv(store, path)
    assert (report.rows, report.rejected_rows, report.clients.added) == (3, 2, 1)
    with connect(store) as connection:
        issues = connection.execute(sa.select(tables[CLIENT_ISSUE.name])).mappings().all()
    known = only(read_current(store, CLIENT_IDENTITY))["client_id"]
    assert {(row["line"], row["field"], row["client_id"]) for row in issues} == {
        (3, "holdings", known),
        (4, "email", None),
    }
    assert {row["file_digest"] for row in issues} == {report.file_digest}


def test_a_file_of_bad_rows_only_loads_nobody(store: Settings, client_file: WriteFile) -> None:
    report = import_csv(store, client_file({"cash": "-1"}))
    assert report.rejected_rows == report.rows == 1
    assert count_clients(store) == 0


def test_an_unreadable_file_changes_nothing(store: Settings, client_file: WriteFile) -> None:
    import_csv(store, client_file({}))
    before = contents(store)
    broken = client_file({"external_ref": "C-2"}, name="broken.csv")
    broken.write_text(broken.read_text("utf-8") + '"', encoding="utf-8")
    with pytest.raises(ClientInputError):
        import_csv(store, broken)
    assert contents(store) == before


def test_new_clients_get_random_keys(store: Settings, client_file: WriteFile) -> None:
    import_csv(store, client_file({}, {"external_ref": "C-2"}))
    keys = [row["client_id"] for row in read_current(store, CLIENT_IDENTITY).to_pylist()]
    assert [uuid.UUID(key).version for key in keys] == [4, 4]
    assert len(set(keys)) == 2


def test_dates_are_judged_as_of_the_session_asked_for(
    store: Settings, client_file: WriteFile
) -> None:
    path = client_file({"target_date": "2012-06-29", "holdings": "AAPL:1"})
    assert import_csv(store, path).rejected_rows == 1
    earlier = store.model_copy(update={"session": dt.date(2010, 6, 30)})
    assert import_csv(earlier, path).rejected_rows == 0


def test_two_imports_at_once_give_every_client_one_key(
    store: Settings, client_file: WriteFile
) -> None:
    refs = [{"external_ref": f"C-{number}"} for number in range(60)]
    paths = [client_file(*refs, name="one.csv"), client_file(*refs[::-1], name="two.csv")]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda path: import_csv(store, path), paths))
    assert sorted(report.clients.added for report in reports) == [0, 60]
    assert sorted(report.clients.unchanged for report in reports) == [0, 60]
    assert count_clients(store) == 60


def test_a_long_list_of_issues_is_cut_on_the_terminal_only(
    store: Settings, client_file: WriteFile
) -> None:
    report = import_csv(store, client_file(*[{"cash": "x"}] * 60))
    assert str(report).splitlines()[-1] == "... and 10 more, see client_issue"
    assert len(contents(store, CLIENT_ISSUE)[CLIENT_ISSUE.name]) == 60
