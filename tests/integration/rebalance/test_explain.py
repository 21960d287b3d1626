"""What is said of an advice: everything of it, and nothing of the person."""

import datetime as dt
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rebalance_runs import RECORDED, copy_home, make_run, query
from rich.console import Console
from typer.testing import CliRunner
from warehouse_inputs import SESSION

from models.store_inputs import ACCOUNT, CLIENT, CLIENT_IDENTITY, GOAL
from models.store_trades import OPEN_ORDER
from pipelines.cli.main import app
from pipelines.errors import ExplainError
from pipelines.explain import Explanation, document, explain, page, terminal_view
from pipelines.rebalance import rebalance
from pipelines.settings import Settings
from pipelines.store import insert, transaction, upsert

SECTIONS = (
    "Trades",
    "Not traded, though the target differs",
    "Target beside what was held",
    "The same account under other forecasts",
    "Forecasts behind it",
    "The goal: wealth",
    "Certificate of the target",
    "Where it comes from",
)
PERSONAL = ("Deirdre Unmistakable", "deirdre@nowhere.test", "1971-03-04", "crm-77031")


@pytest.fixture(scope="module")
def published(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with a published run, and a name for one of its clients."""
    settings = make_run(copy_home(built_home, tmp_path_factory.mktemp("explain") / "home"))
    name, email, born, reference = PERSONAL
    identity = {
        "client_id": "dee-1",
        "external_ref": reference,
        "full_name": name,
        "email": email,
        "birth_date": dt.date.fromisoformat(born),
    }
    with transaction(settings) as store:
        insert(store, CLIENT_IDENTITY, [identity | RECORDED])
    rebalance(settings, SESSION)
    return settings


def printed(explained: Explanation) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(terminal_view(document(explained)))
    return console.export_text()


def trade_ids(settings: Settings) -> list[str]:
    return [key for (key,) in query(settings, "SELECT trade_id FROM current_trade ORDER BY 1")]


def test_causes_shown_sum_to_each_trade(published: Settings) -> None:
    [account] = explain(published, "dee-1").accounts
    assert account.trades
    for trade in account.trades:
        assert sum(trade.causes_micros.values()) == trade.signed_micros
    told = document(explain(published, "dee-1")).sections
    grids = [s.grids[0] for s in told if s.level == 3]
    assert len(grids) == len(account.trades)
    for grid, trade in zip(grids, account.trades, strict=True):
        shown = [round(float(row[2].replace(",", "")) * 1e6) for row in grid.rows]
        assert sum(shown[:-1]) == shown[-1] == trade.signed_micros


def test_every_section_stands_on_the_terminal_and_on_the_page(published: Settings) -> None:
    explained = explain(published, "dee-1")
    text, html = printed(explained), page(document(explained))
    for title in ("Account dee-1", *SECTIONS):
        assert title in text
        assert title in html
    run = explained.run
    for fact in (run.run_id, run.mlflow_run_id, run.config_hash, run.code_version):
        assert fact in text
    assert html.count("<svg") >= 3 + len(explained.accounts[0].trades)


def test_a_trade_is_explained_alone_with_its_own_files_first(published: Settings) -> None:
    key = trade_ids(published)[0]
    explained = explain(published, key)
    [account] = explained.accounts
    assert [trade.trade_id for trade in account.trades] == [key]
    assert {forecast.symbol for forecast in account.forecasts} <= {explained.symbol}
    assert explained.files[0].path.startswith("raw/prices/")
    rows = [file.rows_of_symbols or 0 for file in explained.files]
    assert rows[0] > 0
    assert sum(rows) == 300
    stored = dict(
        query(
            published,
            "SELECT path, digest FROM snapshot_file WHERE data_snapshot = :snapshot",
            snapshot=explained.run.data_snapshot,
        )
    )
    assert {file.path: file.digest for file in explained.files} == stored


def test_nothing_personal_is_told(published: Settings) -> None:
    explained = explain(published, "dee-1")
    everything = printed(explained) + page(document(explained)) + repr(explained)
    for secret in PERSONAL:
        assert secret not in everything


def test_the_page_is_well_formed_and_needs_nothing_else(published: Settings) -> None:
    html = page(document(explain(published, "dee-1")))
    assert not re.search(r"https?:|//[a-z]|\bsrc=|\bhref=\"[^#]|@import|url\(", html)
    links, parts = (re.findall(f'{start}"([^"]+)"', html) for start in ("href=", "section id="))
    assert links == [f"#{part}" for part in parts]
    ET.fromstring(html.removeprefix("<!doctype html>\n"))


@pytest.mark.parametrize("account", ["bob-account", "ada-bare"])
def test_an_account_that_is_left_alone_says_why(published: Settings, account: str) -> None:
    explained = explain(published, account)
    text = printed(explained)
    sentence = explained.accounts[0].outcome.sentence
    assert sentence.startswith("Nothing was traded: ")
    assert "No trade is proposed." in text
    assert "No target is in force for this account." in text
    assert "There is none" in text
    assert sentence in page(document(explained))


def test_orders_with_the_broker_are_listed(published: Settings) -> None:
    run_id = explain(published, "ada-bare").run.run_id
    key = trade_ids(published)[0]
    order = {"run_id": run_id, "account_id": "ada-bare", "trade_id": key, "left_micros": -2_500_000}
    with transaction(published) as store:
        insert(store, OPEN_ORDER, [order])
    told = printed(explain(published, "ada-bare"))
    assert "Orders with the broker when the run began" in told
    assert re.search(rf"{key} .* 2\.5 ", told)


def test_each_symbol_that_is_not_traded_has_its_reason(published: Settings) -> None:
    rows = query(
        published,
        "SELECT DISTINCT account_id FROM current_target_allocation WHERE no_trade IS NOT NULL",
    )
    assert rows
    for (account,) in rows:
        explained = explain(published, account)
        [section] = [
            each
            for each in document(explained).sections
            if each.title == "Not traded, though the target differs"
        ]
        meant = {w.symbol for w in explained.accounts[0].weights if w.no_trade is not None}
        assert {row[0] for row in section.grids[0].rows} == meant
        assert all(row[-1].startswith("because ") for row in section.grids[0].rows)


def test_a_client_is_explained_account_by_account(published: Settings) -> None:
    explained = explain(published, "ada")
    assert explained.kind == "client"
    assert [each.outcome.account_id for each in explained.accounts] == ["ada-bare", "ada-taxable"]


def test_an_unknown_key_names_what_was_looked_up_and_the_remedy(published: Settings) -> None:
    with pytest.raises(ExplainError, match=r"'nobody': no trade, account or client .*current_out"):
        explain(published, "nobody")
    with pytest.raises(ExplainError, match=r"run = 'ffff': the store has no such run.*advice_run"):
        explain(published, "dee-1", "ffff")


def test_what_is_not_published_is_shown_only_where_its_run_is_named(
    sqlite_settings: Settings,
) -> None:
    key = rebalance(sqlite_settings, SESSION).run_id
    trade = trade_ids(sqlite_settings)[0]
    with transaction(sqlite_settings) as store:
        store.exec_driver_sql("UPDATE advice_run SET status = 'superseded'")
    with pytest.raises(ExplainError, match=f"its run is superseded.*--run {key}"):
        explain(sqlite_settings, trade)
    with pytest.raises(ExplainError, match="a published run has no outcome of it"):
        explain(sqlite_settings, "dee-1")
    assert "Not today's advice" in printed(explain(sqlite_settings, "dee-1", key[:8]))
    assert "Not today's advice" in printed(explain(sqlite_settings, trade, key))


def test_both_databases_tell_the_same(settings: Settings) -> None:
    rebalance(settings, SESSION)
    versioned = RECORDED | {"version": 1}
    goal = {"goal_id": "dee-1-goal", "client_id": "dee-1", "kind": "wealth", "priority": 1}
    account = {"account_id": "dee-1", "client_id": "dee-1", "goal_id": "dee-1-goal"}
    with transaction(settings) as store:
        # The home's copy on PostgreSQL has its clients in the warehouse alone.
        upsert(store, CLIENT, [{"client_id": "dee-1", **RECORDED}])
        target = {"target_cents": 10_000_000, "target_date": dt.date(2040, 1, 1)}
        upsert(store, GOAL, [goal | target | versioned])
        kinds = {"tax_kind": "taxable", "share_kind": "whole", "cash_buffer_cents": 10_000}
        upsert(store, ACCOUNT, [account | kinds | versioned])
    explained = explain(settings, "dee-1")
    assert [s.title for s in document(explained).sections if s.title in SECTIONS] == [*SECTIONS]
    trades = explained.accounts[0].trades
    assert explain(settings, trades[0].trade_id).accounts[0].trades == trades[:1]


def test_the_command_prints_and_writes_a_page(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTINVEST_HOME", str(published.home))
    target = tmp_path / "why.html"
    done = CliRunner().invoke(app, ["explain", "dee-1", "--html", str(target)])
    assert done.exit_code == 0, done.output
    assert "Account dee-1" in done.output
    assert target.read_text("utf-8").startswith("<!doctype html>")
