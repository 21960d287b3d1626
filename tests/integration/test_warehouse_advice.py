"""What became of advice, in a real build, beside an independent computation from the closes."""

import math
import shutil

import pytest
from advice_examples import FORECASTS, WEIGHTS, choose_model, publish_run
from warehouse_inputs import SESSION, SESSIONS, closes

from pipelines.settings import Settings, load_settings
from pipelines.warehouse import WarehouseBuild, build_for, connect, transform

HORIZON = 21
REALISED = SESSIONS[-1 - HORIZON]
"""The last session whose 21 following sessions are over."""

OPEN = SESSIONS[-HORIZON]
MARTS = (
    *("advice", "advice_result", "forecast_result", "forecast_accuracy"),
    *("model_check", "model_evidence", "model_score", "run_lineage"),
)


@pytest.fixture(scope="module")
def before(small_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> WarehouseBuild:
    """A build of a home in which nothing was advised yet."""
    home = tmp_path_factory.mktemp("advice") / "home"
    shutil.copytree(small_warehouse.home, home, symlinks=True)
    return build_for(load_settings({}, home=home), SESSION)


@pytest.fixture(scope="module")
def settings(before: WarehouseBuild) -> Settings:
    """The home once two earlier sessions and the build's own were advised on."""
    settings = load_settings({}, home=before.path.parents[2])
    for session in (REALISED, OPEN, SESSION):
        publish_run(settings, session)
        choose_model(settings, session)
    return settings


@pytest.fixture(scope="module")
def after(settings: Settings) -> WarehouseBuild:
    return transform(settings, SESSION)


def rows(build: WarehouseBuild, query: str) -> list[tuple]:
    with connect(build.path) as warehouse:
        return warehouse.sql(query).fetchall()


def growth(symbol: str) -> float:
    """What a dollar in a symbol became over the horizon after the realised session."""
    path = closes()[symbol]
    return path[-1] / path[-1 - HORIZON]


def test_without_advice_the_marts_are_there_and_empty(before: WarehouseBuild) -> None:
    assert {name: before.rows[name] for name in MARTS} == dict.fromkeys(MARTS, 0)


def test_advice_of_earlier_sessions_is_shown_and_none_of_the_session_itself(
    after: WarehouseBuild,
) -> None:
    found = rows(after, "select distinct session_date from advice order by all")
    assert found == [(REALISED,), (OPEN,)]
    accounts = "select outcome, trade_count, turnover from advice where session_date = $$"
    assert sorted(rows(after, accounts.replace("$$", f"'{REALISED}'")), key=repr) == [
        ("rebalanced", 1, 0.1495),
        ("within_band", 0, None),
    ]


def test_advice_is_measured_against_doing_nothing_and_the_reference_portfolio(
    after: WarehouseBuild,
) -> None:
    gains = {symbol: growth(symbol) - 1 for symbol in ("AAPL", "KO")} | {"$CASH": 0.0}
    fees = 1_000 / 1_000_000
    [(end, unpriced, advised, unchanged, benchmark)] = rows(
        after,
        f"""
        select end_session_date, unpriced_count, advised_return_21d, unchanged_return_21d,
            benchmark_return_21d
        from advice_result where session_date = '{REALISED}'
        """,
    )
    assert (end, unpriced) == (SESSION, 0)
    target = sum(weight * gains[symbol] for symbol, (weight, _) in WEIGHTS.items())
    held = sum(weight * gains[symbol] for symbol, (_, weight) in WEIGHTS.items())
    assert math.isclose(advised, target - fees, rel_tol=1e-9)
    assert math.isclose(unchanged, held, rel_tol=1e-9)
    assert math.isclose(benchmark, (gains["AAPL"] + gains["KO"]) / 2, rel_tol=1e-9)


def test_what_is_not_over_is_null(after: WarehouseBuild) -> None:
    [row] = rows(
        after,
        f"select columns('(end|unpriced|return|gain).*') from advice_result "
        f"where session_date = '{OPEN}'",
    )
    assert set(row) == {None}
    accuracy = f"""
        select realised_count, mae, coverage_80 from forecast_accuracy
        where session_date = '{OPEN}'
    """
    assert rows(after, accuracy) == [(0, None, None)]


def test_forecasts_meet_what_came(after: WarehouseBuild) -> None:
    outcome = {symbol: math.log(growth(symbol)) for symbol in FORECASTS}
    found = rows(
        after,
        "select symbol, realised_log_return, error, is_inside_80, is_inside_95 "
        f"from forecast_result where session_date = '{REALISED}' order by symbol",
    )
    for symbol, realised, error, inside_80, inside_95 in found:
        assert math.isclose(realised, outcome[symbol], rel_tol=1e-9)
        assert math.isclose(error, outcome[symbol] - FORECASTS[symbol], rel_tol=1e-9)
        assert inside_80 == (abs(outcome[symbol] - FORECASTS[symbol]) <= 0.1)
        assert inside_95 == (outcome[symbol] - FORECASTS[symbol] >= -0.2)
    assert [symbol for symbol, *_ in found] == sorted(FORECASTS)
    errors = [outcome[symbol] - mean for symbol, mean in FORECASTS.items()]
    [(mae, rmse, naive_rmse)] = rows(
        after,
        f"select mae, rmse, naive_rmse from forecast_accuracy where session_date = '{REALISED}'",
    )
    unbounded = "select unbounded_80, unbounded_95 from forecast_accuracy where realised_count > 0"
    assert rows(after, unbounded) == [(0.0, 1.0)]
    assert math.isclose(mae, sum(map(abs, errors)) / 3, rel_tol=1e-9)
    assert math.isclose(rmse, math.hypot(*errors) / math.sqrt(3), rel_tol=1e-9)
    assert math.isclose(naive_rmse, math.hypot(*outcome.values()) / math.sqrt(3), rel_tol=1e-9)


def test_what_a_choice_rests_on_is_shown_beside_it(after: WarehouseBuild) -> None:
    checks = "select session_date, retraining_due, decision, role from model_check"
    assert rows(after, checks) == [
        (session, True, "retrained", "champion") for session in (REALISED, OPEN)
    ]
    evidence = "select session_date, against, serves, passed from model_evidence order by all"
    assert rows(after, evidence) == [
        (session, "smartinvest-naive", True, True) for session in (REALISED, OPEN)
    ]
    scores = "select period, sessions, served_session_count from model_score order by all"
    assert rows(after, scores) == [("test", 50, 2)] * 2 + [("validation", 50, 2)] * 2


def test_given_advice_changes_the_build_and_neither_snapshot_nor_features(
    before: WarehouseBuild, after: WarehouseBuild, settings: Settings
) -> None:
    assert after.path != before.path
    assert after.data_snapshot == before.data_snapshot
    assert after.feature_hash == before.feature_hash
    assert transform(settings, SESSION).path == after.path


def test_a_symbol_that_vanished_has_no_return_over_the_horizon(after: WarehouseBuild) -> None:
    known = f"""
        select symbol from intermediate.int_forward_returns
        where session_date = '{REALISED}' order by symbol
    """
    assert rows(after, known) == [("AAPL",), ("KO",), ("QUAL",), ("XOM",)]


@pytest.mark.long
def test_a_build_that_is_made_again_shows_the_advice_that_it_showed(
    after: WarehouseBuild, settings: Settings
) -> None:
    shown = {name: rows(after, f"select * from {name}") for name in MARTS}
    publish_run(settings, REALISED, "better", supersedes=f"run-{REALISED}")
    shutil.rmtree(after.path)
    again = build_for(settings, SESSION)
    assert again.path == after.path
    assert {name: rows(again, f"select * from {name}") for name in MARTS} == shown
    newer = transform(settings, SESSION)
    assert newer.data_snapshot == after.data_snapshot
    lineage = "select run_id, status, superseded_by from run_lineage order by session_date, run_id"
    assert rows(newer, lineage) == [
        ("better", "published", None),
        (f"run-{REALISED}", "superseded", "better"),
        (f"run-{OPEN}", "published", None),
    ]
    advising = f"select distinct run_id from advice where session_date = '{REALISED}'"
    assert rows(newer, advising) == [("better",)]
