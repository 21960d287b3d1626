"""What the learned models learn: how far a return departs from the benchmark.

The target is the *surprise*: the forward log return less the symbol's expanding mean, in units of
trailing volatility over the horizon. So a model that has learned nothing and says 0 forecasts the
benchmark that it is judged against, and calm and wild symbols weigh the same.
"""

from collections.abc import Sequence

import numpy as np

from ml.forecasters.base import horizon_volatility
from ml.forecasters.expanding_mean import expanding_mean_forecast
from ml.panel import Panel
from ml.rolling import Floats


def benchmark_and_scale(panel: Panel, horizon_sessions: int) -> tuple[Floats, Floats]:
    """Return what turns a forecast surprise into a log return: ``benchmark + surprise * scale``.

    Returns
    -------
    benchmark : (sessions, symbols), log return over the horizon; the symbol's expanding mean.
    scale : (sessions, symbols), log return; trailing volatility over the horizon. Both are known
        at the session, and NaN where the symbol has too little history.
    """
    return (
        expanding_mean_forecast(panel, horizon_sessions),
        horizon_volatility(panel, horizon_sessions),
    )


def surprise(panel: Panel, horizon_sessions: int) -> Floats:
    """Return the target, (sessions, symbols), in units of volatility over the horizon.

    NaN where the outcome is not complete or the symbol has too little history.
    """
    benchmark, scale = benchmark_and_scale(panel, horizon_sessions)
    return (panel.forward_log_return(horizon_sessions) - benchmark) / scale


def benchmarks_and_scales(
    panel: Panel, horizons: Sequence[int], sessions: range
) -> tuple[Floats, Floats]:
    """Return both of :func:`benchmark_and_scale` for several horizons at some sessions.

    Each is (horizons, sessions, symbols).
    """
    rows = slice(sessions.start, sessions.stop)
    pairs = [benchmark_and_scale(panel, horizon) for horizon in horizons]
    return (
        np.stack([benchmark[rows] for benchmark, _ in pairs]),
        np.stack([scale[rows] for _, scale in pairs]),
    )
