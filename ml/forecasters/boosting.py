"""LightGBM as we use it: trees of one horizon and seed, deterministic, kept as text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import ModelNotFoundError
from ml.rolling import Floats
from ml.scaling import Array

Positions = NDArray[np.int64]
Fold = tuple[Positions, Positions]
"""Rows to learn from, and rows held out."""

MOST_ROUNDS = 400
PATIENCE_ROUNDS = 30
BAG = 0.5
"""Share of the rows that a tree is grown on, drawn anew for each."""

_FIXED = {
    "objective": "regression",
    "learning_rate": 0.03,
    "bagging_fraction": BAG,
    "bagging_freq": 1,
    "feature_fraction": 0.5,
    "max_bin": 63,
    "boost_from_average": False,  # no tree at all is the benchmark
    "feature_pre_filter": False,  # settings with other leaves share the binned rows
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # two wait for each other at every split, for 1.5 times the work
    "verbosity": -1,
}


@dataclass(frozen=True)
class TreeSettings:
    """The size of trees: the most leaves, and the least share of a bag's rows in one of them."""

    leaves: int
    least_share: float


@dataclass(frozen=True)
class Examples:
    """Channels, (rows, channels); the target, (rows,); and each row's position in time, (rows,)."""

    inputs: Array
    target: Array
    sessions: Positions


@dataclass(frozen=True)
class Trial:
    """Settings, the rounds that are best with them, and the mean squared errors then.

    No round at all is among those to choose from. The errors are means over folds, of what was
    learned from and of what was held out.
    """

    settings: TreeSettings
    rounds: int
    training_error: float
    held_out_error: float


@dataclass(frozen=True)
class Trees:
    """What was learned of one horizon with one seed.

    Attributes
    ----------
    text : LightGBM's own format; empty where there is no tree.
    rounds : trees.
    training_error : mean squared.
    digest : SHA-256 of the text, by which it is known to be whole: LightGBM ends the process where
        it is cut off.
    """

    text: str
    rounds: int
    training_error: float
    digest: str = ""

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
            content = path.read_bytes()
        except OSError as error:
            raise ModelNotFoundError(
                "model file", path, f"it is missing ({error})", "Train again."
            ) from error
        if sha256(content).hexdigest() != self.digest:
            raise ModelNotFoundError(
                "model file", path, "it is damaged, or of another model", "Train again."
            )
        return replace(self, text=content.decode("utf-8"))

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

    examples: Examples
    channels: tuple[str, ...]
    seed: int

    def cross_validate(self, settings: TreeSettings, folds: Sequence[Fold]) -> Trial:
        """Grow trees on each fold's rows until the error on those held out stops to fall."""
        errors = _lightgbm().cv(
            self._parameters(settings, int(np.mean([len(learned) for learned, _ in folds]))),
            self._binned,
            MOST_ROUNDS,
            folds=folds,
            eval_train_metric=True,
            callbacks=[_lightgbm().early_stopping(PATIENCE_ROUNDS, verbose=False)],
        )
        target = self.examples.target
        learned = [np.mean([_mean_square(target[rows]) for rows, _ in folds])]
        held_out = [np.mean([_mean_square(target[rows]) for _, rows in folds])]
        learned.extend(errors["train l2-mean"])
        held_out.extend(errors["valid l2-mean"])
        rounds = int(np.argmin(held_out))
        return Trial(settings, rounds, float(learned[rounds]), float(held_out[rounds]))

    def grow(self, settings: TreeSettings, rounds: int) -> Trees:
        """Grow so many trees on all rows."""
        if not rounds:
            return Trees("", 0, _mean_square(self.examples.target))
        parameters = self._parameters(settings, len(self.examples.target))
        booster = _lightgbm().train(parameters, self._binned, rounds)
        text = booster.model_to_string()
        trees = Trees(text, rounds, np.nan, sha256(text.encode("utf-8")).hexdigest())
        left = self.examples.target - trees.surprises(self.examples.inputs)
        return replace(trees, training_error=_mean_square(left))

    @cached_property
    def _binned(self) -> Any:
        return _lightgbm().Dataset(
            self.examples.inputs,
            self.examples.target,
            feature_name=list(self.channels),
            params={**_FIXED, "seed": self.seed},
        )

    def _parameters(self, settings: TreeSettings, rows: int) -> dict[str, Any]:
        return {
            **_FIXED,
            "seed": self.seed,
            "num_leaves": settings.leaves,
            "min_data_in_leaf": max(1, round(settings.least_share * BAG * rows)),
        }


def _mean_square(values: Array | Floats) -> float:
    return float(np.mean(np.square(values, dtype=np.float64)))


def _lightgbm() -> Any:
    import lightgbm  # takes a second, and most who import this module never need it

    return lightgbm
