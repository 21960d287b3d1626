"""Made-up series of mean zero that hang together as losses of overlapping forecasts do."""

from collections.abc import Callable

import numpy as np

from ml.rolling import Floats

Draw = Callable[[np.random.Generator, int, int, int], Floats]
"""Makes (sessions, columns) from a generator, both numbers and a horizon; columns independent."""


def moving_sums(values: Floats, horizon: int) -> Floats:
    """Sums over a horizon of sessions; as many rows less ``horizon - 1``."""
    running = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return running[horizon:] - running[:-horizon]


def overlapping(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    """Sums of independent returns: what overlap alone makes, and a constant forecast's losses."""
    return moving_sums(generator.normal(size=(sessions + horizon - 1, columns)), horizon)


def wild_overlapping(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    """Sums of fat-tailed returns with calm and wild times, GARCH(1,1) of half-life 34 sessions."""
    warm_up = 200
    length = sessions + horizon - 1 + warm_up
    shocks = generator.standard_t(6, (length, columns)) / np.sqrt(1.5)
    returns, variance = np.empty((length, columns)), np.ones(columns)
    for session in range(length):
        returns[session] = np.sqrt(variance) * shocks[session]
        variance = 0.02 + 0.08 * returns[session] ** 2 + 0.9 * variance
    return moving_sums(returns[warm_up:], horizon)


def slow(generator: np.random.Generator, sessions: int, columns: int) -> Floats:
    """Forecasts that move slowly: AR(1) of 0.99."""
    values = np.empty((sessions, columns))
    value = generator.normal(size=columns)
    for session in range(sessions):
        value = 0.99 * value + np.sqrt(1 - 0.99**2) * generator.normal(size=columns)
        values[session] = value
    return values


def independent(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    return generator.normal(size=(sessions, columns))


def slow_forecast(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    """Loss against zero of a slow forecast that is as good as zero."""
    outcomes = overlapping(generator, sessions, columns, horizon)
    return slow(generator, sessions, columns) * outcomes


def slow_forecast_in_wild_times(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    outcomes = wild_overlapping(generator, sessions, columns, horizon)
    return slow(generator, sessions, columns) * outcomes


def two_errors(generator: np.random.Generator, sessions: int, columns: int, horizon: int) -> Floats:
    """Difference of squared errors that have nothing to do with each other."""
    own = overlapping(generator, sessions, columns, horizon)
    return own**2 - overlapping(generator, sessions, columns, horizon) ** 2


def two_errors_in_wild_times(
    generator: np.random.Generator, sessions: int, columns: int, horizon: int
) -> Floats:
    own = wild_overlapping(generator, sessions, columns, horizon)
    return own**2 - wild_overlapping(generator, sessions, columns, horizon) ** 2


SERIES: dict[str, Draw] = {
    "independent": independent,
    "overlapping": overlapping,
    "overlapping in wild times": wild_overlapping,
    "slow forecast": slow_forecast,
    "slow forecast in wild times": slow_forecast_in_wild_times,
    "two errors": two_errors,
    "two errors in wild times": two_errors_in_wild_times,
}
