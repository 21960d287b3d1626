# ruff: noqa: ARG002 - a model need not use all that its interface offers
"""Ridge regression of the surprise on the features of the session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.errors import TrainingError
from ml.forecasters.base import require_labels
from ml.forecasters.tabular import TabularForecaster, blocks
from ml.panel import Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from ml.splits import Split
from ml.targets import benchmark_and_scale, surprise
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

PENALTIES: tuple[float, ...] = (*(10.0 ** (step / 2) for step in range(-8, 7)), np.inf)
"""Strengths tried on validation, per label; of equal ones the stronger. Infinity: the benchmark."""


@dataclass
class Moments:
    """Sums of products over rows: all that a ridge needs of them.

    Attributes
    ----------
    rows : how many there are.
    products : (columns, columns), of channels, a constant of 1 and, last, the target. They are
        made of one product of matrices, whose bits do not depend on the number of threads; those
        of a product with a vector do.
    """

    rows: int
    products: Floats

    @classmethod
    def empty(cls, channels: int) -> "Moments":
        """Return the sums over nothing."""
        return cls(0, np.zeros((channels + 2, channels + 2)))

    def add(self, inputs: Array, target: Floats, units: Floats | None = None) -> None:
        """Add rows, (rows, channels), with targets and the units that errors are counted in."""
        columns = np.ones((len(inputs), inputs.shape[1] + 2))
        columns[:, :-2] = inputs
        columns[:, -1] = target
        if units is not None:
            columns *= units[:, None]
        self.rows += len(inputs)
        self.products += columns.T @ columns

    def mean_square_error(self, weights: Floats) -> float:
        """Return that of channels and constant weighted so, without the rows themselves."""
        error = np.append(-weights, 1.0)
        return float(error @ self.products @ error) / self.rows


class RidgeForecaster(TabularForecaster):
    r"""Linear in the standardised features: minimise the mean squared error plus a penalty.

    .. math:: \frac1n \sum (y - w_0 - x'w)^2 + \alpha (w_0^2 + w'w)

    with y the surprise in units of volatility, so that all symbols weigh the same. The constant is
    penalised like a feature: an infinite penalty is the benchmark exactly. Hoerl and Kennard
    (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12(1).

    Attributes
    ----------
    penalties : (horizons,), chosen on validation.
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
        """Solve for each penalty on training; take the one with the least validation error.

        Training counts errors in units of volatility, validation in log returns, by which models
        are compared.
        """
        self.standardiser = Standardiser.fit(panel, split.train)
        targets = [surprise(panel, horizon) for horizon in self.horizons]
        scales = [benchmark_and_scale(panel, horizon)[1] for horizon in self.horizons]
        training = self._moments(panel, split.train, targets)
        validation = self._moments(panel, split.validation, targets, scales)
        fits = [_fit(*both) for both in zip(training, validation, strict=True)]
        self.penalties = tuple(penalty for penalty, _ in fits)
        self.weights = np.stack([weights for _, weights in fits])
        errors = [
            moments.mean_square_error(weights)
            for moments, weights in zip(training, self.weights, strict=True)
        ]
        self.spreads = np.sqrt(np.array([errors]))

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

    def _moments(
        self,
        panel: Panel,
        sessions: range,
        targets: Sequence[Floats],
        units: Sequence[Floats] | None = None,
    ) -> list[Moments]:
        """Return the sums of each horizon, over sessions, block after block in their order."""
        moments = [Moments.empty(self.standardiser.channels) for _ in targets]
        for block in blocks(panel, sessions):
            rows = slice(block.start, block.stop)
            inputs = self.standardiser.transform(panel, block)
            for number, target in enumerate(targets):
                known = np.isfinite(target[rows])
                counted_in = None if units is None else units[number][rows][known]
                moments[number].add(inputs[known], target[rows][known], counted_in)
        return moments


def _fit(training: Moments, validation: Moments) -> tuple[float, Floats]:
    """Return the penalty with the least validation error, and its weights.

    Raises
    ------
    TrainingError
        There is too little to learn from, or nothing to choose by.
    """
    require_labels("ridge", training.rows)
    if not validation.rows:
        raise TrainingError("validation labels of ridge", 0, "none is there", "Load more history.")
    means = training.products / training.rows
    values, vectors = np.linalg.eigh(means[:-1, :-1])
    along = vectors.T @ means[:-1, -1]
    chosen, weights = np.inf, np.zeros(len(along))
    least = validation.mean_square_error(weights)
    for penalty in sorted(PENALTIES, reverse=True):
        candidate = vectors @ (along / (np.maximum(values, 0.0) + penalty))
        error = validation.mean_square_error(candidate)
        if error < least:
            chosen, weights, least = penalty, candidate, error
    return chosen, weights
