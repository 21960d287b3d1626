"""What models of single rows share: the features of a session in, surprises out."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import TrainingError
from ml.forecasters.base import Contributions, Forecaster, Forecasts, require_labels
from ml.panel import LEAST_HISTORY_SESSIONS, Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from ml.splits import Split
from ml.targets import benchmarks_and_scales
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

PORTION_ROWS = 131_072
"""Rows that are standardised at a time: all rows of a market would take gigabytes."""

FOLDS = 5
"""Of the cross-validation within training."""


Positions = NDArray[np.int64]


class TabularForecaster(Forecaster):
    """Forecast the surprise over each horizon from the standardised features of the session.

    One model for all symbols, which knows none by name: it also forecasts those that training did
    not see. It forecasts wherever the benchmark and volatility are known; features that are
    missing count as their training mean, beside a mask that says so.

    Attributes
    ----------
    standardiser : fitted on training.
    spreads : (seeds, horizons); root mean square training error in units of volatility.
    """

    attribution: Attribution

    def __init__(self, horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS) -> None:
        super().__init__(horizons)
        self.standardiser = Standardiser((), {})
        self.spreads: Floats = np.empty((0, len(horizons)))

    @property
    def history_sessions(self) -> int:
        """Returns of the first expanding mean, and the row before them."""
        return LEAST_HISTORY_SESSIONS + 1

    @abstractmethod
    def surprises(self, inputs: Array) -> Floats:
        """Return what each seed says of rows of channels: (seeds, horizons, rows).

        A row's bits do not depend on the rows beside it.
        """

    @abstractmethod
    def terms(self, inputs: Array) -> Floats:
        """Return what each channel adds to the mean of the seeds, (horizons, rows, channels + 1).

        The last column is what is said without any feature; all of them add up to the surprise.
        """

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast the mean of the seeds' means, with the root mean of their squared scales."""
        spreads = np.sqrt(np.square(self.spreads).mean(axis=0))
        means = self._surprises(panel, sessions).mean(axis=0)
        return self._forecasts(panel, sessions, means, spreads)

    def predict_seeds(self, panel: Panel, sessions: range) -> tuple[Forecasts, ...]:
        """Forecast with each seed alone."""
        said = zip(self._surprises(panel, sessions), self.spreads, strict=True)
        return tuple(self._forecasts(panel, sessions, means, spreads) for means, spreads in said)

    def explain(self, panel: Panel) -> Contributions:
        """Split the last session's forecasts into what each feature adds, its mask included."""
        last = range(len(panel) - 1, len(panel))
        inputs = self.standardiser.transform(panel, last)[0]
        benchmark, scale = benchmarks_and_scales(panel, self.horizons, last)
        terms = self.terms(inputs) * scale[:, 0, :, None]
        parts = np.zeros((*terms.shape[:-1], len(self.standardiser.features)))
        for channel, feature in enumerate(self.standardiser.feature_of_channel):
            parts[..., feature] += terms[..., channel]
        return Contributions(
            features=self.standardiser.features,
            seen=self.standardiser.seen(panel, last)[0],
            baseline=benchmark[:, 0] + terms[..., -1],
            parts=parts,
            method=self.attribution,
        )

    def _surprises(self, panel: Panel, sessions: range) -> Floats:
        """Return (seeds, horizons, sessions, symbols); 0 where nothing is forecast."""
        shape = len(self.spreads), len(self.horizons), len(sessions), len(panel.symbols)
        result = np.zeros(shape)
        forecast = panel.observed & np.isfinite(panel.daily_volatility)
        for part in portions(panel, sessions):
            chosen = forecast[part.start : part.stop]
            at = result[:, :, part.start - sessions.start : part.stop - sessions.start]
            at[:, :, chosen] = self.surprises(self.standardiser.transform(panel, part)[chosen])
        return result

    def _forecasts(
        self, panel: Panel, sessions: range, means: Floats, spreads: Floats
    ) -> Forecasts:
        benchmark, scale = benchmarks_and_scales(panel, self.horizons, sessions)
        mean = benchmark + means * scale
        stdev = spreads[:, None, None] * scale
        return Forecasts(mean, np.where(np.isfinite(mean), stdev, np.nan))


def portions(panel: Panel, sessions: range, rows: int = PORTION_ROWS) -> Iterator[range]:
    """Cut positions into runs of about ``rows`` rows, always at the same places."""
    step = max(1, rows // len(panel.symbols))
    for start in range(sessions.start, sessions.stop, step):
        yield range(start, min(start + step, sessions.stop))


@dataclass(frozen=True)
class TrainingBlocks:
    """Training cut into runs of sessions of which each in turn is held out, to choose settings.

    Validation is not asked: what a model says of the sessions by which it was chosen flatters it,
    and validation decides how much a forecast counts.

    Attributes
    ----------
    blocks : runs of equal length, but for the last.
    gaps : the sessions between them, so that no label of a block reaches into the next.
    """

    blocks: tuple[range, ...]
    gaps: tuple[range, ...]

    @classmethod
    def cut(cls, name: str, split: Split, targets: Sequence[Floats]) -> "TrainingBlocks":
        """Cut the training range from the first session on that has a target of each horizon.

        Raises
        ------
        TrainingError
            There is too little to learn from.
        """
        known = [np.isfinite(target[: split.train.stop]).sum(axis=1) for target in targets]
        for counts in known:
            require_labels(name, int(counts.sum()))
        first = max(int(np.argmax(counts > 0)) for counts in known)
        gap = split.purge_sessions
        length = (split.train.stop - first + gap) // FOLDS - gap
        if length < 1:
            raise TrainingError(
                f"sessions with labels to train {name} on",
                split.train.stop - first,
                f"at least {FOLDS * (gap + 1)} are needed",
                "Load more history.",
            )
        starts = [first + number * (length + gap) for number in range(FOLDS)]
        ends = [*(start + length for start in starts[:-1]), split.train.stop]
        return cls(
            blocks=tuple(range(*both) for both in zip(starts, ends, strict=True)),
            gaps=tuple(range(*both) for both in zip(ends[:-1], starts[1:], strict=True)),
        )

    def folds(self, sessions: Positions) -> list[tuple[Positions, Positions]]:
        """Return, for each block that has some, which rows to learn from and which are held out.

        Parameters
        ----------
        sessions : (rows,), positions of the rows on the session axis.
        """
        within = [(block.start <= sessions) & (sessions < block.stop) for block in self.blocks]
        others = [
            np.logical_or.reduce(within[:number] + within[number + 1 :])
            for number in range(len(within))
        ]
        return [
            (np.flatnonzero(learned), np.flatnonzero(held_out))
            for learned, held_out in zip(others, within, strict=True)
            if held_out.any()
        ]
