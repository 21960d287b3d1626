"""Standardised features: what learned models see in place of raw values."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import PanelError, TrainingError
from ml.panel import Panel
from ml.rolling import Floats

Array = NDArray[np.float32]

LARGEST_STANDARDISED = 5.0
LEAST_RELATIVE_STDEV = 1e-6
LEAST_SHARE_MISSING = 0.01
"""From which on a feature has a mask; one that nearly always says the same says nothing."""
NEVER_THERE = "missing throughout training"
CONSTANT = "constant in training"

_VALUES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Scale:
    """How one feature is standardised.

    ``is_masked`` says that it is missing often enough in training for a second channel that says
    whether it is there; ``of_session`` that all symbols of a session share it.
    """

    feature: str
    mean: float
    stdev: float
    is_masked: bool
    of_session: bool


@dataclass(frozen=True)
class Standardiser:
    """Means and standard deviations of the training range, for the features that vary there.

    Attributes
    ----------
    scales : of each feature that carries news, those of symbols first.
    left_out : of each other one, why: null throughout or constant, so it says nothing.
    """

    scales: tuple[Scale, ...]
    left_out: dict[str, str]

    @classmethod
    def fit(cls, panel: Panel, train: range) -> "Standardiser":
        """Learn from the rows of the training range at which a forecast can be made.

        A symbol's first year is none of them, so windows that are not full yet need no mask.

        Raises
        ------
        TrainingError
            No feature varies.
        """
        rows = slice(train.start, train.stop)
        learned = np.isfinite(panel.mean_log_return[rows] + panel.daily_volatility[rows])
        of_symbols = _moments(panel.values_at(train), learned)
        session_values = panel.session_values[rows, None]
        of_sessions = _moments(session_values, np.asarray(learned.any(axis=1))[:, None])
        scales: list[Scale] = []
        left_out: dict[str, str] = {}
        for names, moments, of_session in (
            (panel.features, of_symbols, False),
            (panel.session_features, of_sessions, True),
        ):
            for name, (mean, stdev, share_there) in zip(names, moments, strict=True):
                if share_there == 0:
                    left_out[name] = NEVER_THERE
                elif stdev <= LEAST_RELATIVE_STDEV * max(1.0, abs(mean)):
                    left_out[name] = CONSTANT
                else:
                    is_masked = share_there <= 1 - LEAST_SHARE_MISSING
                    scales.append(Scale(name, mean, stdev, is_masked, of_session))
        if not scales:
            raise TrainingError(
                "features",
                (*panel.features, *panel.session_features),
                "none of them varies in training",
                "Load more history, or rebuild the warehouse.",
            )
        return cls(tuple(scales), left_out)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that are kept; channels begin with them, in this order."""
        return tuple(scale.feature for scale in self.scales)

    @property
    def masked(self) -> tuple[str, ...]:
        """Names of the features whose presence the last channels tell, in this order."""
        return tuple(scale.feature for scale in self.scales if scale.is_masked)

    @property
    def left_out_in_words(self) -> str:
        """Which features are left out and why; empty if none is."""
        reasons = dict.fromkeys(self.left_out.values())
        return "; ".join(
            f"{reason}: {', '.join(name for name, why in self.left_out.items() if why == reason)}"
            for reason in reasons
        )

    @property
    def channels(self) -> int:
        """How many numbers describe one symbol in one session."""
        return len(self.scales) + len(self.masked)

    @property
    def feature_of_channel(self) -> NDArray[np.int64]:
        """Position in ``features`` that each channel speaks of, (channels,)."""
        masks = [number for number, scale in enumerate(self.scales) if scale.is_masked]
        return np.array([*range(len(self.scales)), *masks], np.int64)

    def transform(self, panel: Panel, sessions: range) -> Array:
        """Return standardised features and masks of some sessions, (sessions, symbols, channels).

        Missing values become 0, which is the training mean; values beyond five standard
        deviations are cut there. A mask is 1 where its feature is there, else 0.

        Raises
        ------
        PanelError
            The panel lacks a feature that the model was trained on, or did not read it for one of
            the sessions.
        """
        means = np.array([scale.mean for scale in self.scales])
        stdevs = np.array([scale.stdev for scale in self.scales])
        masked = np.array([scale.is_masked for scale in self.scales], np.bool_)
        result = np.empty((len(sessions), len(panel.symbols), self.channels), np.float32)
        for rows in cache_sized(len(sessions), len(panel.symbols) * len(self.scales)):
            raw = self.seen(panel, sessions[rows])
            is_there = np.isfinite(raw)
            scaled = np.clip((raw - means) / stdevs, -LARGEST_STANDARDISED, LARGEST_STANDARDISED)
            result[rows, :, : len(means)] = np.where(is_there, scaled, 0.0)
            result[rows, :, len(means) :] = is_there[..., masked]
        return result

    def require_features(self, panel: Panel) -> None:
        """Check that the panel has every feature that is kept.

        Raises
        ------
        PanelError
            It lacks one.
        """
        known = (*panel.features, *panel.session_features)
        missing = [feature for feature in self.features if feature not in known]
        if missing:
            raise PanelError(
                "features of the panel",
                known,
                f"the model was trained on {missing}, too",
                "Train again, or rebuild the warehouse with these columns.",
            )

    def seen(self, panel: Panel, sessions: range) -> Floats:
        """Return the raw values behind ``features``, (sessions, symbols, features).

        Raises
        ------
        PanelError
            As :meth:`transform`.
        """
        self.require_features(panel)
        values = panel.values_at(sessions)
        shared = panel.session_values[sessions.start : sessions.stop, None]
        result = np.empty((len(sessions), len(panel.symbols), len(self.scales)))
        for number, scale in enumerate(self.scales):
            if scale.of_session:
                result[..., number] = shared[..., panel.session_features.index(scale.feature)]
            else:
                result[..., number] = values[..., panel.features.index(scale.feature)]
        return result

    def state(self) -> dict[str, Any]:
        """Return everything learned, as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Standardiser":
        """Return what :meth:`state` described."""
        return cls(tuple(Scale(**scale) for scale in state["scales"]), dict(state["left_out"]))


def _moments(values: Array, learned: NDArray[np.bool_]) -> list[tuple[float, float, float]]:
    """Return per feature mean, standard deviation and the share of such rows that have it."""
    features = values.shape[-1]
    counts, sums, squares = np.zeros(features), np.zeros(features), np.zeros(features)
    portions = list(cache_sized(len(values), values.shape[1] * features))
    for rows in portions:
        part = values[rows][learned[rows]].astype(np.float64)
        is_there = np.isfinite(part)
        counts += is_there.sum(axis=0)
        sums += np.where(is_there, part, 0.0).sum(axis=0)
    means = sums / np.maximum(counts, 1)
    for rows in portions:
        apart = values[rows][learned[rows]] - means
        squares += np.square(np.where(np.isfinite(apart), apart, 0.0)).sum(axis=0)
    stdevs = np.sqrt(squares / np.maximum(counts, 1))
    shares = counts / max(1, int(learned.sum()))
    return list(zip(means.tolist(), stdevs.tolist(), shares.tolist(), strict=True))


def cache_sized(rows: int, values_per_row: int) -> Iterator[slice]:
    """Yield runs of rows that together fit into the processor's caches."""
    step = max(1, _VALUES_AT_ONCE // max(1, values_per_row))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))
