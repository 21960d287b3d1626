"""Scores of forecasts in a made-up market whose errors change with its regimes."""

import numpy as np

from ml.rolling import Floats

CALM_SESSIONS = 546
REGIMES = (
    (150, 400, 1.8, -0.05),
    (400, 800, 0.7, 0.03),
    (800, 1000, 1.5, 0.0),
    (1000, 1400, 0.8, 0.05),
    (1400, 1700, 2.0, -0.1),
)
"""First and last session after the calm ones, scale of the errors, and their mean of a day."""

SHARED_VARIANCE = 0.4


def shifting_scores(horizon: int, seed: int, sessions: int = 2546, symbols: int = 20) -> Floats:
    """Scores that overlap over the horizon, move together and have fat tails (Student's t, 5).

    They are calm for 546 sessions, on which intervals can be learned; then regimes change.
    """
    generator = np.random.default_rng(seed)
    length = sessions + horizon
    scale, mean = np.ones(length), np.zeros(length)
    for first, last, size, drift in REGIMES:
        scale[CALM_SESSIONS + first : CALM_SESSIONS + last] = size
        mean[CALM_SESSIONS + first : CALM_SESSIONS + last] = drift
    shared = np.sqrt(SHARED_VARIANCE) * generator.standard_t(5, (length, 1))
    own = np.sqrt(1 - SHARED_VARIANCE) * generator.standard_t(5, (length, symbols))
    daily = mean[:, None] + scale[:, None] * (shared + own) / np.sqrt(5 / 3)
    running = np.vstack([np.zeros(symbols), np.cumsum(daily, axis=0)])
    ahead = (running[horizon:] - running[:-horizon]) / np.sqrt(horizon)
    return ahead[1 : sessions + 1]
