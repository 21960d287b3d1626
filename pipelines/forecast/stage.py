"""Forecast a session with every model of the chosen training."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ml.features import FEATURES
from ml.panel import Panel
from ml.panel_reading import read_panel
from ml.records import FinishedTraining
from ml.serving import missing_reason
from models.store_outputs import FORECAST
from models.vocabulary import RunStatus
from pipelines.errors import ModelError
from pipelines.forecast.choice import ModelChoice, find_choice
from pipelines.forecast.failures import model_errors
from pipelines.forecast.run import begin, identify, status_of
from pipelines.lineage import RunIdentity
from pipelines.progress import step
from pipelines.settings import Settings
from pipelines.store import connect, insert, transaction
from pipelines.warehouse import WarehouseBuild, build_for, verify

if TYPE_CHECKING:
    from ml.tracking import Registry

logger = logging.getLogger(__name__)

UNIT = "log return over the horizon"


@dataclass(frozen=True)
class ForecastReport:
    """What the stage did.

    ``written`` is 0 where the run had its forecasts already. ``left_out`` maps each symbol that
    the serving model makes no forecast for to the reason; it is known only when forecasts were
    made.
    """

    run_id: str
    session_date: dt.date
    status: RunStatus
    model_name: str
    model_version: int
    written: int
    left_out: Mapping[str, str]


def forecast(settings: Settings, session: dt.date) -> ForecastReport:
    """Begin the session's run and write every model's forecasts, in one transaction.

    A run with the same identity that exists already is left as it is.

    Raises
    ------
    ModelError
        No model was chosen for the session, a model version is not there, or none of the symbols
        can be forecast.
    WarehouseError
        The session has no warehouse build, or the home is of another source.
    StoreError
        The store cannot be written, or holds runs of another source.
    """
    build = build_for(settings, session)
    choice = _require_choice(settings, session)
    identity = identify(settings, build, choice)
    with connect(settings) as connection:
        status = status_of(connection, identity.run_id)
    if status is not None:
        logger.info("run %s has its forecasts already; it is %s", identity.run_id, status)
        return _report(identity, status, 0, {})
    from ml.tracking import Registry

    with model_errors(), step(f"forecast {session}"):
        registry = Registry(settings.mlflow)
        training = registry.finished_training(choice.training_run_id)
        panel = _panel_through(build, session)
        rows, left_out = _forecast_all(registry, training, panel, identity.run_id)
    for symbol, reason in left_out.items():
        logger.warning("no forecast for %s: %s", symbol, reason)
    with transaction(settings) as connection:
        if (status := status_of(connection, identity.run_id)) is not None:
            return _report(identity, status, 0, left_out)
        begin(connection, identity)
        written = insert(connection, FORECAST, rows)
    return _report(identity, RunStatus.BUILDING, written, left_out)


def _require_choice(settings: Settings, session: dt.date) -> ModelChoice:
    choice = find_choice(settings, session)
    if choice is None:
        raise ModelError(
            "session",
            session,
            "no model was chosen for it",
            f"Run `smartinvest train --session {session}` first.",
        )
    return choice


def _panel_through(build: WarehouseBuild, session: dt.date) -> Panel:
    verify(build)
    panel = read_panel(build.panel_path, FEATURES, through=session)
    last = panel.session(len(panel) - 1)
    if last != session:
        raise ModelError(
            "session",
            session,
            f"its features end with {last}",
            f"Run `smartinvest ingest --session {session}` and `smartinvest transform`.",
        )
    return panel


def _forecast_all(
    registry: "Registry", training: FinishedTraining, panel: Panel, run_id: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the rows of the table ``forecast``, and why symbols have none that serves."""
    rows: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    for registered in training.models:
        model = registry.load(registered.name, registered.version)
        forecasts = model.forecast_last(panel)
        shared = {
            "run_id": run_id,
            "model_name": registered.name,
            "horizon_sessions": training.horizon_sessions,
            "model_version": registered.version,
            "mlflow_run_id": registered.run_id,
            "unit": UNIT,
            "confidence": registered.confidence,
            "serves": registered.serves,
        }
        rows += [{**shared, **asdict(each)} for each in forecasts]
        if registered.serves:
            done = {each.symbol for each in forecasts}
            left_out = {
                symbol: missing_reason(model, panel, symbol)
                for symbol in panel.symbols
                if symbol not in done
            }
    if len(left_out) == len(panel.symbols):
        raise ModelError(
            "forecasts of the serving model",
            0,
            f"no symbol has one; {next(iter(left_out))}: {next(iter(left_out.values()))}",
            "Load more history.",
        )
    return rows, left_out


def _report(
    identity: RunIdentity, status: RunStatus, written: int, left_out: Mapping[str, str]
) -> ForecastReport:
    return ForecastReport(
        run_id=identity.run_id,
        session_date=identity.session_date,
        status=status,
        model_name=identity.model_name,
        model_version=identity.model_version,
        written=written,
        left_out=left_out,
    )
