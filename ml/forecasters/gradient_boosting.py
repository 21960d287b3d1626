"""Gradient-boosted trees (LightGBM) for the surprise, averaged over seeds."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml.evaluation import Mask
from ml.forecasters.boosting import Boosting, Examples, Trees, TreeSettings, Trial
from ml.forecasters.tabular import TabularForecaster
from ml.forecasters.targets import surprise
from ml.forecasters.training_blocks import TrainingBlocks
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from ml.splits import Split
from ml.work import Progress, Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

STRIDE_SESSIONS = 5
MOST_ROWS = 500_000
"""Of one seed; a larger market is strided further."""

SETTINGS = (
    TreeSettings(leaves=4, least_share=0.05),
    TreeSettings(leaves=4, least_share=0.01),
    TreeSettings(leaves=15, least_share=0.05),
    TreeSettings(leaves=15, least_share=0.01),
)
"""Tried with the first seed, from the simplest on; of equal ones the simpler."""


class GradientBoostingForecaster(TabularForecaster):
    """LightGBM on squared error in units of volatility, one model per horizon and seed.

    Settings and rounds are chosen by cross-validation within training; where no round gains, there
    is no tree, and the forecast is the benchmark. Outcomes of neighbouring sessions overlap and say
    nearly the same, so a seed trains on every ``stride`` th session only, and each seed begins at
    another one. Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree",
    NeurIPS 30.

    Parameters
    ----------
    seeds : how many models are averaged.

    Attributes
    ----------
    stride : sessions from one training row of a symbol to the next.
    chosen : (horizons,), settings and rounds.
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
        self.chosen: tuple[Trial, ...] = ()
        self.trees: tuple[tuple[Trees, ...], ...] = ()

    @property
    def trials(self) -> int:
        """The settings tried."""
        return len(SETTINGS)

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Choose settings and rounds by the first seed's rows, then grow the trees of all seeds."""
        targets = [surprise(panel, horizon) for horizon in self.horizons]
        blocks = TrainingBlocks.cut(self.name, split, targets)
        self.standardiser = Standardiser.fit(panel, split.train)
        self.stride = _stride(panel, split.train)
        report = _Report(work, self.name, len(self.horizons) * (len(SETTINGS) + self.seeds))
        trees = []
        for seed in range(self.seeds):
            sessions = split.train[seed % self.stride :: self.stride]
            grounds = self._grounds(panel, sessions, targets, work.seed + seed)
            if seed == 0:
                self.chosen = tuple(_choose(ground, blocks, report) for ground in grounds)
            trees.append(
                tuple(_grow(*each, report) for each in zip(grounds, self.chosen, strict=True))
            )
        self.trees = tuple(trees)
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
            "chosen": [asdict(trial) for trial in self.chosen],
            "trees": [[trees.state() for trees in seed] for seed in self.trees],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over everything but the trees."""
        self.standardiser = Standardiser.from_state(state["standardiser"])
        self.spreads = np.array(state["spreads"])
        self.stride = state["stride_sessions"]
        self.chosen = tuple(
            Trial(**{**trial, "settings": TreeSettings(**trial["settings"])})
            for trial in state["chosen"]
        )
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

    def _grounds(
        self, panel: Panel, sessions: range, targets: Sequence[Floats], seed: int
    ) -> list[Boosting]:
        """Return the rows of each horizon that have a target, for trees to grow on."""
        positions = np.array(sessions)
        known = np.isfinite([target[positions] for target in targets])
        usable: Mask = np.any(known, axis=0)
        rows = [
            self.standardiser.transform(panel, range(session, session + 1))[0][chosen]
            for session, chosen in zip(sessions, usable, strict=True)
        ]
        inputs = np.concatenate(rows)
        names = _channel_names(self.standardiser)
        return [
            Boosting(
                Examples(
                    inputs[which[usable]],
                    target[positions][which].astype(np.float32),
                    np.repeat(positions, which.sum(axis=1)),
                ),
                names,
                seed,
            )
            for target, which in zip(targets, known, strict=True)
        ]


class _Report:
    """Tells a listener how far a fit has come."""

    def __init__(self, work: Work, what: str, total: int) -> None:
        self.work, self.what, self.total = work, what, total
        self.done, self.start = 0, time.monotonic()

    def step(self, loss: float, held_out_loss: float) -> None:
        """Tell that one more setting was tried or one more model grown."""
        self.done += 1
        per_step = (time.monotonic() - self.start) / self.done
        left = per_step * (self.total - self.done)
        self.work.listener(Progress(self.what, self.done, self.total, loss, held_out_loss, left))


def _choose(ground: Boosting, blocks: TrainingBlocks, report: _Report) -> Trial:
    """Return the trial with the least error held out."""
    folds = blocks.folds(ground.examples.sessions)
    trials = []
    for settings in SETTINGS:
        trials.append(ground.cross_validate(settings, folds))
        report.step(trials[-1].training_error, trials[-1].held_out_error)
    return min(trials, key=lambda trial: trial.held_out_error)


def _grow(ground: Boosting, chosen: Trial, report: _Report) -> Trees:
    """Return what grows with the chosen settings on all rows."""
    trees = ground.grow(chosen.settings, chosen.rounds)
    report.step(trees.training_error, chosen.held_out_error)
    return trees


def _stride(panel: Panel, sessions: range) -> int:
    """Return how many sessions to go on at a time so that there are not too many rows."""
    rows = int(panel.observed[sessions.start : sessions.stop].sum())
    return max(STRIDE_SESSIONS, -(-rows // MOST_ROWS))


def _channel_names(standardiser: Standardiser) -> tuple[str, ...]:
    masks = (f"{feature}_is_there" for feature in standardiser.masked)
    return (*standardiser.features, *masks)


def _file(folder: Path, seed: int, horizon: int) -> Path:
    return folder / f"horizon_{horizon}_seed_{seed}.txt"
