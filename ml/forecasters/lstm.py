"""One LSTM over all symbols, averaged over seeds."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ml.errors import ModelNotFoundError, TrainingError
from ml.forecasters.base import Forecaster, Forecasts, horizon_volatility, require_labels
from ml.forecasters.expanding_mean import LEAST_HISTORY_SESSIONS, expanding_mean_forecast
from ml.forecasters.lstm_network import LstmSettings, build_network, predict_network
from ml.panel import Panel
from ml.scaling import Standardiser
from ml.splits import Split
from ml.tensorflow_setup import keras
from ml.windows import Positions, WindowSource, window_ends

logger = logging.getLogger(__name__)

WEIGHTS_FILE = "weights.npz"

EpochListener = Callable[[int, int, dict[str, float]], None]
"""Told after each epoch: number of the seed, number of the epoch (both from 0), its losses."""


def ignore_epochs(seed_index: int, epoch: int, losses: dict[str, float]) -> None:
    """Listen to no epoch."""


class LstmForecaster(Forecaster):
    """Global LSTM for the distribution of the log return over the horizon.

    The target is the forward log return less the symbol's expanding mean, in units of trailing
    volatility over the horizon. So the untrained network forecasts the benchmark that it is judged
    against, calm and wild symbols weigh the same, and a network that learns nothing does no harm.
    Forecasts of several seeds are averaged: mean of means, root mean of squared scales.
    """

    name = "lstm"

    def __init__(
        self,
        horizon_sessions: int,
        settings: LstmSettings | None = None,
        seed: int = 0,
        on_epoch: EpochListener = ignore_epochs,
    ) -> None:
        super().__init__(horizon_sessions)
        self.settings = settings or LstmSettings()
        self.seed = seed
        self.on_epoch = on_epoch
        self.symbols: tuple[str, ...] = ()
        self.standardiser = Standardiser((), (), (), (), ())
        self.networks: list[Any] = []

    @property
    def history_sessions(self) -> int:
        """Returns of the first expanding mean, more than a window, and the row before them."""
        return max(LEAST_HISTORY_SESSIONS + 1, self.settings.window_sessions)

    def fit(self, panel: Panel, split: Split) -> None:
        """Train one network per seed, each to the best validation loss."""
        self.symbols = panel.symbols
        self.standardiser = Standardiser.fit(panel, split.train)
        if self.standardiser.left_out:
            logger.info(
                "features without news in training: %s", ", ".join(self.standardiser.left_out)
            )
        source = self._window_source(panel)
        target = self._target(panel)
        train = self._positions(panel, split.train, target)
        validation = self._positions(panel, split.validation, target)
        require_labels(self.name, len(train))
        if not len(validation):
            raise TrainingError(
                "validation labels of lstm", 0, "none is there", "Load more history."
            )
        step = max(1, len(validation) // self.settings.validation_samples)
        validation = validation[::step]
        self.networks = [
            self._train_network(index, source, target, train, validation)
            for index in range(self.settings.seeds)
        ]

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Forecast for the symbols that training knew; NaN for the others."""
        known = panel.of_symbols(self.symbols)
        benchmark = expanding_mean_forecast(known, self.horizon_sessions)
        scale = horizon_volatility(known, self.horizon_sessions)
        positions = self._positions(known, sessions, benchmark * scale)
        forecast = np.full((2, len(sessions), len(panel.symbols)), np.nan)
        if len(positions):
            outputs = self._average_of_networks(known, positions)
            at = (positions[:, 0], positions[:, 1])
            columns = [panel.symbols.index(known.symbols[column]) for column in positions[:, 1]]
            rows = positions[:, 0] - sessions.start
            forecast[0, rows, columns] = benchmark[at] + outputs[:, 0] * scale[at]
            forecast[1, rows, columns] = outputs[:, 1] * scale[at]
        return Forecasts(mean=forecast[0], stdev=forecast[1])

    def state(self) -> dict[str, Any]:
        """Return everything but the weights."""
        return {
            "settings": asdict(self.settings),
            "seed": self.seed,
            "symbols": list(self.symbols),
            "standardiser": self.standardiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over everything but the weights."""
        units = tuple(state["settings"]["units"])
        self.settings = LstmSettings(**{**state["settings"], "units": units})
        self.seed = state["seed"]
        self.symbols = tuple(state["symbols"])
        self.standardiser = Standardiser.from_state(state["standardiser"])

    def save(self, folder: Path) -> None:
        """Write description and float32 weights into an existing, empty folder."""
        super().save(folder)
        weights = {
            f"{network}_{index:02d}": array
            for network, trained in enumerate(self.networks)
            for index, array in enumerate(trained.get_weights())
        }
        np.savez(folder / WEIGHTS_FILE, allow_pickle=False, **weights)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            The weights are missing or damaged.
        """
        forecaster = super().load(folder)
        path = folder / WEIGHTS_FILE
        try:
            with np.load(path, allow_pickle=False) as saved:
                weights = {name: saved[name] for name in sorted(saved.files)}
        except (OSError, ValueError, BadZipFile) as error:
            raise ModelNotFoundError(
                "model file", path, f"it is missing or damaged ({error})", "Train again."
            ) from error
        for network in range(forecaster.settings.seeds):
            built = forecaster._build()
            built.set_weights(
                [array for name, array in weights.items() if name.startswith(f"{network}_")]
            )
            forecaster.networks.append(built)
        return forecaster

    def _build(self) -> Any:
        return build_network(self.settings, self.standardiser.channels, len(self.symbols))

    def _train_network(
        self,
        index: int,
        source: WindowSource,
        target: NDArray[np.float64],
        train: Positions,
        validation: Positions,
    ) -> Any:
        settings = self.settings
        seed = self.seed + index
        keras().utils.set_random_seed(seed)
        network = self._build()
        losses = self.on_epoch

        class Report(keras().callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
                losses(index, epoch, {name: float(value) for name, value in (logs or {}).items()})

        def labels(positions: Positions) -> NDArray[np.float32]:
            return target[positions[:, 0], positions[:, 1]].astype(np.float32)

        network.fit(
            source.dataset(train, labels(train), settings.batch_size, shuffle_seed=seed),
            validation_data=source.dataset(validation, labels(validation), settings.batch_size),
            epochs=settings.epochs,
            steps_per_epoch=max(
                1, min(len(train), settings.samples_per_epoch) // settings.batch_size
            ),
            callbacks=[
                keras().callbacks.EarlyStopping(
                    monitor="val_loss",
                    patience=settings.patience_epochs,
                    restore_best_weights=True,
                ),
                Report(),
            ],
            shuffle=False,  # the data set shuffles itself
            verbose=0,
        )
        return network

    def _target(self, panel: Panel) -> NDArray[np.float64]:
        surprise = panel.forward_log_return(self.horizon_sessions) - expanding_mean_forecast(
            panel, self.horizon_sessions
        )
        return surprise / horizon_volatility(panel, self.horizon_sessions)

    def _positions(self, panel: Panel, sessions: range, needed: NDArray[np.float64]) -> Positions:
        ends = window_ends(panel, sessions, self.settings.window_sessions)
        return np.argwhere(ends & np.isfinite(needed))

    def _window_source(self, panel: Panel) -> WindowSource:
        return WindowSource.make(self.standardiser.transform(panel), self.settings.window_sessions)

    def _average_of_networks(self, panel: Panel, positions: Positions) -> NDArray[np.float64]:
        """Return mean and scale for each position, (positions, 2), in units of volatility."""
        source = self._window_source(panel)
        outputs = np.stack(
            [
                predict_network(network, source.batches(positions, self.settings.batch_size))
                for network in self.networks
            ]
        )[:, : len(positions)]
        means = outputs[..., 0].mean(axis=0)
        scales = np.sqrt(np.square(outputs[..., 1]).mean(axis=0))
        return np.stack([means, scales], axis=1)
