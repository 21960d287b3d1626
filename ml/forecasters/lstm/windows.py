"""Windows of features, gathered by (session, symbol) inside the compiled step.

A window is ``length`` consecutive sessions of one symbol. All windows of a panel written out would
take ``length`` times its memory; the positions of their ends take two integers each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.forecasters.lstm.tensorflow_setup import tensorflow
from ml.panel import Panel
from ml.scaling import LARGEST_STANDARDISED, Array, Standardiser, cache_sized

Positions = NDArray[np.int64]
"""(windows, 2): position of the window's last session on the panel's axis, column of the symbol."""


@dataclass(frozen=True)
class WindowSource:
    """Standardised features, laid out so that a window is a run of rows.

    Features of sessions stand once for all symbols, and missing values as NaN in place of masks.

    Attributes
    ----------
    of_symbols : tensor (symbols * sessions, features of symbols), float32; all sessions of a
        symbol together.
    of_sessions : tensor (sessions, features of sessions), float32.
    first : position of the first of these sessions on the panel's axis.
    """

    of_symbols: Any
    of_sessions: Any
    first: int

    @classmethod
    def make(cls, panel: Panel, standardiser: Standardiser, sessions: range) -> "WindowSource":
        """Standardise and lay out the features of some positions of the session axis.

        Raises
        ------
        PanelError
            The panel lacks a feature that the model was trained on, or did not read it for one of
            the sessions.
        """
        tf = tensorflow()
        standardiser.require_features(panel)
        scales = standardiser.scales
        values = panel.values_at(sessions)
        columns = [panel.features.index(s.feature) for s in scales if not s.of_session]
        rows = np.empty((len(panel.symbols), len(sessions), len(columns)), np.float32)
        for some in cache_sized(len(rows), len(sessions) * len(columns)):
            raw = values[:, some][..., columns].transpose(1, 0, 2)
            rows[some] = _standardised(raw, standardiser, of_session=False)
        shared = panel.session_values[sessions.start : sessions.stop]
        names = [panel.session_features.index(s.feature) for s in scales if s.of_session]
        return cls(
            of_symbols=tf.constant(rows.reshape(-1, len(columns))),
            of_sessions=tf.constant(_standardised(shared[:, names], standardiser, of_session=True)),
            first=sessions.start,
        )

    def rows_of(self, positions: Positions) -> Positions:
        """Return positions within the source: row of the session, column of the symbol."""
        return positions - np.array([self.first, 0])


def gather_windows(
    of_symbols: Any, of_sessions: Any, ends: Any, length: int, masked: tuple[int, ...]
) -> Any:
    """Return windows as a tensor (length, batch, channels), time first.

    Channels are those of :meth:`ml.scaling.Standardiser.transform`: features, 0 where missing, then
    for each number in ``masked`` whether that feature is there.

    Parameters
    ----------
    of_symbols, of_sessions : as in :class:`WindowSource`.
    ends : tensor (batch, 2), int64; row of the last session, column of the symbol.
    """
    tf = tensorflow()
    rows = ends[:, 0] + tf.range(1 - length, 1, dtype=tf.int64)[:, None]
    sessions = tf.shape(of_sessions, out_type=tf.int64)[0]
    values = tf.concat(
        [
            tf.gather(of_symbols, ends[:, 1] * sessions + rows),
            tf.gather(of_sessions, rows),
        ],
        axis=-1,
    )
    is_there = tf.math.is_finite(values)
    filled = tf.where(is_there, values, tf.zeros((), values.dtype))
    if not masked:
        return filled
    masks = tf.gather(is_there, list(masked), axis=-1)
    return tf.concat([filled, tf.cast(masks, values.dtype)], axis=-1)


def window_ends(panel: Panel, sessions: range, length: int) -> NDArray[np.bool_]:
    """Return where a window may end, shape (sessions, symbols).

    These are positions of ``sessions`` at which the symbol has a row and was first seen at least
    ``length - 1`` sessions before.
    """
    first_seen = np.where(panel.observed.any(axis=0), panel.observed.argmax(axis=0), len(panel))
    rows = np.arange(len(panel))[:, None]
    allowed = panel.observed & (rows >= first_seen + length - 1)
    inside = np.zeros(len(panel), np.bool_)
    inside[sessions.start : sessions.stop] = True
    return allowed & inside[:, None]


def _standardised(raw: Array, standardiser: Standardiser, *, of_session: bool) -> Array:
    scales = [scale for scale in standardiser.scales if scale.of_session == of_session]
    means = np.array([scale.mean for scale in scales])
    stdevs = np.array([scale.stdev for scale in scales])
    scaled = np.clip((raw - means) / stdevs, -LARGEST_STANDARDISED, LARGEST_STANDARDISED)
    return np.asarray(scaled, np.float32)
