"""One LSTM over all symbols and horizons, averaged over seeds."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.errors import TrainingError
from ml.forecasters.base import (
    Contributions,
    Forecaster,
    Forecasts,
    average,
    require_labels,
)
from ml.forecasters.lstm.checkpoint import EpochLosses
from ml.forecasters.lstm.progress import telling
from ml.forecasters.lstm.samples import Samples, drawn
from ml.forecasters.lstm.settings import LstmSettings
from ml.forecasters.lstm.weights import SeedWeights, read_weights, write_weights
from ml.forecasters.lstm.windows import Positions, WindowSource, window_ends
from ml.forecasters.targets import benchmarks_and_scales, surprise
from ml.forecasters.training_blocks import learning_and_stopping
from ml.panel import LEAST_HISTORY_SESSIONS, Panel
from ml.scaling import Standardiser
from ml.splits import Split
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

if TYPE_CHECKING:
    from ml.forecasters.lstm.network import Network
    from ml.forecasters.lstm.outputs import Outputs


class LstmForecaster(Forecaster):
    """Global LSTM for the distribution of the log return over every horizon.

    It learns the surprise of ``ml.forecasters.targets``: the untrained network forecasts the
    benchmark that it is judged against, calm and wild symbols weigh the same, and a network that
    learns nothing does no harm. Forecasts of several seeds are averaged: mean of means, root mean
    of squared scales.
    A symbol that training did not know is forecast without knowing which it is.

    Attributes
    ----------
    symbols : that training knew.
    standardiser : fitted on training.
    weights : of each seed's network.
    losses : of each seed and epoch.
    """

    name = "lstm"

    def __init__(
        self,
        horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS,
        settings: LstmSettings | None = None,
    ) -> None:
        super().__init__(horizons)
        self.settings = settings or LstmSettings()
        self.symbols: tuple[str, ...] = ()
        self.standardiser = Standardiser((), {})
        self.weights: list[SeedWeights] = []
        self.losses: tuple[tuple[EpochLosses, ...], ...] = ()
        self._compiled: Outputs | None = None

    @property
    def history_sessions(self) -> int:
        """Returns of the first expanding mean, more than a window, and the row before them."""
        return max(LEAST_HISTORY_SESSIONS + 1, self.settings.window_sessions)

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Train one network per seed on all but the last part of training, by which each stops.

        Checkpoints are kept in the folder of ``work``, one file for each seed.

        Raises
        ------
        TrainingError
            There are too few labels, or the loss is no finite number.
        """
        from ml.forecasters.lstm.training import Trainer

        parts = learning_and_stopping(split)
        panel = panel.of_symbols(self._known(panel, parts[0]))
        self.symbols = panel.symbols
        self.standardiser = Standardiser.fit(panel, split.train)
        self._compiled = None
        source = self._source(panel, split.train)
        learning, stopping = (self._samples(panel, part, source) for part in parts)
        require_labels(self.name, len(learning))
        if not len(stopping):
            raise TrainingError(
                "labels by which lstm stops", 0, "none is there", "Load more history."
            )
        stopping = stopping.take(drawn(len(stopping), self.settings.stopping_samples))
        trainer = Trainer(self._network(), source, self._masked, learning, stopping)
        self.weights, self.losses = [], ()
        for index in range(self.settings.seeds):
            seed = work.seed + index
            trainer.network.set_weights(self._network(seed).weights)
            path = work.folder / f"seed_{seed}.npz" if work.folder else None
            trained = trainer.run(seed, path, telling(work, self.name, index, self.settings))
            self.weights.append(trained.best)
            self.losses = (*self.losses, tuple(trained.losses))

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast with all seeds: mean of means, root mean of squared scales."""
        return average(self.predict_seeds(panel, sessions))

    def predict_seeds(self, panel: Panel, sessions: range) -> tuple[Forecasts, ...]:
        """Forecast with each seed alone."""
        benchmark, scale = benchmarks_and_scales(panel, self.horizons, sessions)
        ends = self._ends(panel, sessions, np.any(np.isfinite(benchmark * scale), axis=0))
        shape = len(self.weights), 2, *benchmark.shape
        said = np.full(shape, np.nan)
        if len(ends):
            at = ends[:, 0] - sessions.start, ends[:, 1]
            said[..., at[0], at[1]] = self._outputs().distributions(
                self.weights, *self._windows(panel, sessions, ends)
            )
        return tuple(Forecasts(benchmark + mean * scale, stdev * scale) for mean, stdev in said)

    def explain(self, panel: Panel) -> Contributions:
        """Split the last session's forecasts by integrated gradients, averaged over seeds.

        What the symbol itself adds, and what the quadrature leaves over, is in the baseline.
        """
        last = range(len(panel) - 1, len(panel))
        features = self.standardiser.features
        _, scale = benchmarks_and_scales(panel, self.horizons, last)
        mean = self.predict(panel, last).mean[:, 0]
        ends = self._ends(panel, last, np.any(np.isfinite(mean), axis=0)[None])
        parts = np.full((*mean.shape, len(features)), np.nan)
        if len(ends):
            channels = self._outputs().attributions(self.weights, *self._windows(panel, last, ends))
            parts[:, ends[:, 1]] = 0.0
            for channel, feature in enumerate(self.standardiser.feature_of_channel):
                parts[:, ends[:, 1], feature] += channels[..., channel].mean(axis=0)
        parts *= scale[:, 0, :, None]
        return Contributions(
            features=features,
            seen=self.standardiser.seen(panel, last)[0],
            baseline=mean - parts.sum(axis=-1),
            parts=parts,
            method=Attribution.INTEGRATED_GRADIENTS,
        )

    def state(self) -> dict[str, Any]:
        """Return everything but the weights."""
        return {
            "settings": asdict(self.settings),
            "symbols": list(self.symbols),
            "standardiser": self.standardiser.state(),
            "losses": [[asdict(epoch) for epoch in seed] for seed in self.losses],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over everything but the weights."""
        units = tuple(state["settings"]["units"])
        self.settings = LstmSettings(**{**state["settings"], "units": units})
        self.symbols = tuple(state["symbols"])
        self.standardiser = Standardiser.from_state(state["standardiser"])
        self.losses = tuple(
            tuple(EpochLosses(**epoch) for epoch in seed) for seed in state["losses"]
        )

    def save(self, folder: Path) -> None:
        """Write description and float32 weights into an existing, empty folder."""
        super().save(folder)
        write_weights(self.weights, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            The weights are missing or damaged, or those of a seed are not among them.
        """
        forecaster = super().load(folder)
        forecaster.weights = read_weights(folder, forecaster.settings.seeds)
        return forecaster

    def _network(self, seed: int = 0) -> "Network":
        from ml.forecasters.lstm.network import Network

        channels, symbols = self.standardiser.channels, len(self.symbols)
        return Network(self.settings, channels, symbols, len(self.horizons), seed)

    def _outputs(self) -> "Outputs":
        from ml.forecasters.lstm.outputs import Outputs

        if self._compiled is None:
            self._compiled = Outputs(self._network(), self._masked)
        return self._compiled

    @property
    def _masked(self) -> tuple[int, ...]:
        """Numbers of the features that have a mask."""
        features = len(self.standardiser.features)
        return tuple(int(number) for number in self.standardiser.feature_of_channel[features:])

    def _source(self, panel: Panel, sessions: range) -> WindowSource:
        """Return the features of every window that ends at one of the positions."""
        start = max(0, sessions.start - self.settings.window_sessions + 1)
        return WindowSource.make(panel, self.standardiser, range(start, sessions.stop))

    def _ends(self, panel: Panel, sessions: range, wanted: NDArray[np.bool_]) -> Positions:
        """Return where windows end that are ``wanted``, (sessions, symbols), and whole."""
        whole = window_ends(panel, sessions, self.settings.window_sessions)
        chosen: Positions = np.argwhere(wanted & whole[sessions.start : sessions.stop])
        return chosen + np.array([sessions.start, 0])

    def _windows(
        self, panel: Panel, sessions: range, ends: Positions
    ) -> tuple[WindowSource, Positions, NDArray[np.int64]]:
        """Return where windows are, and their symbols' numbers in the network."""
        known = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}
        numbers = np.array([known.get(symbol, 0) for symbol in panel.symbols], np.int64)
        source = self._source(panel, sessions)
        return source, source.rows_of(ends), numbers[ends[:, 1]]

    def _samples(self, panel: Panel, sessions: range, source: WindowSource) -> Samples:
        """Return the windows of which the outcome over a horizon at least is known."""
        rows = slice(sessions.start, sessions.stop)
        targets = np.stack([surprise(panel, horizon)[rows] for horizon in self.horizons], axis=-1)
        ends = self._ends(panel, sessions, np.any(np.isfinite(targets), axis=-1))
        chosen = targets[ends[:, 0] - sessions.start, ends[:, 1]]
        return Samples(source.rows_of(ends), chosen.astype(np.float32))

    def _known(self, panel: Panel, sessions: range) -> tuple[str, ...]:
        """Return the symbols that have something to learn from in a range; all if none has.

        One that is listed later is unknown, as it was then, and has no untrained vector.
        """
        rows = slice(sessions.start, sessions.stop)
        targets = np.stack([surprise(panel, horizon)[rows] for horizon in self.horizons])
        known = np.flatnonzero(np.isfinite(targets).any(axis=(0, 1)))
        return tuple(panel.symbols[column] for column in known) or panel.symbols
