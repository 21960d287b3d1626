"""The search of the network's settings as shares, which any number of workers take.

A search lives in one database (``SMARTINVEST_SEARCH_URL``). Whoever runs a share of it takes the
trials that come next; what a killed worker had begun is tried again by another one. The trials
come out the same whoever runs them (`ml.search.trials`), and a training of the same session,
profile and code finds them done.
"""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import ModelError, SettingError
from pipelines.forecast.failures import model_errors
from pipelines.forecast.training import study_name, training_panel
from pipelines.forecast.training_progress import shown_progress
from pipelines.model_choices import training_method
from pipelines.settings import Settings
from pipelines.warehouse import build_for

if TYPE_CHECKING:
    from ml.plans import SearchPlan, TrainingPlan
    from ml.work import Trial

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuning:
    """A search: its name in the database, its number of trials and how many are settled."""

    study: str
    trials: int
    settled: int

    def shares(self, count: int) -> list[int]:
        """Cut the trials that are left into so many shares, as equal as can be, none empty."""
        left = self.trials - self.settled
        cut = [left // count + (place < left % count) for place in range(count)]
        return [trials for trials in cut if trials]


@dataclass(frozen=True)
class TuningReport:
    """What a search found.

    Attributes
    ----------
    best_trial : its number, from 1.
    settings : of the best trial, by name.
    held_out_loss : its lowest, in the network's own units.
    states : how many trials were ``complete``, ``pruned``, ``fail``.
    """

    study: str
    best_trial: int
    settings: Mapping[str, Any]
    held_out_loss: float
    states: Mapping[str, int]


def begin_tuning(settings: Settings, session: dt.date) -> Tuning:
    """Make the search's database and study, if need be, and say how far the search is.

    A search that was begun goes on; one that is over has nothing left to run.

    Raises
    ------
    SettingError
        The training profile has no search.
    ModelError
        The database cannot be used.
    WarehouseError
        The session has no warehouse build.
    """
    plan, study = _search(settings, session)
    return Tuning(study, _sought(settings, plan).trials, len(_found(settings, plan, study)))


def run_trials(settings: Settings, session: dt.date, most: int) -> tuple["Trial", ...]:
    """Run some trials, whichever come next, and return those that were run here.

    It ends after so many, or when the whole search is over; where nothing may be begun yet, it
    waits for the next batch, or for what a killed worker leaves. It loads TensorFlow, so it must
    not run in a forked process (``smartinvest tune`` is one of its own).

    Raises
    ------
    SettingError
        The training profile has no search.
    ModelError
        The features do not suffice, or the database cannot be used.
    WarehouseError
        The session has no warehouse build.
    """
    from ml.splits import walk_forward
    from ml.training.network_settings import try_settings
    from ml.work import TrainingWork

    plan, study = _search(settings, session)
    _sought(settings, plan)
    panel = training_panel(build_for(settings, session))
    with model_errors(), shown_progress() as show:
        first = walk_forward(len(panel), plan.folds).folds[0]
        work = TrainingWork(search_url=settings.search_url, study=study, listener=show)
        ran = try_settings(panel, first, plan, work, most)
    logger.info("%d trials of the search %s were run here", len(ran), study)
    return ran


def finish_tuning(settings: Settings, session: dt.date) -> TuningReport:
    """Return what a search found once all of its trials are settled.

    Raises
    ------
    SettingError
        The training profile has no search.
    ModelError
        Trials are missing, none came to an end, or the database cannot be used.
    WarehouseError
        The session has no warehouse build.
    """
    from ml.search.trials import best

    plan, study = _search(settings, session)
    planned = _sought(settings, plan).trials
    trials = _found(settings, plan, study)
    states = dict.fromkeys(("complete", "pruned", "fail"), 0)
    for trial in trials:
        states[trial.state] += 1
    if len(trials) < planned or not states["complete"]:
        problem = "none came to an end" if len(trials) == planned else f"there should be {planned}"
        raise ModelError(
            "trials of the search",
            len(trials),
            problem,
            f"Run `smartinvest tune --session {session}`; trials that are settled stay.",
        )
    chosen = best(trials)
    loss = min(chosen.losses.values())
    report = TuningReport(study, chosen.number + 1, dict(chosen.settings), loss, states)
    logger.info(
        "search %s: trial %d of %d is best, held-out loss %.6g: %s",
        study, report.best_trial, planned, report.held_out_loss, report.settings,
    )  # fmt: skip
    return report


def _search(settings: Settings, session: dt.date) -> tuple["TrainingPlan", str]:
    from ml.plans import TrainingPlan

    build = build_for(settings, session)
    plan = TrainingPlan.of_profile(settings.training_profile, settings.seed)
    return plan, study_name(build, training_method(settings, build))


def _sought(settings: Settings, plan: "TrainingPlan") -> "SearchPlan":
    if plan.search is None:
        raise SettingError(
            "setting SMARTINVEST_TRAINING_PROFILE",
            settings.training_profile.value,
            "its trainings use settings that are fixed; there is nothing to search",
            "Set it to `full`, for the search and for the training that uses what it finds.",
        )
    return plan.search


def _found(settings: Settings, plan: "TrainingPlan", study: str) -> tuple["Trial", ...]:
    from ml.search.trials import found_trials

    with model_errors():
        return found_trials(_sought(settings, plan), settings.search_url, study)
