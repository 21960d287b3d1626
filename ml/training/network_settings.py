"""The network's settings for a training: the plan's, or what a search finds on the first fold."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml.forecasters import LSTM, forecaster_class
from ml.forecasters.lstm.settings import LstmSettings
from ml.panel import Panel
from ml.plans import SearchPlan, TrainingPlan
from ml.search.trials import Objective, Report, best, run_trials, search
from ml.splits import Split
from ml.training.costs import lstm_cost, sample_cost
from ml.training.fit_losses import FitLosses
from ml.training.fold_fits import CHECKPOINTS_FOLDER
from ml.training.progress import Part, TrainingTeller
from ml.work import Progress, TrainingWork, Trial, Work

LEAST_SHARE, MOST_SHARE = 0.25, 4.0
"""Of the plan's samples per epoch that a network of another size is shown."""


def find_settings(
    panel: Panel, split: Split, plan: TrainingPlan, work: TrainingWork, teller: TrainingTeller
) -> tuple[TrainingPlan, tuple[Trial, ...]]:
    """Return the plan with the settings that serve, and the trials behind them.

    Trials see the training range of the first fold, nothing later, and one seed. They are compared
    by the loss on the last part of it, which also tells each when to stop.

    Raises
    ------
    TrackingError
        The search's database cannot be used.
    TrainingError
        No trial came to an end.
    """
    if plan.search is None:
        return plan, ()
    sought = plan.search
    trials = search(
        sought,
        plan.seed,
        _objective(panel, split, plan, sought, work, teller),
        work.search_url,
        work.study,
        work.trial_listener,
    )
    teller.skip(trial_name(place) for place in range(sought.trials))
    return replace(plan, lstm=lstm_settings(plan.lstm, best(trials).settings)), trials


def try_settings(
    panel: Panel, split: Split, plan: TrainingPlan, work: TrainingWork, most: int
) -> tuple[Trial, ...]:
    """Run some trials of a plan's search, whichever come next; return those run here.

    Workers that are given the same panel, plan and database share the search, and a training with
    these finds its trials done (:func:`find_settings`).

    Raises
    ------
    TrackingError
        The search's database cannot be used.
    """
    sought = plan.search
    if sought is None or work.search_url is None:
        return ()
    teller = TrainingTeller(trial_parts(plan), work.listener)
    objective = _objective(panel, split, plan, sought, work, teller)
    return run_trials(sought, plan.seed, objective, work.search_url, work.study, most)


def trial_parts(plan: TrainingPlan) -> list[Part]:
    """Return the trials of a plan's search as parts of a training, with what each costs."""
    sought = plan.search
    if sought is None:
        return []
    cost = lstm_cost(replace(plan.lstm, seeds=1, epochs=sought.epochs))
    return [Part(trial_name(place), cost) for place in range(sought.trials)]


def _objective(
    panel: Panel,
    split: Split,
    plan: TrainingPlan,
    sought: SearchPlan,
    work: TrainingWork,
    teller: TrainingTeller,
) -> Objective:
    """Return what tries settings: a fit of one network on a split's training range."""

    def attempt(place: int, found: Mapping[str, Any], report: Report) -> None:
        part = trial_name(place)

        def listen(progress: Progress) -> None:
            teller.step(part, progress)
            report(progress.done, progress.held_out_loss)

        settings = replace(
            lstm_settings(plan.lstm, found),
            seeds=1,
            epochs=sought.epochs,
            patience_epochs=sought.patience_epochs,
        )
        teller.begin(part)
        try:
            fit = Work(plan.seed, _folder(work, found), listen)
            _fit(panel, split, plan.horizons, settings, fit, report)
        finally:
            teller.end(part)

    return attempt


def trial_name(place: int) -> str:
    """Return what a trial is called where progress is told."""
    return f"trial {place + 1} of the search"


def lstm_settings(base: LstmSettings, found: Mapping[str, Any]) -> LstmSettings:
    """Return settings with what a trial has found.

    An epoch of a larger network shows fewer samples, so that each trial costs about the same and
    size is not bought with work.
    """
    settings = replace(
        base,
        units=(found["units"],) * found["layers"],
        window_sessions=found["window_sessions"],
        batch_size=found["batch_size"],
        learning_rate=found["learning_rate"],
        dropout=found["dropout"],
    )
    share = sample_cost(base) / sample_cost(settings)
    samples = base.samples_per_epoch * min(max(share, LEAST_SHARE), MOST_SHARE)
    return replace(settings, samples_per_epoch=round(samples))


def _fit(
    panel: Panel,
    split: Split,
    horizons: tuple[int, ...],
    settings: LstmSettings,
    work: Work,
    report: Report,
) -> None:
    """Fit one network; one that a killed trial began goes on."""
    losses = FitLosses(LSTM, 1, work)
    for loss in losses.told:
        report(loss.step, loss.held_out_loss)
    options: dict[str, Any] = {"settings": settings}
    forecaster = forecaster_class(LSTM)(horizons, **options)
    forecaster.fit(panel, split, replace(work, listener=losses).part(CHECKPOINTS_FOLDER))


def _folder(work: TrainingWork, found: Mapping[str, Any]) -> Path | None:
    if work.folder is None:
        return None
    digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
    return work.folder / "search" / digest[:16]
