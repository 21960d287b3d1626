"""Gradient-boosted trees (LightGBM) for the surprise, averaged over seeds."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml.errors import TrainingError
from ml.evaluation import Mask
from ml.forecasters.base import horizon_volatility, require_labels
from ml.forecasters.boosting import Boosting, Examples, Trees, TreeSettings
from ml.forecasters.tabular import TabularForecaster
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from ml.splits import Split
from ml.targets import surprise
from ml.work import Progress, Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

STRIDE_SESSIONS = 5
MOST_ROWS = 1_000_000
"""Of one seed's training, or of validation; a larger market is strided further."""

SETTINGS = (
    TreeSettings(leaves=4, least_share=0.05),
    TreeSettings(leaves=4, least_share=0.01),
    TreeSettings(leaves=15, least_share=0.05),
    TreeSettings(leaves=15, least_share=0.01),
)
"""Tried on validation with the first seed, from the simplest on; of equal ones the simpler."""


class GradientBoostingForecaster(TabularForecaster):
    """LightGBM on squared error in units of volatility, one model per horizon and seed.

    Boosting stops when validation no longer gains; where no round gains, there is no tree, and the
    forecast is the benchmark. Outcomes of neighbouring sessions overlap and say nearly the same, so
    a seed trains on every ``stride`` th session only, and each seed begins at another one. Ke et
    al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 30.

    Parameters
    ----------
    seeds : how many models are averaged.

    Attributes
    ----------
    stride : sessions from one training row of a symbol to the next.
    settings : (horizons,), chosen on validation.
    trees : by seed, then by horizon.
    """

    name = "lightgbm"
    attribution = Attribution.SHAPLEY_VALUES

    def __init__(
        self, horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS, seeds: int = 5
    ) -> None:
        super().__init__(horizons)
        self.seeds = seeds
        self.stride = STRIDE_SESSIONS
        self.settings: tuple[TreeSettings, ...] = ()
        self.trees: tuple[tuple[Trees, ...], ...] = ()

    @property
    def trials(self) -> int:
        """The settings tried."""
        return len(SETTINGS)

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Choose settings by the first seed, then train the others with them.

        Training counts errors in units of volatility, validation in log returns, by which models
        are compared.
        """
        self.standardiser = Standardiser.fit(panel, split.train)
        self.stride = _stride(panel, split.train, STRIDE_SESSIONS)
        targets = np.stack([surprise(panel, horizon) for horizon in self.horizons])
        self._require_examples(targets, split)
        squares = np.square([horizon_volatility(panel, horizon) for horizon in self.horizons])
        evenly = np.broadcast_to(1.0, squares.shape)
        held_out_sessions = split.validation[:: _stride(panel, split.validation, 1)]
        validation = self._examples(panel, held_out_sessions, targets, squares)
        report = _Report(work, self.name, len(self.horizons) * (len(SETTINGS) + self.seeds - 1))
        names = _channel_names(self.standardiser)
        self.settings, self.trees = (), ()
        for seed in range(self.seeds):
            strided = split.train[seed % self.stride :: self.stride]
            training = self._examples(panel, strided, targets, evenly)
            best = []
            for number, (rows, held_out) in enumerate(zip(training, validation, strict=True)):
                boosting = Boosting(rows, held_out, names, work.seed + seed)
                tried = self.settings[number : number + 1] or SETTINGS
                best.append(self._best(boosting, tried, report))
            self.settings = tuple(settings for settings, _ in best)
            self.trees = (*self.trees, tuple(trees for _, trees in best))
        self.spreads = np.sqrt([[trees.training_error for trees in seed] for seed in self.trees])

    def surprises(self, inputs: Array) -> Floats:
        """Return the sums of the leaves, (seeds, horizons, rows)."""
        return np.array([[trees.surprises(inputs) for trees in seed] for seed in self.trees])

    def terms(self, inputs: Array) -> Floats:
        """Return the mean of the seeds' Shapley values."""
        by_seed = [[trees.terms(inputs) for trees in seed] for seed in self.trees]
        mean: Floats = np.mean(by_seed, axis=0)
        return mean

    def state(self) -> dict[str, Any]:
        """Return everything but the trees."""
        return {
            "standardiser": self.standardiser.state(),
            "spreads": self.spreads.tolist(),
            "stride_sessions": self.stride,
            "settings": [asdict(settings) for settings in self.settings],
            "trees": [[trees.state() for trees in seed] for seed in self.trees],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over everything but the trees."""
        self.standardiser = Standardiser.from_state(state["standardiser"])
        self.spreads = np.array(state["spreads"])
        self.stride = state["stride_sessions"]
        self.settings = tuple(TreeSettings(**settings) for settings in state["settings"])
        self.trees = tuple(tuple(Trees("", **trees) for trees in seed) for seed in state["trees"])
        self.seeds = len(self.trees)

    def save(self, folder: Path) -> None:
        """Write the description, and each seed's and horizon's trees as LightGBM's own text."""
        super().save(folder)
        for seed, of_seed in enumerate(self.trees):
            for horizon, trees in zip(self.horizons, of_seed, strict=True):
                if trees.rounds:
                    _file(folder, seed, horizon).write_text(trees.text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            Trees are missing or damaged.
        """
        forecaster = super().load(folder)
        forecaster.trees = tuple(
            tuple(
                trees.read(_file(folder, seed, horizon)) if trees.rounds else trees
                for horizon, trees in zip(forecaster.horizons, of_seed, strict=True)
            )
            for seed, of_seed in enumerate(forecaster.trees)
        )
        return forecaster

    def _require_examples(self, targets: Floats, split: Split) -> None:
        """Raise a TrainingError where there is too little to learn from or to choose by."""
        known = np.isfinite(targets).sum(axis=2)
        require_labels(self.name, int(known[:, : split.train.stop].sum(axis=1).min()))
        if not known[:, split.validation.start : split.validation.stop].any(axis=1).all():
            raise TrainingError(
                f"validation labels of {self.name}", 0, "none is there", "Load more history."
            )

    def _best(
        self, boosting: Boosting, tried: Sequence[TreeSettings], report: "_Report"
    ) -> tuple[TreeSettings, Trees]:
        """Return the settings with the least validation error, and what they grew."""
        grown = []
        for settings in tried:
            grown.append((settings, boosting.train(settings)))
            report.step(grown[-1][1])
        return min(grown, key=lambda fit: fit[1].validation_error)

    def _examples(
        self, panel: Panel, sessions: range, targets: Floats, weights: Floats
    ) -> list[Examples]:
        """Return the rows of each horizon that have a target, and their weights."""
        positions = np.array(sessions)
        known = np.isfinite(targets[:, positions])
        usable: Mask = np.any(known, axis=0)
        rows = [
            self.standardiser.transform(panel, range(session, session + 1))[0][chosen]
            for session, chosen in zip(sessions, usable, strict=True)
        ]
        inputs = np.concatenate(rows)
        return [
            Examples(
                inputs[which[usable]],
                target[positions][which].astype(np.float32),
                weight[positions][which].astype(np.float32),
            )
            for target, weight, which in zip(targets, weights, known, strict=True)
        ]


class _Report:
    """Tells a listener how far a fit has come."""

    def __init__(self, work: Work, what: str, total: int) -> None:
        self.work, self.what, self.total = work, what, total
        self.done, self.start = 0, time.monotonic()

    def step(self, trees: Trees) -> None:
        """Tell that one more model was grown."""
        self.done += 1
        per_step = (time.monotonic() - self.start) / self.done
        self.work.listener(
            Progress(
                self.what,
                self.done,
                self.total,
                trees.training_error,
                trees.validation_error,
                per_step * (self.total - self.done),
            )
        )


def _stride(panel: Panel, sessions: range, least: int) -> int:
    """Return how many sessions to go on at a time so that there are not too many rows."""
    rows = int(panel.observed[sessions.start : sessions.stop].sum())
    return max(least, -(-rows // MOST_ROWS))


def _channel_names(standardiser: Standardiser) -> tuple[str, ...]:
    masks = (f"{feature}_is_there" for feature in standardiser.masked)
    return (*standardiser.features, *masks)


def _file(folder: Path, seed: int, horizon: int) -> Path:
    return folder / f"horizon_{horizon}_seed_{seed}.txt"
