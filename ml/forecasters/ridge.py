# ruff: noqa: ARG002 - a model need not use all that its interface offers
"""Ridge regression of the surprise on the features of the session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ml.forecasters.tabular import TabularForecaster, portions
from ml.forecasters.targets import surprise
from ml.forecasters.training_blocks import TrainingBlocks
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from ml.splits import Split
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

PENALTIES: tuple[float, ...] = (np.inf, *(10.0 ** (step / 2) for step in range(6, -9, -1)))
"""Strengths tried, per label; of equal ones the stronger. Infinity is the benchmark."""


@dataclass
class Moments:
    """Sums of products over rows: all that a ridge needs of them.

    Attributes
    ----------
    rows : how many there are.
    products : (columns, columns), of channels, a constant of 1 and, last, the target. They are
        made of one product of matrices by one thread, and what follows does without the libraries
        of linear algebra: on many processors the bits of theirs depend on the number of threads.
    """

    rows: int
    products: Floats

    @classmethod
    def empty(cls, channels: int) -> "Moments":
        """Return the sums over nothing."""
        return cls(0, np.zeros((channels + 2, channels + 2)))

    @classmethod
    def sum(cls, parts: Sequence["Moments"]) -> "Moments":
        """Return the sums over the rows of all parts."""
        products: Floats = np.sum([part.products for part in parts], axis=0)
        return cls(sum(part.rows for part in parts), products)

    def add(self, inputs: Array, target: Floats) -> None:
        """Add rows, (rows, channels), with their targets, (rows,)."""
        columns = np.ones((len(inputs), inputs.shape[1] + 2))
        columns[:, :-2] = inputs
        columns[:, -1] = target
        self.rows += len(inputs)
        with threadpool_limits(limits=1, user_api="blas"):
            self.products += columns.T @ columns

    def solve(self, penalties: Sequence[float]) -> list[Floats]:
        """Return the weights of channels and constant for each penalty.

        By Gauss and Jordan, all penalties at once; a penalty keeps every pivot from 0.
        """
        means = self.products / max(self.rows, 1)
        columns = len(means) - 1
        finite = [penalty for penalty in penalties if np.isfinite(penalty)]
        systems = np.repeat(means[None, :-1], len(finite), axis=0)
        systems[:, range(columns), range(columns)] += np.array(finite)[:, None]
        for pivot in range(columns):
            systems[:, pivot] /= systems[:, pivot, pivot, None]
            others = systems[:, :, pivot].copy()
            others[:, pivot] = 0.0
            # What lies left of the pivot is 0 by now.
            right = systems[:, pivot, pivot:]
            systems[:, :, pivot:] -= others[:, :, None] * right[:, None, :]
        solved = iter(systems[..., -1])
        return [
            next(solved) if np.isfinite(penalty) else np.zeros(columns) for penalty in penalties
        ]

    def square_error(self, weights: Floats) -> float:
        """Return the sum of squared errors of channels and constant weighted so."""
        error = np.append(-weights, 1.0)
        return float(np.sum(error[:, None] * self.products * error))


class RidgeForecaster(TabularForecaster):
    r"""Linear in the standardised features: minimise the mean squared error plus a penalty.

    .. math:: \frac1n \sum (y - w_0 - x'w)^2 + \alpha (w_0^2 + w'w)

    with y the surprise in units of volatility, so that all symbols weigh the same. The constant is
    penalised like a feature: an infinite penalty is the benchmark exactly. Hoerl and Kennard
    (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12(1).

    Attributes
    ----------
    penalties : (horizons,), chosen by cross-validation within training.
    weights : (horizons, channels + 1); the constant's is the last.
    """

    name = "ridge"
    attribution = Attribution.LINEAR_TERMS

    def __init__(self, horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS) -> None:
        super().__init__(horizons)
        self.penalties: tuple[float, ...] = ()
        self.weights: Floats = np.empty((len(horizons), 0))

    @property
    def trials(self) -> int:
        """The penalties tried."""
        return len(PENALTIES)

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Choose a penalty by cross-validation within training, then solve with all of it."""
        targets = [surprise(panel, horizon) for horizon in self.horizons]
        training = TrainingBlocks.cut(self.name, split, targets)
        self.standardiser = Standardiser.fit(panel, split.train)
        blocks = [self._moments(panel, block, targets) for block in training.blocks]
        gaps = [self._moments(panel, gap, targets) for gap in training.gaps]
        penalties, weights, errors = [], [], []
        for number in range(len(self.horizons)):
            of_blocks = [moments[number] for moments in blocks]
            everything = Moments.sum([*of_blocks, *(moments[number] for moments in gaps)])
            penalties.append(_least_error(of_blocks))
            weights.append(everything.solve(penalties[-1:])[0])
            errors.append(everything.square_error(weights[-1]) / everything.rows)
        self.penalties, self.weights = tuple(penalties), np.stack(weights)
        self.spreads = np.sqrt([errors])

    def surprises(self, inputs: Array) -> Floats:
        """Return the weighted sums, (1, horizons, rows)."""
        result = np.repeat(self.weights[:, -1:], len(inputs), axis=1)
        # Channel after channel: the bits of a product of matrices depend on the number of rows.
        for channel in range(inputs.shape[1]):
            result += self.weights[:, channel, None] * inputs[:, channel].astype(np.float64)
        return result[None]

    def terms(self, inputs: Array) -> Floats:
        """Return weight times channel, and the constant."""
        terms = np.empty((len(self.horizons), len(inputs), inputs.shape[1] + 1))
        terms[..., :-1] = self.weights[:, None, :-1] * inputs
        terms[..., -1] = self.weights[:, None, -1]
        return terms

    def state(self) -> dict[str, Any]:
        """Return scaler, penalties (null for an infinite one), weights and spreads."""
        return {
            "standardiser": self.standardiser.state(),
            "penalties": [value if np.isfinite(value) else None for value in self.penalties],
            "weights": self.weights.tolist(),
            "spreads": self.spreads.tolist(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over scaler, penalties, weights and spreads."""
        self.standardiser = Standardiser.from_state(state["standardiser"])
        self.penalties = tuple(np.inf if value is None else value for value in state["penalties"])
        self.weights = np.array(state["weights"])
        self.spreads = np.array(state["spreads"])

    def _moments(self, panel: Panel, sessions: range, targets: Sequence[Floats]) -> list[Moments]:
        """Return the sums of each horizon, over portions in their order."""
        moments = [Moments.empty(self.standardiser.channels) for _ in targets]
        for part in portions(panel, sessions):
            inputs = self.standardiser.transform(panel, part)
            for one, target in zip(moments, targets, strict=True):
                labels = target[part.start : part.stop]
                known = np.isfinite(labels)
                one.add(inputs[known], labels[known])
        return moments


def _least_error(blocks: Sequence[Moments]) -> float:
    """Return the penalty with the least error on blocks that its weights have not seen."""
    errors = np.zeros(len(PENALTIES))
    for number, held_out in enumerate(blocks):
        others = Moments.sum([*blocks[:number], *blocks[number + 1 :]])
        errors += [held_out.square_error(weights) for weights in others.solve(PENALTIES)]
    return PENALTIES[int(np.argmin(errors))]
