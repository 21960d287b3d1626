"""Trials of a search: settings proposed, tried, pruned, and tried again after a crash."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ml.errors import TrainingError
from ml.owner import owner_tags
from ml.plans import SearchPlan
from ml.search.proposals import Proposal, fixed_sampler, suggest
from ml.search.study import (
    FAILED_BY_ITSELF,
    HEARTBEAT,
    OWNER,
    SURPLUS,
    Heartbeat,
    open_study,
    release_dead,
    try_again,
)
from ml.search.turns import Turns
from ml.work import Trial, TrialListener, ignore_trial

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

_POLL_SECONDS = 1.0

Report = Callable[[int, float], None]
"""Told of each step of a trial, from 1, and its held-out loss; ends the trial by raising."""

Objective = Callable[[int, Mapping[str, Any], Report], None]
"""Tries settings, given the trial's place among the first tries; reports at least once."""


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
    earlier complete ones at its step is pruned. Both know the trials of earlier batches only, so
    each trial depends on seed, place and those batches, and not on who runs it or how fast: a
    search gives the same trials with any number of workers, and one that was killed goes on and
    ends as if it had not been. Workers that give the same database and name share the trials; the
    last ones of a batch wait for each other. A trial whose worker was killed is tried again with
    the same settings, and counts once.

    Source: Bergstra et al. (2011), "Algorithms for hyper-parameter optimization"; Akiba et al.
    (2019), "Optuna".

    Raises
    ------
    TrackingError
        The database cannot be used.
    TrainingError
        No trial came to an end.
    """
    study = open_study(url, study_name, heartbeat)
    _run(study, plan, seed, objective, trial_listener, plan.trials, heartbeat)
    found = _found(study, plan)
    if not any(trial.state == "complete" for trial in found):
        raise TrainingError(
            "trials of the search", len(found), "none came to an end",
            "See the log for what went wrong; set fewer or other settings to try.",
        )  # fmt: skip
    return found


def run_trials(
    plan: SearchPlan,
    seed: int,
    objective: Objective,
    url: str,
    study_name: str,
    most: int,
    heartbeat: Heartbeat = HEARTBEAT,
) -> tuple[Trial, ...]:
    """Run some trials of a search that workers share, whichever come next; return those run here.

    It ends when so many came to an end here, or when the whole search is over. Until then it waits
    where all that may be tried is under way: for the next batch, or for what a killed worker
    leaves.

    Raises
    ------
    TrackingError
        The database cannot be used.
    """
    ran: list[Trial] = []
    study = open_study(url, study_name, heartbeat)
    _run(study, plan, seed, objective, ran.append, most, heartbeat)
    return tuple(ran)


def found_trials(plan: SearchPlan, url: str, study_name: str) -> tuple[Trial, ...]:
    """Return the trials of a search that came to an end so far; the study is made if need be.

    Raises
    ------
    TrackingError
        The database cannot be used.
    """
    return _found(open_study(url, study_name, HEARTBEAT), plan)


def best(trials: tuple[Trial, ...]) -> Trial:
    """Return the complete trial of the lowest held-out loss; of equal ones the earliest."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return min(complete, key=lambda trial: (trial.held_out_loss, trial.number))


def _run(
    study: "optuna.Study",
    plan: SearchPlan,
    seed: int,
    objective: Objective,
    listener: TrialListener,
    most: int,
    heartbeat: Heartbeat,
) -> None:
    """Run trials until so many were run here, or all are settled."""
    import optuna

    left = most

    def attempt(trial: "optuna.Trial") -> float:
        try:
            return _attempt(study, trial, plan, seed, objective, heartbeat)
        except TrainingError:
            trial.set_user_attr(FAILED_BY_ITSELF, True)
            raise
        except _SurplusError:
            trial.set_user_attr(SURPLUS, True)
            raise
        except optuna.TrialPruned:
            raise
        except BaseException:
            try_again(study, trial.number)
            raise

    def tell(frozen: "optuna.trial.FrozenTrial") -> None:
        nonlocal left
        place = Turns(study, plan).settled_place(frozen.number)
        if place is None:
            return
        left -= 1
        trial = _as_trial(place, frozen)
        logger.info(
            "trial %d is %s, held-out loss %s: %s",
            trial.number, trial.state, trial.held_out_loss, dict(trial.settings),
        )  # fmt: skip
        listener(trial)

    while left and not Turns(study, plan).is_over:
        release_dead(study, heartbeat)
        if not Turns(study, plan).has_next:
            time.sleep(_POLL_SECONDS)
            continue
        study.optimize(
            attempt,
            n_trials=1,
            catch=(TrainingError, _SurplusError, _OutOfTurnError),
            callbacks=[lambda _, frozen: tell(frozen)],
        )


class _SurplusError(Exception):
    """Two workers took the last place at once; the later one tries nothing."""


class _OutOfTurnError(Exception):
    """A trial was taken before its batch began, and one of that batch waits for a worker."""


def _attempt(
    study: "optuna.Study",
    trial: "optuna.Trial",
    plan: SearchPlan,
    seed: int,
    objective: Objective,
    heartbeat: Heartbeat,
) -> float:
    import optuna

    trial.set_user_attr(OWNER, owner_tags())
    place = _await_turn(study, plan, trial.number, heartbeat)
    proposal = Proposal(plan, Turns(study, plan).before(place), seed + place)
    study.sampler = fixed_sampler(proposal.settings)
    settings = suggest(trial, plan)
    losses = dict(study.get_trials(deepcopy=False)[trial.number].intermediate_values)

    def report(step: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                "held-out loss", loss, f"{settings} diverge", "Nothing: others are tried."
            )
        if step not in losses:  # else of the first try, which may have been killed in between
            losses[step] = loss
            trial.report(loss, step)
        if proposal.is_hopeless(losses, step):
            raise optuna.TrialPruned(f"after step {step}")

    objective(place, settings, report)
    return min(losses.values())


def _await_turn(study: "optuna.Study", plan: SearchPlan, number: int, heartbeat: Heartbeat) -> int:
    """Return a trial's place once its batch has begun; workers may have taken trials at once."""
    while True:
        turns = Turns(study, plan)
        place = turns.place(number)
        if place >= plan.trials:
            raise _SurplusError
        if turns.is_open(place):
            return place
        if turns.waiting:
            raise _OutOfTurnError
        time.sleep(_POLL_SECONDS)
        release_dead(study, heartbeat)


def _found(study: "optuna.Study", plan: SearchPlan) -> tuple[Trial, ...]:
    return tuple(_as_trial(place, trial) for place, trial in Turns(study, plan).settled.items())


def _as_trial(place: int, trial: "optuna.trial.FrozenTrial") -> Trial:
    return Trial(
        number=place,
        state=trial.state.name.lower(),
        settings=dict(trial.params),
        held_out_loss=min(trial.intermediate_values.values(), default=None),
        losses=dict(trial.intermediate_values),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
    )
