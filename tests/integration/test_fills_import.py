"""Fills of a broker's file: what they change in the store, and what happens to odd ones."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from fill_examples import HEADER, add_client, state, statuses, write
from new_stores import make_store
from stored import read_current
from typer.testing import CliRunner

from models.store_inputs import HOLDING
from models.store_ledger import LOT_SALE, TAX_LOT, TRANSACTION, WASH_SALE
from models.vocabulary import CASH, MICROS
from pipelines.cli import app
from pipelines.errors import ClientInputError
from pipelines.fills import import_fills
from pipelines.fills.file import read_fill_file
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, tables, transaction

SELL = "f-1,sell-aapl,,,sell,4,126.50,0.30,2022-12-21T10:00:00-05:00"
BUY = "f-2,buy-ko,,,buy,8,60.123456,0.25,2022-12-21T10:05:00-05:00"


@pytest.fixture
def ada(store: Settings) -> Settings:
    """A store on each database."""
    add_client(store)
    return store


@pytest.fixture
def sqlite_ada(tmp_path: Path) -> Settings:
    settings = load_settings({}, home=tmp_path / "home")
    make_store(settings)
    add_client(settings)
    return settings


def held(settings: Settings, account_id: str = "taxable") -> dict[str, int]:
    rows = read_current(settings, HOLDING).to_pylist()
    return {
        row["symbol"]: row["quantity_micros"] for row in rows if row["account_id"] == account_id
    }


def lots(settings: Settings) -> dict[str, tuple[int, int | None]]:
    rows = read_current(settings, TAX_LOT).to_pylist()
    return {row["lot_id"]: (row["quantity_micros"] // MICROS, row["basis_cents"]) for row in rows}


def issues(settings: Settings) -> list[tuple[int, str]]:
    with connect(settings) as store:
        rows = store.execute(sa.text("SELECT line, field FROM client_issue ORDER BY line"))
        return [tuple(row) for row in rows]


def test_a_fill_writes_its_transaction_holdings_lots_and_state(
    ada: Settings, tmp_path: Path
) -> None:
    report = import_fills(ada, write(tmp_path, SELL, BUY))
    assert (report.booked, report.rejected, report.issues, report.notices) == (2, 0, (), ())
    # 5,000 + 4 x 126.50 - 0.30 - 480.99 - 0.25; 8 x 60.123456 is 480.987648.
    assert held(ada) == {CASH: 5_024_460_000, "AAPL": 6 * MICROS, "KO": 13 * MICROS}
    assert statuses(ada) == {"sell-aapl": "filled", "buy-ko": "filled", "ira-ko": "expired"}
    rows = read_current(ada, TRANSACTION).to_pylist()
    buy = next(row for row in rows if row["external_id"] == "f-2")
    assert (buy["cash_cents"], buy["trade_id"], buy["trade_date"]) == (
        -48_124,
        "buy-ko",
        dt.date(2022, 12, 21),
    )
    assert lots(ada) == {
        "old": (6, 30_000),
        "ko": (5, None),
        buy["transaction_id"]: (8, 48_124),
    }
    (sale,) = read_current(ada, LOT_SALE).to_pylist()
    assert (sale["lot_id"], sale["proceeds_cents"], sale["basis_cents"]) == ("new", 50_570, 60_000)
    assert read_current(ada, WASH_SALE).num_rows == 0


def test_importing_a_file_twice_changes_nothing(ada: Settings, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        SELL,
        BUY,
        "late,ira-ko,,,buy,3,60,0,2022-12-22T10:00:00-05:00",
        "bad,nowhere,,,buy,1,1,0,2022-12-21T10:00:00-05:00",
    )
    first = import_fills(ada, path)
    before = state(ada)
    second = import_fills(ada, path)
    assert (first.booked, first.repeated) == (3, 0)
    assert (second.booked, second.repeated, second.rejected) == (0, 3, 1)
    assert state(ada) == before


def test_partial_fills_add_up_to_the_trade(ada: Settings, tmp_path: Path) -> None:
    part = "p-{0},sell-aapl,,,sell,{1},126.50,0.10,2022-12-21T1{0}:00:00-05:00"
    with transaction(ada) as store:
        store.execute(tables["trade"].update().values(valid_until=dt.date(2023, 1, 31)))
    import_fills(ada, write(tmp_path, part.format(0, 1), name="a.csv"))
    assert statuses(ada)["sell-aapl"] == "partly_filled"
    assert lots(ada)["new"] == (3, 45_000)
    import_fills(ada, write(tmp_path, part.format(1, 3), name="b.csv"))
    assert statuses(ada) == {"sell-aapl": "filled", "buy-ko": "proposed", "ira-ko": "proposed"}
    assert lots(ada) == {"old": (6, 30_000), "ko": (5, None)}


def test_the_order_of_a_files_rows_changes_nothing(sqlite_ada: Settings, tmp_path: Path) -> None:
    import_fills(sqlite_ada, write(tmp_path, BUY, SELL))
    assert held(sqlite_ada) == {CASH: 5_024_460_000, "AAPL": 6 * MICROS, "KO": 13 * MICROS}


def test_a_late_or_overfilled_fill_is_booked_and_noted(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        "l-1,sell-aapl,,,sell,4,126.50,0,2022-12-23T10:00:00-05:00",
        "o-1,buy-ko,,,buy,9,60,0,2022-12-21T10:00:00-05:00",
    )
    report = import_fills(sqlite_ada, path)
    assert (report.booked, report.rejected) == (2, 0)
    assert issues(sqlite_ada) == [(2, "executed_at"), (3, "quantity")]
    assert held(sqlite_ada)["KO"] == 14 * MICROS
    assert statuses(sqlite_ada)["sell-aapl"] == statuses(sqlite_ada)["buy-ko"] == "filled"


def test_a_fill_of_a_trade_that_expired_with_a_rest_leaves_it_expired(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    import_fills(sqlite_ada, write(tmp_path, SELL, name="a.csv"))
    assert statuses(sqlite_ada)["buy-ko"] == "expired"
    late = "l-1,buy-ko,,,buy,3,60,0,2022-12-21T15:59:00-05:00"
    report = import_fills(sqlite_ada, write(tmp_path, late, name="b.csv"))
    assert [found.field for found in report.notices] == ["trade_id"]
    assert statuses(sqlite_ada)["buy-ko"] == "expired"
    assert held(sqlite_ada)["KO"] == 8 * MICROS


BAD = [
    ("x,nowhere,,,buy,1,1,0,2022-12-21T10:00:00-05:00", "trade_id"),
    ("x,buy-ko,ira,,buy,1,1,0,2022-12-21T10:00:00-05:00", "account_id"),
    ("x,buy-ko,,AAPL,buy,1,1,0,2022-12-21T10:00:00-05:00", "symbol"),
    ("x,buy-ko,,,sell,1,1,0,2022-12-21T10:00:00-05:00", "side"),
    ("x,buy-ko,,,buy,1,1,0,2022-12-20T15:59:59-05:00", "executed_at"),
    ("x,,nobody,KO,buy,1,1,0,2022-12-21T10:00:00-05:00", "account_id"),
    ("x,,taxable,NONE,buy,1,1,0,2022-12-21T10:00:00-05:00", "symbol"),
    ("x,,taxable,KO,sell,6,1,0,2022-12-21T10:00:00-05:00", "quantity"),
    ("x,,taxable,,buy,1,1,0,2022-12-21T10:00:00-05:00", "trade_id"),
    ("x,buy-ko,,,buy,0,1,0,2022-12-21T10:00:00-05:00", "quantity"),
    ("x,buy-ko,,,buy,1,0,0,2022-12-21T10:00:00-05:00", "price"),
    ("x,buy-ko,,,buy,2,1000000000,0,2022-12-21T10:00:00-05:00", "quantity"),
    ("x,buy-ko,,,hold,1,1,0,2022-12-21T10:00:00-05:00", "side"),
    ("x,buy-ko,,,buy,1,1,-1,2022-12-21T10:00:00-05:00", "fee"),
    ("x,buy-ko,,,buy,1,1,0,2022-12-21T10:00:00", "executed_at"),
    ("x,buy-ko,,,buy,1,1,0,2999-12-21T10:00:00-05:00", "executed_at"),
    (",buy-ko,,,buy,1,1,0,2022-12-21T10:00:00-05:00", "external_id"),
]
"""Lines that cannot be booked, and the field that is to blame."""


def test_fills_that_cannot_be_booked_are_issues_and_the_rest_is_booked(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    named = [line.replace("x,", f"x-{number},", 1) for number, (line, _) in enumerate(BAD)]
    report = import_fills(sqlite_ada, write(tmp_path, *named, SELL))
    assert (report.rows, report.booked, report.rejected) == (len(BAD) + 1, 1, len(BAD))
    expected = [(number + 2, field) for number, (_, field) in enumerate(BAD)]
    assert [(found.line, found.field) for found in report.issues] == expected
    assert all(found.problem and found.remedy for found in report.issues)
    assert issues(sqlite_ada) == expected
    assert held(sqlite_ada)["KO"] == 5 * MICROS


def test_a_settlement_before_the_execution_is_an_issue(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(f"{HEADER}{SELL},2022-12-20\n", "utf-8")
    assert [found.field for found in import_fills(sqlite_ada, path).issues] == ["settlement_date"]


def test_a_key_that_is_used_twice_for_different_fills_is_an_issue(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    other = SELL.replace("126.50", "126.51")
    # Which row of a file is right does not follow from which comes first.
    report = import_fills(sqlite_ada, write(tmp_path, SELL, SELL, other, name="a.csv"))
    assert (report.booked, report.repeated, report.rejected) == (0, 0, 3)
    report = import_fills(sqlite_ada, write(tmp_path, SELL, SELL, name="c.csv"))
    assert (report.booked, report.repeated, report.rejected) == (1, 1, 0)
    again = import_fills(sqlite_ada, write(tmp_path, other, name="b.csv"))
    assert [found.field for found in again.issues] == ["external_id"]
    assert "f-1" not in str(again)


def test_a_fill_without_a_trades_key_finds_its_trade_or_stands_alone(
    sqlite_ada: Settings, tmp_path: Path
) -> None:
    report = import_fills(
        sqlite_ada,
        write(
            tmp_path,
            "m-1,,taxable,KO,buy,8,60,0,2022-12-21T10:00:00-05:00",
            "u-1,,ira,XOM,buy,1,100,0,2022-12-21T10:00:00-05:00",
        ),
    )
    assert report.booked == 2
    rows = read_current(sqlite_ada, TRANSACTION).to_pylist()
    assert {row["external_id"]: row["trade_id"] for row in rows} == {"m-1": "buy-ko", "u-1": None}
    assert statuses(sqlite_ada)["buy-ko"] == "filled"
    assert held(sqlite_ada, "ira") == {CASH: 400 * MICROS, "XOM": MICROS}


def test_a_loss_is_carried_over_to_what_is_bought_back_days_later_in_another_file(
    ada: Settings, tmp_path: Path
) -> None:
    import_fills(ada, write(tmp_path, SELL, name="a.csv"))
    back = "b-1,,taxable,AAPL,buy,1,120,0,2022-12-27T10:00:00-05:00"
    forfeits = "b-2,,ira,AAPL,buy,1,120,0,2022-12-27T10:01:00-05:00"
    import_fills(ada, write(tmp_path, back, forfeits, name="b.csv"))
    washed = read_current(ada, WASH_SALE).to_pylist()
    # A loss of 94.30 on four shares: 23.575 on each, and together 47.15.
    assert sorted((row["disallowed_cents"], row["is_forfeited"]) for row in washed) == [
        (2_357, True),
        (2_358, False),
    ]
    carried = [
        row for row in read_current(ada, TAX_LOT).to_pylist() if row["carried_over_loss_cents"]
    ]
    (lot,) = carried
    assert lot["basis_cents"] == 12_000 + lot["carried_over_loss_cents"]
    # Held for 20 days before.
    assert lot["holding_period_start_date"] == dt.date(2022, 12, 7)


def test_an_account_whose_last_lot_is_sold_has_none(ada: Settings, tmp_path: Path) -> None:
    everything = (
        "e-1,,taxable,AAPL,sell,10,100,0,2022-12-27T10:00:00-05:00",
        "e-2,,taxable,KO,sell,5,60,0,2022-12-27T10:00:00-05:00",
    )
    import_fills(ada, write(tmp_path, *everything, name="a.csv"))
    rows = read_current(ada, TAX_LOT).to_pylist()
    assert [(row["lot_id"], row["symbol"], row["basis_cents"]) for row in rows] == [
        (CASH, CASH, None)
    ]
    again = "e-3,,taxable,KO,buy,5,60,0,2022-12-28T10:00:00-05:00"
    import_fills(ada, write(tmp_path, again, name="b.csv"))
    assert [row["symbol"] for row in read_current(ada, TAX_LOT).to_pylist()] == ["KO"]


def test_a_crash_before_the_end_leaves_nothing(
    ada: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(ada)

    def crash(*_: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as context:
        context.setattr("pipelines.fills.importing.expire_trades", crash)
        with pytest.raises(RuntimeError, match="power"):
            import_fills(ada, write(tmp_path, SELL, BUY))
    assert state(ada) == before
    assert import_fills(ada, write(tmp_path, SELL, BUY)).booked == 2


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", HEADER])
def test_a_file_that_is_no_fill_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fills.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(ClientInputError, match="fill file"):
        read_fill_file(path)


def test_the_command_shows_what_was_rejected_and_fails(
    sqlite_ada: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTINVEST_HOME", str(sqlite_ada.home))
    path = write(tmp_path, SELL, BAD[0][0])
    result = CliRunner().invoke(app, ["fills", "import", str(path)])
    assert result.exit_code == 1
    assert "2 rows: 1 booked, 0 known before, 1 rejected; 2 trades expired" in result.output
    assert "line 3, trade_id = 'nowhere': no trade has this key" in " ".join(result.output.split())
    good = write(tmp_path, SELL, name="good.csv")
    assert CliRunner().invoke(app, ["fills", "import", str(good)]).exit_code == 0
