"""What a training does, but for the data: folds, settings of the network, search, seeds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ml.forecasters.lstm.settings import LstmSettings
from ml.panel.features import FEATURES
from ml.splits import FoldPlan
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, TrainingProfile


@dataclass(frozen=True)
class SearchPlan:
    """How the network's settings are searched, on the first fold's training range.

    Attributes
    ----------
    trials : settings that are tried, those that are pruned or fail among them.
    layers, units, windows, batches : what is chosen from.
    learning_rates : lowest and highest; even in their logarithm.
    dropouts : lowest and highest.
    epochs, patience_epochs : the most of one trial.
    startup_trials : drawn at random before the sampler learns, and before any is pruned.
    batch_trials : after these, so many are proposed from the same earlier ones; as many workers
        can be on them at once. Each one less would let a proposal know of one outcome more.
    """

    trials: int
    layers: tuple[int, ...] = (1, 2)
    units: tuple[int, ...] = (16, 32, 64, 128)
    windows: tuple[int, ...] = (21, 42, 60)
    batches: tuple[int, ...] = (256, 512, 1024)
    learning_rates: tuple[float, float] = (1e-4, 3e-3)
    dropouts: tuple[float, float] = (0.0, 0.5)
    epochs: int = 12
    patience_epochs: int = 3
    startup_trials: int = 6
    batch_trials: int = 4

    def batch_start(self, place: int) -> int:
        """Return how many trials come before the batch that a trial belongs to, by its place."""
        if place < self.startup_trials:
            return 0
        return place - (place - self.startup_trials) % self.batch_trials


@dataclass(frozen=True)
class TrainingPlan:
    """Everything but the data that decides what a training gives.

    ``lstm`` holds the settings that serve without a search, and what a search leaves as it is.
    """

    profile: TrainingProfile
    seed: int
    folds: FoldPlan
    lstm: LstmSettings
    search: SearchPlan | None = None
    horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS
    features: tuple[str, ...] = FEATURES

    @classmethod
    def of_profile(cls, profile: TrainingProfile, seed: int) -> "TrainingPlan":
        """Return the plan of a profile."""
        return replace(PROFILES[profile], seed=seed)

    def parameters(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return asdict(self)


PROFILES: Mapping[TrainingProfile, TrainingPlan] = {
    TrainingProfile.QUICK: TrainingPlan(
        TrainingProfile.QUICK,
        seed=0,
        folds=FoldPlan(folds=1, test_share=0.15),
        lstm=LstmSettings(
            window_sessions=42,
            units=(32,),
            learning_rate=3e-4,
            samples_per_epoch=24_576,
            epochs=8,
            patience_epochs=2,
            seeds=2,
        ),
    ),
    TrainingProfile.FULL: TrainingPlan(
        TrainingProfile.FULL,
        seed=0,
        folds=FoldPlan(folds=4, test_share=0.5),
        lstm=LstmSettings(
            window_sessions=60,
            units=(64, 64),
            learning_rate=3e-4,
            samples_per_epoch=32_768,
            stopping_samples=10_080,
            epochs=12,
            patience_epochs=3,
            seeds=5,
        ),
        search=SearchPlan(trials=20),
    ),
}
"""How much work a training does; the folds of ``full`` are years of out-of-sample forecasts."""
