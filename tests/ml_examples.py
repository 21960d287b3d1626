"""Made-up panels for the forecasting tests, with and without something to find in them."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.calibration import Calibration
from ml.evaluation import Score
from ml.features import FEATURES
from ml.forecasters import BASELINES
from ml.forecasters.lstm_network import LstmSettings
from ml.panel import Panel
from ml.records import TrainingIdentity
from ml.rolling import Floats, trailing_mean
from ml.splits import split_in_time
from ml.training import TrainedModel, TrainingPlan, TrainingResult
from models.vocabulary import HORIZON_SESSIONS, TrainingProfile
from pipelines.lineage import file_digest
from pipelines.sessions import available_at, session_after, sessions_between
from pipelines.settings import Settings
from pipelines.warehouse.publication import build_name, publish
from pipelines.warehouse.record import PanelPart, WarehouseBuild, panel_hash, write_record
from pipelines.warehouse.workspace import taking_name

LAST_SESSION = dt.date(2022, 12, 28)
DAILY_VOLATILITY = 0.01
IDENTITY = TrainingIdentity("sample", "quick", "method", "feature-hash", "snapshot", "code")
TREND_WINDOW = 21


def random_walk(sessions: int = 1000, symbols: int = 6, seed: int = 1) -> Floats:
    """Daily log returns without anything to find in them; the first row is missing."""
    generator = np.random.default_rng(seed)
    returns = generator.normal(0.0, DAILY_VOLATILITY, (sessions, symbols))
    returns[0] = np.nan
    return returns


def trending(sessions: int = 1000, symbols: int = 6, seed: int = 1) -> Floats:
    """Daily log returns around a mean that wanders slowly, an AR(1) of half-life 69 sessions."""
    generator = np.random.default_rng(seed)
    returns = random_walk(sessions, symbols, seed + 1)
    mean = np.zeros(symbols)
    for session in range(sessions):
        mean = 0.99 * mean + generator.normal(0.0, 0.1 * DAILY_VOLATILITY, symbols)
        returns[session] += mean
    return returns


def panel_of(returns: Floats) -> Panel:
    """A panel with two features: the mean return of a month, and noise."""
    sessions, symbols = returns.shape
    noise = np.random.default_rng(99).normal(size=returns.shape)
    trend = trailing_mean(returns, TREND_WINDOW) / DAILY_VOLATILITY
    dates = sessions_between(session_after(LAST_SESSION, 1 - sessions), LAST_SESSION)
    return Panel(
        sessions=np.array(dates, "datetime64[D]"),
        symbols=tuple(f"S{number:02d}" for number in range(symbols)),
        features=("trend", "noise"),
        values=np.stack([trend, noise], axis=-1).astype(np.float32),
        log_return_1d=returns,
        observed=np.ones(returns.shape, np.bool_),
    )


def changed_after(panel: Panel, position: int) -> Panel:
    """The panel with everything after a position replaced by something else."""
    generator = np.random.default_rng(5)
    values, returns = panel.values.copy(), panel.log_return_1d.copy()
    values[position + 1 :] = generator.normal(3.0, 9.0, values[position + 1 :].shape)
    returns[position + 1 :] = generator.normal(0.0, 0.2, returns[position + 1 :].shape)
    return replace(panel, values=values, log_return_1d=returns)


def feature_table(returns: Floats, **changes: Any) -> pa.Table:
    """The columns of the panel that models read: past mean returns under the features' names."""
    panel = panel_of(returns)
    sessions, symbols = np.meshgrid(panel.sessions, panel.symbols, indexing="ij")
    columns: dict[str, Any] = {
        "symbol": pa.array(symbols.ravel().tolist()),
        "session_date": pa.array(sessions.ravel()).cast(pa.date32()),
    }
    for window, feature in enumerate(FEATURES, start=2):
        columns[feature] = trailing_mean(returns, window).ravel()
    columns["log_return_1d"] = returns.ravel()
    return pa.table(columns | changes)


def publish_features(
    settings: Settings, table: pa.Table, code_digest: str = "0" * 64
) -> WarehouseBuild:
    """Publish a warehouse build with a panel of these features; nothing else is in it."""
    session = max(table["session_date"].to_pylist())
    workspace = settings.warehouse / "builds" / ".tmp-build"
    part = workspace / "panel" / "features.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(table, part)
    (workspace / "warehouse.duckdb").touch()
    digest = file_digest(part)
    panel = (PanelPart(part.name, digest, table.num_rows, part.stat().st_size),)
    build = WarehouseBuild(
        path=settings.warehouse.resolve() / "builds" / build_name(session, digest, code_digest),
        source=settings.source.value,
        session_date=session,
        known_at_cut=available_at(session),
        data_snapshot=digest,
        code_digest=code_digest,
        feature_hash=panel_hash(panel),
        panel=panel,
        rows={"features": table.num_rows},
    )
    with taking_name(settings, workspace, build.path):
        write_record(build, build.path)
    publish(settings, build)
    return build


def trained_baselines() -> TrainingResult:
    """What a training of the baselines alone gives; enough to fill a registry."""
    panel = panel_of(random_walk())
    split = split_in_time(len(panel), HORIZON_SESSIONS, HORIZON_SESSIONS)
    score = Score(100, 0.05, 0.07, 0.99, 0.98, 0.001, 0.8)
    models = []
    for kind in BASELINES:
        forecaster = kind(HORIZON_SESSIONS)
        forecaster.fit(panel, split)
        calibration = Calibration(1.0, -1.2, 1.3, 0.1, 0.001)
        models.append(TrainedModel(forecaster, calibration, score, score))
    return TrainingResult(
        plan=TrainingPlan(TrainingProfile.QUICK, 7, LstmSettings()),
        models=tuple(models),
        serves="ema",
        symbols=panel.symbols,
        fitted_through=panel.session(split.last_fitted_outcome),
        trained_through=panel.session(len(panel) - 1),
        validation_period=(dt.date(2020, 1, 2), dt.date(2021, 1, 4)),
        test_period=(dt.date(2021, 2, 2), dt.date(2022, 11, 28)),
    )
