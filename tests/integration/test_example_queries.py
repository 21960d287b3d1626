"""The example queries answer on a real build; returns and worth there are those found by hand."""

from pathlib import Path

import pyarrow as pa
import pytest
from advice_examples import choose_model, publish_run
from ledger_examples import (
    BOUGHT,
    DEPOSITED,
    FEE_CENTS,
    OPENED,
    WITHDRAWN,
    add_ledger,
    close_of,
)
from scipy.optimize import brentq
from typer.testing import CliRunner
from warehouse_inputs import SESSION, SESSIONS, append, proven_home

from models.lake import MACRO, PRICES, QUARANTINED_PRICES
from pipelines.cli.main import app
from pipelines.errors import WarehouseError
from pipelines.lake import add_rejections, arrow_schema
from pipelines.sessions import available_at
from pipelines.settings import Settings
from pipelines.warehouse import connect, transform
from pipelines.warehouse.asking import ask

DOCS = Path(__file__).parents[2] / "docs"
QUERIES = sorted((DOCS / "queries").glob("*.sql"))
RULES = "0" * 64
"""Those in force in the homes of ``warehouse_inputs``."""
ADVISED = (SESSIONS[-30], SESSIONS[-10])


def macro_row() -> dict[str, object]:
    return {
        "source": "sample",
        "series_id": "DGS10",
        "observation_date": SESSIONS[-3],
        "value": 3.8,
        "known_at": available_at(SESSIONS[-2]),
        "known_at_basis": "assumed",
        "ingest_session": SESSION,
    }


def rejected_row() -> dict[str, object]:
    day = SESSIONS[-5]
    key = {"source": "sample", "symbol": "XOM", "session_date": day, "known_at": available_at(day)}
    return key | {"rule": "a_rule", "observed_value": "1", "reason": "x", "remedy": "y"}


@pytest.fixture(scope="module")
def home(small_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with clients, a ledger, advice, a macro series and a rejected bar, and its build."""
    settings = proven_home(tmp_path_factory.mktemp("queries") / "home", small_warehouse)
    append(settings, MACRO, pa.Table.from_pylist([macro_row()], arrow_schema(MACRO)))
    add_ledger(settings)
    rejected = pa.Table.from_pylist([rejected_row()], arrow_schema(QUARANTINED_PRICES))
    add_rejections(settings, PRICES, RULES, rejected)
    for session in ADVISED:
        publish_run(settings, session)
        choose_model(settings, session)
    transform(settings, SESSION)
    return settings


def rows(settings: Settings, sql: str) -> list[tuple]:
    with connect(settings.warehouse / "current") as warehouse:
        return ask(warehouse, sql, 1000)[1]


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_an_example_query_answers(home: Settings, query: Path) -> None:
    assert rows(home, query.read_text("utf-8"))


def test_the_page_of_queries_lists_each_with_its_question() -> None:
    page = (DOCS / "queries.md").read_text("utf-8")
    for query in QUERIES:
        text = query.read_text("utf-8")
        assert text.startswith("-- ")
        comment = " ".join(
            line.removeprefix("-- ") for line in text.splitlines() if line.startswith("-- ")
        )
        question = comment.split("?")[0] + "?"
        assert f"| [`{query.stem}`](queries/{query.name}) | {question} |" in page
    assert page.count("](queries/") == len(QUERIES) >= 12


def test_the_ledger_and_recorded_holdings_make_what_is_held(home: Settings) -> None:
    held = rows(
        home,
        "select symbol, quantity_micros from account_holding where account_id = 'ada-taxable' "
        "order by symbol",
    )
    cash_cents = 1_234 + 10_000 - 1_000 - FEE_CENTS - 2_000
    assert held == [("$CASH", cash_cents * 10_000), ("AAPL", 2_500_000), ("KO", 3_000_000)]


def test_returns_are_those_of_a_daily_valuation_by_hand(home: Settings) -> None:
    sessions = [session for session in SESSIONS if session >= OPENED]
    monday = next(session for session in sessions if session >= DEPOSITED)
    flows = {OPENED: None, monday: 100.0, WITHDRAWN: -20.0}
    growth, before, paid = 1.0, 0.0, []
    for session in sessions:
        cash = 12.34
        cash += 100 if session >= monday else 0
        cash -= 10 + FEE_CENTS / 100 if session >= BOUGHT else 0
        cash -= 20 if session >= WITHDRAWN else 0
        worth = cash + 2.5 * close_of("AAPL", SESSIONS, session)
        worth += 3 * close_of("KO", SESSIONS, session) if session >= BOUGHT else 0
        flow = worth if session == OPENED else flows.get(session) or 0.0
        growth *= (worth + max(-flow, 0)) / (before + max(flow, 0))
        paid.append((session, flow))
        before = worth

    def missing(rate: float) -> float:
        length = (sessions[-1] - OPENED).days
        grown = sum(f * (1 + rate) ** ((sessions[-1] - day).days / length) for day, f in paid)
        return grown - before

    found = rows(
        home,
        "select owner_kind, time_weighted_return, money_weighted_return, net_flow_cents, issue "
        "from performance where client_id = 'ada' and period = 'since_inception' order by all",
    )
    assert [kind for kind, *_ in found] == ["account", "client", "goal"]
    for _, time_weighted, money_weighted, net_flow, issue in found:
        assert time_weighted == pytest.approx(growth - 1, abs=1e-7)
        assert money_weighted == pytest.approx(brentq(missing, -0.9, 5), abs=1e-7)
        assert net_flow == round(100 * sum(flow for _, flow in paid))
        assert issue is None


def test_a_period_before_the_first_recorded_holdings_has_no_return(home: Settings) -> None:
    found = rows(
        home,
        "select distinct period, time_weighted_return, money_weighted_return, issue "
        "from performance where client_id = 'ada' and period <> 'since_inception' order by all",
    )
    assert found == [(each, None, None, "no_history") for each in ("1_month", "1_year", "3_months")]


def test_drift_is_told_beside_the_target_of_the_last_run_that_wrote_one(home: Settings) -> None:
    [(run, drift, gaps)] = rows(
        home,
        "select any_value(target_run_id), any_value(drift), sum(abs(drift_weight)) "
        "from account join account_holding using (account_id) where account_id = 'ada-taxable'",
    )
    assert run == f"run-{ADVISED[-1]}"
    assert drift == pytest.approx(gaps / 2, rel=1e-12)


def test_a_query_by_name_or_as_text_is_answered_in_the_terminal(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTINVEST_HOME", str(home.home))
    named = CliRunner().invoke(app, ["query", "last_prices"], catch_exceptions=False)
    assert "AAPL" in named.stdout
    text = CliRunner().invoke(app, ["query", "select 40 + 2 as sum"], catch_exceptions=False)
    assert "42" in text.stdout


def test_a_question_that_cannot_be_understood_says_what_to_do(home: Settings) -> None:
    with pytest.raises(WarehouseError, match=r"'select nothing from nowhere'.*show tables"):
        rows(home, "select nothing from nowhere")
