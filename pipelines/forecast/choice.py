"""Which training serves a session: the one in service, a new one, or one that a person put back."""

import datetime as dt
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ml.errors import ModelNotFoundError
from models.vocabulary import ChoiceDecision
from pipelines.forecast.failures import model_errors
from pipelines.forecast.recording import record_choice, record_training
from pipelines.forecast.training import identify_training, train_anew
from pipelines.model_choices import (
    ModelChoice,
    Rollback,
    choice_before,
    find_choice,
    standing_rollback,
    trained_before,
    training_method,
)
from pipelines.monitor import ModelCheck, current_check
from pipelines.monitor.check import LARGEST_AGE_SESSIONS
from pipelines.progress import step
from pipelines.sessions import sessions_between
from pipelines.settings import Settings
from pipelines.store import utc_now
from pipelines.warehouse import WarehouseBuild, build_for

if TYPE_CHECKING:
    from ml.records import FinishedTraining, TrainingIdentity
    from ml.tracking import Registry

logger = logging.getLogger(__name__)


def train(settings: Settings, session: dt.date) -> ModelChoice:
    """Choose the model of a session, after a new training where one is due.

    What a person put back into service comes first. Otherwise the session's check decides, which
    is made where it was not yet. A choice that was made before stands, unless a person decided
    since, its training is gone from the registry, or plan or code have changed. Nothing that is
    known only after the session is used: no later training, choice or rollback.

    Raises
    ------
    ModelError
        The features do not suffice, a training that was put back is not in the registry, or MLflow
        cannot be used.
    HomeError
        Another training is under way on this home.
    WarehouseError
        The session has no warehouse build.
    StoreError
        The store cannot be written.
    """
    from ml.tracking import Registry

    build = build_for(settings, session)
    with model_errors():
        return _Session(settings, Registry(settings.mlflow, settings.mlflow_url), build).choose()


class _Session:
    """What a session's choice is made from."""

    def __init__(self, settings: Settings, registry: "Registry", build: WarehouseBuild) -> None:
        self._settings = settings
        self._registry = registry
        self._build = build
        self._session = build.session_date
        self._method = training_method(settings, build)

    def choose(self) -> ModelChoice:
        """Return the choice that stands, or make one and write it."""
        settings, session = self._settings, self._session
        if rollback := standing_rollback(settings, session):
            return self._put_back(rollback)
        standing = find_choice(settings, session)
        if standing and standing.method == self._method and self._has(standing.training_run_id):
            logger.info("the choice for %s stands: %s", session, standing.reason)
            return standing
        check = current_check(settings, session)
        before = choice_before(settings, session)
        reason = self._why_anew(before, check) if before else check.reason
        if before is None or reason:
            return self._train(before, reason)
        return self._keep(before, check)

    def _why_anew(self, before: ModelChoice, check: ModelCheck) -> str:
        """Return why what is in service may not go on; empty where it may."""
        if check.retraining_due:
            return check.reason
        if before.method != self._method:
            return "the plan or the code that models are trained by has changed since the check"
        if not self._has(before.training_run_id):
            return f"the training in service, {before.training_run_id}, is gone from the registry"
        return ""

    def _put_back(self, rollback: Rollback) -> ModelChoice:
        training = self._registry.finished_training(rollback.training_run_id)
        reason = (
            f"{rollback.decided_by} put the training of {training.trained_through} back into "
            f"service from {rollback.from_session_date} on: {rollback.reason}"
        )
        choice = self._choice(training, ChoiceDecision.ROLLED_BACK, reason)
        record_choice(self._settings, choice)
        return _told(choice)

    def _keep(self, before: ModelChoice, check: ModelCheck) -> ModelChoice:
        choice = replace(
            before,
            session_date=self._session,
            decision=ChoiceDecision.KEPT.value,
            reason=_honestly(check.reason, before.fitted_through, before.trained_through),
            method=self._method,
            decided_at=utc_now(),
        )
        record_choice(self._settings, choice)
        return _told(choice)

    def _train(self, before: ModelChoice | None, reason: str) -> ModelChoice:
        settings, session = self._settings, self._session
        identity = identify_training(settings, self._build, self._method)
        training = self._finished_unknown_to_the_store(identity)
        decision = ChoiceDecision.RETRAINED
        if training is None:
            in_service = self._find(before.training_run_id) if before else None
            with step(f"train all models for {session} ({identity.profile}): {reason}"):
                training = train_anew(settings, self._registry, self._build, identity, in_service)
        elif training.trained_through < session:
            decision = ChoiceDecision.KEPT
            reason = "the registry has a finished training of this plan and code"
        choice = self._choice(training, decision, f"{reason}; {training.choice.reason}")
        symbols = self._registry.symbol_scores(training)
        record_training(settings, choice, training, symbols)
        return _told(choice)

    def _finished_unknown_to_the_store(
        self, identity: "TrainingIdentity"
    ) -> "FinishedTraining | None":
        """Return a training that may serve and that no check has looked at.

        One that was killed before the store knew, or one of before the store was lost.
        """
        known = trained_before(self._settings, self._session)
        for training in self._registry.finished(identity.source, identity.profile, identity.method):
            through = training.trained_through
            if (
                through <= self._session
                and (known is None or through > known)
                and len(sessions_between(through, self._session)) - 1 <= LARGEST_AGE_SESSIONS
            ):
                return training
        return None

    def _choice(
        self, training: "FinishedTraining", decision: ChoiceDecision, reason: str
    ) -> ModelChoice:
        serving = training.serving
        return ModelChoice(
            source=self._settings.source.value,
            session_date=self._session,
            decision=decision.value,
            role=serving.role.value,
            reason=_honestly(reason, serving.fitted_through, serving.trained_through),
            model_name=serving.name,
            model_version=serving.version,
            mlflow_run_id=serving.run_id,
            training_run_id=training.run_id,
            method=self._method,
            fitted_through=serving.fitted_through,
            trained_through=serving.trained_through,
            decided_at=utc_now(),
        )

    def _has(self, training_run_id: str) -> bool:
        return self._find(training_run_id) is not None

    def _find(self, training_run_id: str) -> "FinishedTraining | None":
        try:
            return self._registry.finished_training(training_run_id)
        except ModelNotFoundError:
            return None


def _honestly(reason: str, fitted_through: dt.date, trained_through: dt.date) -> str:
    """Add what the model has learned from: validation and test are held out and never fitted."""
    return (
        f"{reason}; the model was fitted on outcomes through {fitted_through}, judged through "
        f"{trained_through}"
    )


def _told(choice: ModelChoice) -> ModelChoice:
    logger.info(
        "%s for %s: %s %d serves as %s: %s",
        choice.decision,
        choice.session_date,
        choice.model_name,
        choice.model_version,
        choice.role,
        choice.reason,
    )
    return choice
