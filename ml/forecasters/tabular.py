"""What models of single rows share: the features of a session in, surprises out."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from ml.forecasters.base import Contributions, Forecaster, Forecasts, average
from ml.forecasters.targets import benchmarks_and_scales
from ml.panel import LEAST_HISTORY_SESSIONS, Panel
from ml.rolling import Floats
from ml.scaling import Array, Standardiser
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

PORTION_ROWS = 131_072
"""Rows that are standardised at a time: all rows of a market would take gigabytes."""


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
        return average(self.predict_seeds(panel, sessions))

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
