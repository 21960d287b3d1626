"""Standardised features: what the network sees in place of raw values."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import PanelError, TrainingError
from ml.panel import Panel

Array = NDArray[np.float32]

LARGEST_STANDARDISED = 5.0
LEAST_RELATIVE_STDEV = 1e-6


@dataclass(frozen=True)
class Standardiser:
    """Means and standard deviations of the training range, for the features that vary there.

    ``masked`` are the features that are sometimes missing in training; each gets a second channel
    that says whether it is there. Features that are all null or constant in training carry no
    news and are left out (``left_out``).
    """

    features: tuple[str, ...]
    means: tuple[float, ...]
    stdevs: tuple[float, ...]
    masked: tuple[str, ...]
    left_out: tuple[str, ...]

    @classmethod
    def fit(cls, panel: Panel, train: range) -> "Standardiser":
        """Learn from rows of the training range where the symbol is observed.

        Raises
        ------
        TrainingError
            No feature varies.
        """
        rows = slice(train.start, train.stop)
        values = panel.values[rows][panel.observed[rows]].astype(np.float64)
        kept: list[tuple[str, float, float, bool]] = []
        for index, feature in enumerate(panel.features):
            column = values[:, index]
            seen = column[np.isfinite(column)]
            mean, stdev = (float(seen.mean()), float(seen.std())) if len(seen) else (0.0, 0.0)
            if stdev > LEAST_RELATIVE_STDEV * max(1.0, abs(mean)):
                kept.append((feature, mean, stdev, len(seen) < len(column)))
        if not kept:
            raise TrainingError(
                "features", panel.features, "none of them varies", "Rebuild the warehouse."
            )
        names = tuple(feature for feature, *_ in kept)
        return cls(
            features=names,
            means=tuple(mean for _, mean, _, _ in kept),
            stdevs=tuple(stdev for _, _, stdev, _ in kept),
            masked=tuple(feature for feature, _, _, is_masked in kept if is_masked),
            left_out=tuple(feature for feature in panel.features if feature not in names),
        )

    @property
    def channels(self) -> int:
        """How many numbers describe one symbol in one session."""
        return len(self.features) + len(self.masked)

    def transform(self, panel: Panel) -> Array:
        """Return standardised features and masks, (sessions, symbols, channels).

        Missing values become 0, which is the training mean; values beyond five standard
        deviations are cut there.

        Raises
        ------
        PanelError
            The panel lacks a feature that the model was trained on.
        """
        missing = [feature for feature in self.features if feature not in panel.features]
        if missing:
            raise PanelError(
                "features of the panel",
                panel.features,
                f"the model was trained on {missing}, too",
                "Train again, or rebuild the warehouse with these columns.",
            )
        result = np.empty((*panel.observed.shape, self.channels), np.float32)
        channel = len(self.features)
        for index, feature in enumerate(self.features):
            raw = panel.values[..., panel.features.index(feature)].astype(np.float64)
            scaled = (raw - self.means[index]) / self.stdevs[index]
            scaled = np.clip(scaled, -LARGEST_STANDARDISED, LARGEST_STANDARDISED)
            result[..., index] = np.nan_to_num(scaled, nan=0.0)
            if feature in self.masked:
                result[..., channel] = np.isfinite(raw)
                channel += 1
        return result

    def state(self) -> dict[str, Any]:
        """Return everything learned, as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Standardiser":
        """Return what :meth:`state` described."""
        return cls(**{name: tuple(values) for name, values in state.items()})
