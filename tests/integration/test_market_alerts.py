"""What is told, and sent as numbers, of a market that is late or has no good bars."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from lake_examples import DAYS, append, bars, lake_of
from new_stores import make_store
from operations_examples import NOW, RUN, SESSION, advice_run, operations_home

from models.store_runs import ADVICE_RUN
from pipelines.alerts import Alert, Kind, Where, late_alerts, market_alerts
from pipelines.metrics import advice_metrics, market_metrics
from pipelines.sessions import available_at
from pipelines.settings import Settings, load_settings
from pipelines.store import insert, transaction

SYMBOLS = [f"S{number:02}" for number in range(20)]
LAST = DAYS[-1]
EVENING = available_at(LAST)


def delivered(settings: Settings, without_last: int = 0, long_gone: int = 0) -> Settings:
    """A lake with bars of all symbols, but that some lack the last session, or stopped long ago."""
    ago = dt.date(2021, 6, 1)
    old = [(f"OLD{number}", ago, 1.0) for number in range(long_gone)]
    early = [(symbol, day, 1.0) for symbol in SYMBOLS for day in DAYS[:-1]]
    late = [(symbol, LAST, 1.0) for symbol in SYMBOLS[without_last:]]
    rows = bars([*old, *early, *late])
    source = pa.array([settings.source.value] * len(rows), rows["source"].type)
    place = rows.schema.get_field_index("source")
    append(settings, LAST, rows.set_column(place, rows.schema.field(place), source))
    return settings


def told(settings: Settings, now: dt.datetime = EVENING) -> list[Alert]:
    return market_alerts(settings, LAST, now)


def test_a_tenth_of_the_market_without_a_bar_is_not_told_and_more_is(tmp_path: Path) -> None:
    assert told(delivered(lake_of(tmp_path / "few"), without_last=2)) == []
    [alert] = told(delivered(lake_of(tmp_path / "many"), without_last=3))
    assert (alert.kind, alert.cause.value) == (Kind.MARKET_FROZEN, "3 of 20")
    assert alert.cause.problem.endswith("S00, S01, S02")
    assert alert.where.session == LAST


def test_symbols_that_stopped_trading_long_ago_are_not_missed(tmp_path: Path) -> None:
    settings = delivered(lake_of(tmp_path), long_gone=15)
    assert told(settings) == []
    assert market_metrics(settings, LAST)["smartinvest.symbols"] == 20


def test_the_symbols_of_a_market_are_counted(tmp_path: Path) -> None:
    settings = delivered(lake_of(tmp_path), without_last=3)
    assert market_metrics(settings, LAST) == {
        "smartinvest.symbols": 20,
        "smartinvest.symbols_frozen": 3,
    }


@pytest.mark.parametrize("source", ["yahoo", "simulated"])
def test_a_source_is_late_from_two_sessions_on_where_it_is_polled(
    tmp_path: Path, source: str
) -> None:
    settings = delivered(load_settings({}, home=tmp_path, source=source))
    in_time = dt.datetime(2022, 1, 19, 12, tzinfo=dt.UTC)  # the 17th was a holiday
    assert told(settings, in_time) == []
    alerts = told(settings, in_time + dt.timedelta(days=1))
    if source == "simulated":
        assert alerts == []
        return
    [alert] = alerts
    assert (alert.kind, alert.cause.value) == (Kind.SOURCE_LATE, "2022-01-14")
    assert "2 sessions behind" in alert.cause.problem


def test_the_accounts_of_a_published_run_are_counted_by_outcome(tmp_path: Path) -> None:
    settings = operations_home(tmp_path / "home")
    sent = advice_metrics(settings, SESSION)
    accounts = {name: int(value) for name, value in sent.items() if ".accounts." in name and value}
    assert accounts == {
        "smartinvest.accounts.rebalanced": 2,
        "smartinvest.accounts.within_band": 1,
        "smartinvest.accounts.failed": 1,
    }
    published = NOW - dt.timedelta(hours=2)
    close = dt.datetime(2022, 12, 28, 21, tzinfo=dt.UTC)
    assert sent["smartinvest.advice_seconds_after_close"] == (published - close).total_seconds()
    assert advice_metrics(settings, LAST) == {}


@pytest.fixture
def polled(tmp_path: Path) -> Settings:
    """A polled source with bars and advice through 2022-12-28, and nothing after it."""
    settings = load_settings({"SMARTINVEST_ADVICE_DUE_HOURS": "12"}, home=tmp_path, source="yahoo")
    make_store(settings)
    rows = bars([("S00", SESSION, 1.0)])
    place = rows.schema.get_field_index("source")
    source = pa.array(["yahoo"], rows["source"].type)
    append(settings, SESSION, rows.set_column(place, rows.schema.field(place), source))
    return settings


def published(settings: Settings) -> None:
    with transaction(settings) as store:
        insert(store, ADVICE_RUN, [advice_run(RUN, SESSION, NOW) | {"source": "yahoo"}])


@pytest.mark.parametrize(
    ("day", "hour", "late"),
    [
        (30, 1, []),  # the advice of the 29th is due 12 hours after its close at 21:00 UTC
        (30, 10, ["AdviceLate 2022-12-29"]),
        (31, 2, ["SourceLate 2022-12-28", "AdviceLate 2022-12-29"]),
        (31, 10, ["SourceLate 2022-12-28", "AdviceLate 2022-12-30"]),
    ],
)
def test_what_no_run_is_left_to_notice_is_late_by_the_clock(
    polled: Settings, day: int, hour: int, late: list[str]
) -> None:
    published(polled)
    now = dt.datetime(2022, 12, day, hour, tzinfo=dt.UTC)
    told = late_alerts(polled, now, Where(dag_id="watch"))
    assert [f"{alert.cause.error} {alert.cause.value}" for alert in told] == late


def test_what_was_never_started_is_not_late(polled: Settings) -> None:
    now = dt.datetime(2022, 12, 31, 10, tzinfo=dt.UTC)
    assert late_alerts(polled, now, Where()) == []
    published(polled)
    assert late_alerts(polled.model_copy(update={"source": "files"}), now, Where()) == []
