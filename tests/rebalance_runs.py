"""Runs of a rebalance on a copy of a home, and what they wrote in the store."""

import dataclasses
import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from warehouse_inputs import RECORDED_AT, SESSION

from models.store_forecasts import FORECAST, MODEL_CHOICE
from models.store_outputs import WRITTEN_BY_SHARDS
from models.store_runs import SNAPSHOT_FILE
from models.store_trades import TRADE
from pipelines.forecast.run import begin, identify
from pipelines.lineage import RunIdentity
from pipelines.model_choices import find_choice
from pipelines.settings import Settings, load_settings
from pipelines.store import connect, insert, migrate, tables, transaction, upsert
from pipelines.warehouse import build_for

RECORDED = {"recorded_at": RECORDED_AT, "recorded_by": "test"}
WRITTEN = tuple(table.name for table in (*WRITTEN_BY_SHARDS, SNAPSHOT_FILE))


def copy_home(built_home: Path, home: Path, store_url: str = "") -> Settings:
    shutil.copytree(built_home, home, symlinks=True)
    settings = load_settings({}, home=home, store_url=store_url)
    migrate(settings)
    return settings


def make_run(
    settings: Settings, version: int = 1, confidence: float = 0.2, session: dt.date = SESSION
) -> Settings:
    """Choose a model version and write its forecasts, as the stages before do."""
    with transaction(settings) as store:
        upsert(
            store,
            MODEL_CHOICE,
            [
                {
                    "source": "sample",
                    "session_date": session,
                    "decision": "retrained",
                    "role": "baseline",
                    "reason": "a test",
                    "model_name": "sma",
                    "model_version": version,
                    "mlflow_run_id": f"mlflow-{version}",
                    "training_run_id": "training",
                    "fitted_through": session,
                    "trained_through": session,
                    "decided_at": RECORDED_AT,
                }
            ],
        )
    identity = identify_run(settings, session)
    with transaction(settings) as store:
        known = sa.select(tables["advice_run"]).where(
            tables["advice_run"].c.run_id == identity.run_id
        )
        if store.execute(known).first() is not None:
            return settings
        begin(store, identity)
        insert(
            store,
            FORECAST,
            [
                forecast_row(identity.run_id, symbol, 0.01 * (number + 1), version, confidence)
                for number, symbol in enumerate(("AAPL", "KO", "QUAL", "XOM"))
            ],
        )
    return settings


def forecast_row(
    run_id: str, symbol: str, mean: float, version: int, confidence: float
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "symbol": symbol,
        "model_name": "sma",
        "horizon_sessions": 21,
        "model_version": version,
        "mlflow_run_id": f"mlflow-{version}",
        "expected_log_return": mean,
        "stdev_log_return": 0.08,
        "lower_80_log_return": mean - 0.1,
        "upper_80_log_return": mean + 0.1,
        "interval_note": "",
        "unit": "log return over the horizon",
        "confidence": confidence,
        "serves": True,
    }


def identify_run(settings: Settings, session: dt.date = SESSION):
    choice = find_choice(settings, session)
    assert choice is not None
    return identify(settings, build_for(settings, session), choice)


def query(settings: Settings, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connect(settings) as store:
        return [tuple(row) for row in store.execute(sa.text(sql), values)]


def contents(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a rebalance writes, without the moments at which it did."""
    with connect(settings) as store:
        found = {
            name: sorted(map(tuple, store.execute(sa.select(tables[name]))), key=repr)
            for name in (*WRITTEN, "instrument", "market_price")
        }
        run = tables["advice_run"]
        columns = [c for c in run.c if c.name not in ("started_at", "published_at")]
        found["advice_run"] = sorted(map(tuple, store.execute(sa.select(*columns))), key=repr)
    return found


def publish_before(store: sa.Connection, identity: RunIdentity) -> None:
    """Publish a run of the session before, as a backfill does; it advises nobody."""
    earlier = dataclasses.replace(identity, session_date=dt.date(2022, 12, 27))
    begin(store, earlier)
    published = {"status": "published", "published_at": RECORDED_AT}
    run = tables["advice_run"]
    store.execute(run.update().where(run.c.run_id == earlier.run_id).values(published))


def order_of_the_run_before(store: sa.Connection) -> dict[str, Any]:
    """Propose a trade in the run of the session before, which is valid in ``SESSION`` too."""
    run = tables["advice_run"]
    of_before = sa.select(run.c.run_id).where(run.c.session_date < SESSION)
    row = {
        "trade_id": "early",
        "run_id": store.execute(of_before).scalar_one(),
        "account_id": "dee-0",
        "symbol": "KO",
        "side": "buy",
        "quantity_micros": 3_000_000,
        "price_micros": 60_000_000,
        "notional_cents": 18_000,
        "fee_cents": 9,
        "sequence": 1,
        "status": "proposed",
        "valid_until": SESSION,
    }
    insert(store, TRADE, [row])
    return row
