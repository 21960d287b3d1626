"""What a trial is proposed, and measured against: the trials of earlier batches and nothing else.

Optuna's own sampler and pruner look at whatever is in the database at that moment. With several
workers that depends on who was faster, and so would the whole search. Here a trial sees a study in
memory that holds the trials of the batches before its own, in the order of their places.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ml.plans import SearchPlan

if TYPE_CHECKING:
    import optuna


class Proposal:
    """The settings of one trial, and whether its losses are worth going on with.

    Parameters
    ----------
    earlier : settled trials of the batches before, in the order of their places.
    seed : of this trial.
    """

    def __init__(
        self, plan: SearchPlan, earlier: Iterable["optuna.trial.FrozenTrial"], seed: int
    ) -> None:
        import optuna

        sampler = optuna.samplers.TPESampler(n_startup_trials=plan.startup_trials, seed=seed)
        self._view = optuna.create_study(sampler=sampler)
        self._view.add_trials(earlier)
        self._pruner = optuna.pruners.MedianPruner(plan.startup_trials)
        self.settings = suggest(self._view.ask(), plan)

    def is_hopeless(self, losses: Mapping[int, float], step: int) -> bool:
        """Say whether a trial does worse at a step than the median of the earlier ones."""
        import optuna

        so_far = {at: loss for at, loss in losses.items() if at <= step}
        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED, intermediate_values=so_far
        )
        return bool(self._pruner.prune(self._view, trial))


def suggest(trial: "optuna.Trial", plan: SearchPlan) -> dict[str, Any]:
    """Return the settings of a trial, by name."""
    return {
        "layers": trial.suggest_categorical("layers", plan.layers),
        "units": trial.suggest_categorical("units", plan.units),
        "window_sessions": trial.suggest_categorical("window_sessions", plan.windows),
        "batch_size": trial.suggest_categorical("batch_size", plan.batches),
        "learning_rate": trial.suggest_float("learning_rate", *plan.learning_rates, log=True),
        "dropout": trial.suggest_float("dropout", *plan.dropouts),
    }


def fixed_sampler(settings: Mapping[str, Any]) -> "optuna.samplers.BaseSampler":
    """Return a sampler that gives a trial of the shared study what was proposed to it."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.PartialFixedSampler(
            dict(settings), optuna.samplers.RandomSampler(seed=0)
        )
