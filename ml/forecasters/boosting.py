"""LightGBM as we use it: trees of one horizon and seed, deterministic, kept as text."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ml.errors import ModelNotFoundError
from ml.rolling import Floats
from ml.scaling import Array

MOST_ROUNDS = 400
PATIENCE_ROUNDS = 40
BAG = 0.5
"""Share of the rows that a tree is grown on, drawn anew for each."""

_FIXED = {
    "objective": "regression",
    "learning_rate": 0.02,
    "bagging_fraction": BAG,
    "bagging_freq": 1,
    "feature_fraction": 0.5,
    "max_bin": 63,
    "boost_from_average": False,  # no tree at all is the benchmark
    "feature_pre_filter": False,  # settings with other leaves share the binned rows
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,  # fixed: sums may depend on it
    "verbosity": -1,
}


@dataclass(frozen=True)
class TreeSettings:
    """The size of trees: the most leaves, and the least share of a bag's rows in one of them."""

    leaves: int
    least_share: float


@dataclass(frozen=True)
class Examples:
    """Channels, (rows, channels); the target, (rows,); and the weight of its squared error."""

    inputs: Array
    target: Array
    weight: Array


@dataclass(frozen=True)
class Trees:
    """What was learned of one horizon with one seed.

    Attributes
    ----------
    text : LightGBM's own format; empty where no tree lowers the validation error.
    rounds : trees.
    training_error, validation_error : mean squared, weighted as the examples are.
    """

    text: str
    rounds: int
    training_error: float
    validation_error: float

    def state(self) -> dict[str, Any]:
        """Return everything but the text."""
        return {name: value for name, value in asdict(self).items() if name != "text"}

    def read(self, path: Path) -> "Trees":
        """Return them with the text of a file.

        Raises
        ------
        ModelNotFoundError
            It is missing, or does not hold these trees.
        """
        try:
            trees = replace(self, text=path.read_text("utf-8"))
            found = trees.booster.num_trees()
        except (OSError, ValueError, _lightgbm().basic.LightGBMError) as error:
            raise ModelNotFoundError(
                "model file", path, f"it is missing or damaged ({error})", "Train again."
            ) from error
        if found != self.rounds:
            raise ModelNotFoundError(
                "model file", path, f"it holds {found} trees, not {self.rounds}", "Train again."
            )
        return trees

    def surprises(self, inputs: Array) -> Floats:
        """Return the sum of the leaves, (rows,)."""
        if not self.rounds or not len(inputs):
            return np.zeros(len(inputs))
        return np.asarray(self.booster.predict(inputs), np.float64)

    def terms(self, inputs: Array) -> Floats:
        """Return Shapley values of the channels and the mean without any, (rows, channels + 1).

        Method: Lundberg et al. (2020), "From local explanations to global understanding with
        explainable AI for trees", Nature Machine Intelligence 2; exact, path-dependent.
        """
        if not self.rounds or not len(inputs):
            return np.zeros((len(inputs), inputs.shape[1] + 1))
        return np.asarray(self.booster.predict(inputs, pred_contrib=True), np.float64)

    @cached_property
    def booster(self) -> Any:
        """LightGBM's own model."""
        return _lightgbm().Booster(model_str=self.text)


@dataclass(frozen=True)
class Boosting:
    """Rows of one horizon, binned once, on which trees of several settings are grown."""

    training: Examples
    validation: Examples
    channels: tuple[str, ...]
    seed: int

    def train(self, settings: TreeSettings) -> Trees:
        """Grow trees until validation does not gain for 40 rounds; keep those up to the best."""
        losses: dict[str, dict[str, list[float]]] = {}
        training, validation = self._binned
        booster = _lightgbm().train(
            self._parameters(settings),
            training,
            MOST_ROUNDS,
            valid_sets=[validation],
            valid_names=["validation"],
            callbacks=[
                _lightgbm().early_stopping(PATIENCE_ROUNDS, verbose=False),
                _lightgbm().record_evaluation(losses),
            ],
        )
        by_round = np.array(
            [
                _mean_square(self.validation.target, self.validation.weight),
                *losses["validation"]["l2"],
            ]
        )
        rounds = int(np.argmin(by_round))
        text = booster.model_to_string(num_iteration=rounds) if rounds else ""
        trees = Trees(text, rounds, np.nan, float(by_round[rounds]))
        left = self.training.target - trees.surprises(self.training.inputs)
        return replace(trees, training_error=_mean_square(left, self.training.weight))

    @cached_property
    def _binned(self) -> tuple[Any, Any]:
        parameters = {**_FIXED, "seed": self.seed}
        training = _lightgbm().Dataset(
            self.training.inputs,
            self.training.target,
            weight=self.training.weight,
            feature_name=list(self.channels),
            params=parameters,
        )
        validation = _lightgbm().Dataset(
            self.validation.inputs,
            self.validation.target,
            weight=self.validation.weight,
            reference=training,
            params=parameters,
        )
        return training, validation

    def _parameters(self, settings: TreeSettings) -> dict[str, Any]:
        in_a_bag = BAG * len(self.training.target)
        return {
            **_FIXED,
            "seed": self.seed,
            "num_leaves": settings.leaves,
            "min_data_in_leaf": max(1, round(settings.least_share * in_a_bag)),
        }


def _mean_square(values: Array | Floats, weight: Array) -> float:
    return float(np.average(np.square(values, dtype=np.float64), weights=weight))


def _lightgbm() -> Any:
    import lightgbm  # takes a second, and most who import this module never need it

    return lightgbm
