"""Trials of a search: settings proposed, tried, pruned, and tried again after a crash."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ml.errors import TrainingError
from ml.owner import owner_tags
from ml.plans import SearchPlan
from ml.search.study import (
    HEARTBEAT,
    OWNER,
    Heartbeat,
    open_study,
    release_dead,
    try_again,
    was_retried,
)
from ml.work import Trial, TrialListener, ignore_trial

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

_POLL_SECONDS = 1.0

Report = Callable[[int, float], None]
"""Told of each step of a trial, from 1, and its held-out loss; ends the trial by raising."""

Objective = Callable[[int, Mapping[str, Any], Report], None]
"""Tries settings, given the trial's number among the first tries; reports at least once."""


def search(
    plan: SearchPlan,
    seed: int,
    objective: Objective,
    url: str | None = None,
    study_name: str = "search",
    trial_listener: TrialListener = ignore_trial,
    heartbeat: Heartbeat = HEARTBEAT,
) -> tuple[Trial, ...]:
    """Try settings until the plan's number of trials is reached, and return all of them.

    A tree-structured Parzen estimator proposes settings; a trial that does worse than the median of
    the complete ones at its step is pruned. Each proposal depends on seed and earlier outcomes
    alone, so a search that was killed goes on and ends as if it had not been. Workers that give the
    same database and name share the trials; the last ones wait for each other. A trial whose worker
    was killed is tried again with the same settings, and counts once.

    Source: Bergstra et al. (2011), "Algorithms for hyper-parameter optimization"; Akiba et al.
    (2019), "Optuna".

    Raises
    ------
    TrackingError
        The database cannot be used.
    TrainingError
        No trial came to an end.
    """
    import optuna

    study = open_study(url, study_name, plan.startup_trials, heartbeat)

    def attempt(trial: "optuna.Trial") -> float:
        try:
            return _attempt(study, trial, plan, seed, objective)
        except (TrainingError, optuna.TrialPruned):
            raise
        except BaseException:
            try_again(study, trial.number)
            raise

    def tell(trial: Trial) -> None:
        logger.info(
            "trial %d is %s, held-out loss %s: %s",
            trial.number, trial.state, trial.held_out_loss, dict(trial.settings),
        )  # fmt: skip
        trial_listener(trial)

    while not _is_over(study, plan):
        release_dead(study)
        if _is_taken(study, plan):
            time.sleep(_POLL_SECONDS)
            continue
        study.optimize(
            attempt,
            n_trials=1,
            catch=(TrainingError,),
            callbacks=[lambda _, trial: tell(_as_trial(trial))],
        )
    found = tuple(_as_trial(trial) for trial in _settled(study))
    if not any(trial.state == "complete" for trial in found):
        raise TrainingError(
            "trials of the search", len(found), "none came to an end",
            "See the log for what went wrong; set fewer or other settings to try.",
        )  # fmt: skip
    return found


def best(trials: tuple[Trial, ...]) -> Trial:
    """Return the complete trial of the lowest held-out loss; of equal ones the earliest."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return min(complete, key=lambda trial: (trial.held_out_loss, trial.number))


def _attempt(
    study: "optuna.Study",
    trial: "optuna.Trial",
    plan: SearchPlan,
    seed: int,
    objective: Objective,
) -> float:
    import optuna

    trial.set_user_attr(OWNER, owner_tags())
    place = _place(study, trial.number)
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=plan.startup_trials, seed=seed + place, multivariate=False
    )
    settings = _suggest(trial, plan)
    losses = dict(study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def report(step: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                "held-out loss", loss, f"{settings} diverge", "Nothing: others are tried."
            )
        if step not in losses:  # else of the first try, which may have been killed in between
            losses[step] = loss
            trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned(f"after step {step}")

    objective(place, settings, report)
    return min(losses.values())


def _suggest(trial: "optuna.Trial", plan: SearchPlan) -> dict[str, Any]:
    return {
        "layers": trial.suggest_categorical("layers", plan.layers),
        "units": trial.suggest_categorical("units", plan.units),
        "window_sessions": trial.suggest_categorical("window_sessions", plan.windows),
        "batch_size": trial.suggest_categorical("batch_size", plan.batches),
        "learning_rate": trial.suggest_float("learning_rate", *plan.learning_rates, log=True),
        "dropout": trial.suggest_float("dropout", *plan.dropouts),
    }


def _settled(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    """Return trials that came to an end, but not those that were killed and tried again."""
    retried = was_retried(study)
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state.is_finished() and trial.number not in retried
    ]


def _is_over(study: "optuna.Study", plan: SearchPlan) -> bool:
    """Say whether there are enough trials and none is under way.

    Two workers may have taken the last one at once; both wait for both, and so find the same.
    """
    return len(_settled(study)) >= plan.trials and not _running(study)


def _is_taken(study: "optuna.Study", plan: SearchPlan) -> bool:
    """Say whether other workers are on all trials that are left."""
    import optuna

    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    if optuna.trial.TrialState.WAITING in states:
        return False
    return len(_settled(study)) + _running(study) >= plan.trials


def _running(study: "optuna.Study") -> int:
    import optuna

    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return states.count(optuna.trial.TrialState.RUNNING)


def _place(study: "optuna.Study", number: int) -> int:
    """Return how many settings were proposed before a trial's; a second try keeps its place."""
    trials = study.get_trials(deepcopy=False)
    first_try = trials[number].system_attrs.get("failed_trial", number)
    return sum("retry_history" not in each.system_attrs for each in trials[:first_try])


def _as_trial(trial: "optuna.trial.FrozenTrial") -> Trial:
    return Trial(
        number=trial.number,
        state=trial.state.name.lower(),
        settings=dict(trial.params),
        held_out_loss=min(trial.intermediate_values.values(), default=None),
        losses=dict(trial.intermediate_values),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
    )
