"""Remove studies of searches that nobody goes on with."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ml.search.study import HEARTBEAT, database_errors, open_storage

if TYPE_CHECKING:
    import optuna

_OURS = re.compile(r"[0-9a-f]{16}")
"""Names of our studies (`pipelines.forecast.training.study_name`); others may share a database."""


def remove_studies(url: str, before: datetime, *, dry_run: bool) -> int:
    """Remove studies of ours in which no trial began or ended since a moment; return how many.

    One without any trial stays: it may have been made just now.

    Parameters
    ----------
    url : SQLAlchemy URL of the database; an SQLite file that is not there has none.

    Raises
    ------
    TrackingError
        The database cannot be used.
    """
    if _is_not_there(url):
        return 0
    import optuna

    with database_errors(url):
        storage = open_storage(url, HEARTBEAT)
        names = filter(_OURS.fullmatch, optuna.get_all_study_names(storage))
        old = 0
        for name in names:
            with suppress(KeyError):  # somebody else removed it meanwhile
                study = optuna.load_study(study_name=name, storage=storage)
                if _is_old(study.get_trials(deepcopy=False), before):
                    old += 1
                    if not dry_run:
                        optuna.delete_study(study_name=name, storage=storage)
    return old


def _is_not_there(url: str) -> bool:
    try:
        parsed = sa.engine.make_url(url)
    except sa.exc.ArgumentError:
        return False  # whoever opens it says what is wrong with it
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()


def _is_old(trials: Iterable["optuna.trial.FrozenTrial"], before: datetime) -> bool:
    # Optuna writes local time without a zone.
    moments = [
        moment.astimezone(UTC)
        for trial in trials
        for moment in (trial.datetime_start, trial.datetime_complete)
        if moment is not None
    ]
    return bool(moments) and max(moments) < before
