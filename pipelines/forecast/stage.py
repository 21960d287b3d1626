"""Forecast a session with every model of the chosen training."""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from models.store_explanations import FORECAST_ATTRIBUTION
from models.store_forecasts import FORECAST
from models.store_scores import MODEL_SCORE
from models.vocabulary import HORIZON_SESSIONS, RunStatus, ScoredPeriod
from pipelines.errors import ModelError
from pipelines.forecast.failures import model_errors
from pipelines.forecast.run import begin, identify, status_of
from pipelines.lineage import RunIdentity
from pipelines.log_identifiers import identified
from pipelines.model_choices import ModelChoice, find_choice
from pipelines.progress import step
from pipelines.sessions import session_after, sessions_between
from pipelines.settings import Settings
from pipelines.store import connect, insert, tables, transaction
from pipelines.warehouse import WarehouseBuild, build_for, verify

if TYPE_CHECKING:
    from ml.panel import Panel
    from ml.records import RegisteredModel, ServingVersion
    from ml.serving import ServingModel
    from ml.tracking import Registry

logger = logging.getLogger(__name__)

UNIT = "log return over the horizon"


@dataclass(frozen=True)
class ForecastReport:
    """What the stage did.

    ``written`` counts forecasts; it is 0 where the run had them already. ``left_out`` maps symbols
    that the serving model makes no forecast for to the reason; it is known only when forecasts were
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
    with identified(advice_run=identity.run_id):
        return _forecast_once(settings, build, choice, identity)


def _forecast_once(
    settings: Settings, build: WarehouseBuild, choice: ModelChoice, identity: RunIdentity
) -> ForecastReport:
    with connect(settings) as connection:
        status = status_of(connection, identity.run_id)
    if status is not None:
        logger.info("run %s has its forecasts already; it is %s", identity.run_id, status)
        return _report(identity, status, 0, {})
    with model_errors(), step(f"forecast {build.session_date}"):
        made = _forecast_all(settings, build, choice, identity.run_id)
    for symbol, reason in made.left_out.items():
        logger.warning("no forecast for %s: %s", symbol, reason)
    with transaction(settings) as connection:
        if (status := status_of(connection, identity.run_id)) is not None:
            return _report(identity, status, 0, made.left_out)
        begin(connection, identity)
        written = insert(connection, FORECAST, _with_errors(connection, made.forecasts))
        insert(connection, FORECAST_ATTRIBUTION, made.attributions)
    return _report(identity, RunStatus.BUILDING, written, made.left_out)


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


@dataclass(frozen=True)
class _Made:
    """Rows of both tables, and why symbols have no forecast that serves."""

    forecasts: list[dict[str, Any]] = field(default_factory=list)
    attributions: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def _forecast_all(
    settings: Settings, build: WarehouseBuild, choice: ModelChoice, run_id: str
) -> _Made:
    from ml.forecasters import LSTM
    from ml.tracking import Registry

    registry = Registry(settings.mlflow, settings.mlflow_url)
    versions = _versions(registry, choice)
    models = [registry.load(version.name, version.version) for version in versions]
    panel = _panel_through(build, choice.session_date, models)
    made = _Made()
    for version, model in zip(versions, models, strict=True):
        serves = (version.name, version.version) == (choice.model_name, choice.model_version)
        shared = {
            "run_id": run_id,
            "model_name": version.name,
            "model_version": version.version,
            "unit": UNIT,
        }
        forecasts = model.forecast_last(panel)
        confidence = dict(
            zip(model.calibration.horizons, model.calibration.confidence, strict=True)
        )
        made.forecasts.extend(
            {
                **shared,
                **asdict(each),
                "mlflow_run_id": version.run_id,
                "confidence": confidence[each.horizon_sessions],
                "serves": serves,
            }
            for each in forecasts
        )
        if serves or version.forecaster == LSTM:
            parts = model.explain_last(panel, forecasts)
            made.attributions.extend({**shared, **asdict(each)} for each in parts)
        if serves:
            known = {e.symbol for e in forecasts if e.horizon_sessions == HORIZON_SESSIONS}
            made.left_out.update(_left_out(model, panel, known))
    return made


def _with_errors(
    connection: sa.Connection, forecasts: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield forecasts with their models' errors on validation, which another training replaces."""
    score = tables[MODEL_SCORE.name]
    of_model = (score.c.mlflow_run_id, score.c.model_name, score.c.horizon_sessions)
    errors = {
        tuple(row[:-1]): row[-1]
        for row in connection.execute(
            sa.select(*of_model, sa.func.min(score.c.rmse))
            .where(
                score.c.period == ScoredPeriod.VALIDATION,
                score.c.mlflow_run_id.in_({row["mlflow_run_id"] for row in forecasts}),
            )
            .group_by(*of_model)
        )
    }
    for row in forecasts:
        model = tuple(row[column.name] for column in of_model)
        yield {**row, "validation_rmse": errors.get(model)}


def _versions(
    registry: "Registry", choice: ModelChoice
) -> "list[RegisteredModel | ServingVersion]":
    """Return the models of the choice's training; the one that serves may be an earlier one's.

    Raises
    ------
    ModelError
        The training does not have the model that was chosen.
    """
    training = registry.finished_training(choice.training_run_id)
    serving = training.serving
    versions: dict[str, RegisteredModel | ServingVersion] = {
        model.name: model for model in training.models
    }
    versions[serving.name] = serving
    if (serving.name, serving.version) != (choice.model_name, choice.model_version):
        raise ModelError(
            "model chosen for the session",
            f"{choice.model_name} {choice.model_version}",
            f"training {training.run_id} has {serving.name} {serving.version} serve",
            f"Run `smartinvest train --session {choice.session_date}` again.",
        )
    return list(versions.values())


def _panel_through(
    build: WarehouseBuild, session: dt.date, models: "Sequence[ServingModel]"
) -> "Panel":
    """Read the panel up to the session: all returns, and features as far back as models look."""
    from ml.panel.reading import read_panel

    verify(build)
    needed = max(
        model.sessions_needed(len(sessions_between(model.calibration.through, session)) - 1)
        for model in models
    )
    panel = read_panel(
        build.panel_path,
        build.session_features_path,
        through=session,
        features_since=session_after(session, 1 - needed),
    )
    last = panel.session(len(panel) - 1)
    if last != session:
        raise ModelError(
            "session",
            session,
            f"its features end with {last}",
            f"Run `smartinvest ingest --session {session}` and `smartinvest transform`.",
        )
    return panel


def _left_out(model: "ServingModel", panel: "Panel", known: set[str]) -> dict[str, str]:
    """Return why symbols have no forecast that serves.

    Raises
    ------
    ModelError
        None has one.
    """
    from ml.serving import missing_reason

    left_out = {
        symbol: missing_reason(model, panel, symbol)
        for symbol in panel.symbols
        if symbol not in known
    }
    if not known:
        raise ModelError(
            "forecasts of the serving model",
            0,
            f"no symbol has one; {next(iter(left_out))}: {next(iter(left_out.values()))}",
            "Load more history.",
        )
    return left_out


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
