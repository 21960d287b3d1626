"""The study of a search: a database that outlives its workers, and what a killed one leaves."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ml.errors import TrackingError
from ml.owner import HOST_TAG, host, owner_lives
from models.credentials import HIDDEN, secrets_in_url, without_credentials, without_secrets

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

OWNER = "owner"
"""Attribute of a trial that names its process."""

FAILED_BY_ITSELF = "failed_by_itself"
"""Attribute of a trial whose settings cannot be trained with; nobody tries them again."""

SURPLUS = "surplus"
"""Attribute of a trial that was begun beyond the last one, because two workers were at once."""

RETRIES = "retry_history"
"""Optuna's attribute of a further try: the numbers of those before it."""

MOST_RETRIES = 3
_BUSY_SECONDS = 60
_OPENING_ATTEMPTS = 3


@dataclass(frozen=True)
class Heartbeat:
    """How often a worker gives a sign of life, and after how long without one it is given up."""

    interval_seconds: int = 20
    grace_seconds: int = 180


HEARTBEAT = Heartbeat()


def open_study(url: str | None, name: str, heartbeat: Heartbeat) -> "optuna.Study":
    """Return the study of a name, made if it is not there.

    Parameters
    ----------
    url : SQLAlchemy URL of the database; None keeps the study in memory.

    Raises
    ------
    TrackingError
        The database cannot be used.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with database_errors(url or ""):
        return optuna.create_study(
            storage=open_storage(url, heartbeat) if url else None,
            study_name=name,
            load_if_exists=True,
        )


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Turn what the database raises into a ``TrackingError``, without the password of its URL."""
    import optuna

    try:
        yield
    except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, OSError) as error:
        told = without_secrets(" ".join(str(error).split()), secrets_in_url(url))
        raise TrackingError(
            "database of the search",
            _without_password(url),
            f"it cannot be used ({told[:300]})",
            "Check SMARTINVEST_SEARCH_URL.",
        ) from error


def release_dead(study: "optuna.Study", heartbeat: Heartbeat = HEARTBEAT) -> None:
    """Have trials tried again whose worker is gone.

    Of this machine's, processes tell; of others, that there was no sign of life for a time. Whoever
    gives a trial up may be killed before it is put into the queue; then it is put there later.
    """
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        owner = trial.user_attrs.get(OWNER)
        if owner is None or owner[HOST_TAG] != host() or owner_lives(owner):
            continue
        try:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        except (ValueError, optuna.exceptions.UpdateFinishedTrialError):
            continue  # another worker was faster
        try_again(study, trial.number)
    for number in _given_up(study, heartbeat.grace_seconds):
        try_again(study, number)


def is_settled(trial: "optuna.trial.FrozenTrial") -> bool:
    """Say whether a trial came to an end that stands: nobody tries its settings again."""
    if trial.state.name in ("COMPLETE", "PRUNED"):
        return True
    return trial.state.name == "FAIL" and (
        FAILED_BY_ITSELF in trial.user_attrs
        or len(trial.system_attrs.get(RETRIES, ())) >= MOST_RETRIES
    )


def try_again(study: "optuna.Study", number: int) -> None:
    """Put the settings of an interrupted trial at the head of the queue."""
    logger.warning("trial %d of the search was interrupted: it is tried again", number)
    _retry()(study, study.get_trials()[number])


def _given_up(study: "optuna.Study", seconds: int) -> list[int]:
    """Return numbers of trials that were interrupted this long ago and that nobody tries again."""
    trials = study.get_trials(deepcopy=False)
    retried = {number for trial in trials for number in trial.system_attrs.get(RETRIES, ())}
    # Optuna writes local time without a zone.
    long_ago = datetime.now(UTC).astimezone().replace(tzinfo=None) - timedelta(seconds=seconds)
    return [
        trial.number
        for trial in trials
        if trial.state.name == "FAIL"
        and trial.number not in retried
        and not is_settled(trial)
        and SURPLUS not in trial.user_attrs
        and trial.datetime_complete is not None
        and trial.datetime_complete < long_ago
    ]


def open_storage(url: str, heartbeat: Heartbeat) -> "optuna.storages.RDBStorage":
    """Open the database; workers that make it at the same moment get in each other's way."""
    import optuna

    parsed = sa.engine.make_url(url)
    options = {}
    if parsed.get_backend_name() == "sqlite":
        options = {"connect_args": {"timeout": _BUSY_SECONDS}}
        Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _OPENING_ATTEMPTS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return optuna.storages.RDBStorage(
                    url,
                    engine_kwargs=options,
                    heartbeat_interval=heartbeat.interval_seconds,
                    grace_period=heartbeat.grace_seconds,
                    heartbeat_stale_trial_callback=_retry(),
                )
        except (sa.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError):
            if attempt == _OPENING_ATTEMPTS:
                raise
            time.sleep(attempt)
    raise AssertionError("the last attempt returns or raises")


def _without_password(url: str) -> str:
    try:
        shown = sa.engine.make_url(url).render_as_string(hide_password=True)
    except (sa.exc.ArgumentError, ValueError):
        return HIDDEN  # it may hold a password, wherever that is
    return without_credentials(shown)


def _retry() -> "optuna.storages.RetryHeartbeatStaleTrialCallback":
    """Try the same settings again; what was reported of their first epochs stays."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RetryHeartbeatStaleTrialCallback(
            max_retry=MOST_RETRIES, inherit_intermediate_values=True
        )
