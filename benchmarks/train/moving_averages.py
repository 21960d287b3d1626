"""All moving-average forecasts of a large market, ours beside pandas: the same windows and lines.

Both make mean and standard deviation of 5 and 21 sessions at every session of every symbol, of a
random matrix of daily log returns with holes: expanding mean, SMA, EMA and crossover, each horizon
with a window of its own. Each works in a process of its own, with its libraries imported and
kernels compiled. The weights of pandas' EMA reach back to the first row, ours over three spans at
least; so these two agree to a part in hundreds of what they say.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import measured
from ml.forecasters import forecaster_class
from ml.forecasters.line import Line
from ml.panel import Panel
from ml.rolling import Floats

SESSIONS, SYMBOLS = 6300, 5000
"""25 years of a large market: 31.5 million rows."""

LINES = {
    "expanding_mean": (Line((), 0.0, 1.0, 1.1), Line((), 0.0, 1.0, 1.2)),
    "sma": (Line((21,), 1e-4, 0.3, 1.1), Line((252,), 1e-3, 0.2, 1.2)),
    "ema": (Line((10,), 1e-4, 0.3, 1.1), Line((126,), 1e-3, 0.2, 1.2)),
    "crossover": (Line((10, 50), 1e-4, 0.3, 1.1), Line((50, 200), 1e-3, 0.2, 1.2)),
}
HORIZONS = (5, 21)
_MISSING_SHARE = 0.01
_COMPARED_SYMBOLS = 20
_WARM_UP_SESSIONS = 252
"""Not compared: ours begin as soon as enough of a window is there, pandas when all of it is."""
_MODULE = "benchmarks.train.moving_averages"


def moving_averages(sessions: int = SESSIONS, symbols: int = SYMBOLS) -> dict[str, Any]:
    """Measure both; return seconds, their ratio and the worst differences in log return."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            name: measured(_MODULE, name, str(sessions), str(symbols), f"{folder}/{name}.npz")
            for name in ("ours", "pandas")
        }
        found = {name: np.load(f"{folder}/{name}.npz") for name in runs}
        errors = {
            model: float(np.nanmax(np.abs(found["ours"][model] - found["pandas"][model])))
            for model in LINES
        }
        unlike = sum(
            int((np.isnan(found["ours"][model]) != np.isnan(found["pandas"][model])).sum())
            for model in set(LINES) - {"ema"}
        )
    ours, pandas = runs["ours"], runs["pandas"]
    return {
        "rows": sessions * symbols,
        "seconds": round(ours.seconds, 3),
        "per_second": round(sessions * symbols / ours.seconds),
        "peak_mib": round(ours.peak_mib),
        "ratios": {"pandas": round(pandas.seconds / ours.seconds, 2)},
        "errors": errors | {"unlike": unlike},
        "seconds_of": {name: run.result["seconds_of"] for name, run in runs.items()},
    }


def random_returns(sessions: int, symbols: int) -> Floats:
    """Return daily log returns with holes, the same every time."""
    generator = np.random.default_rng(1)
    returns = generator.normal(0.0, 0.01, (sessions, symbols))
    returns[generator.random(returns.shape, np.float32) < _MISSING_SHARE] = np.nan
    return returns


def _panel(returns: Floats) -> Panel:
    sessions, symbols = returns.shape
    return Panel(
        sessions=np.arange(sessions).astype("datetime64[D]"),
        symbols=tuple(str(symbol) for symbol in range(symbols)),
        features=(),
        values=np.empty((*returns.shape, 0), np.float32),
        log_return_1d=returns,
        observed=np.isfinite(returns),
        session_features=(),
        session_values=np.empty((sessions, 0), np.float32),
    )


def our_forecasts(returns: Floats) -> Callable[[str], Floats]:
    """Return what makes a model's means, and their standard deviations beside them."""
    panel = _panel(returns)

    def forecast(name: str) -> Floats:
        forecaster = forecaster_class(name)(HORIZONS)
        forecaster.restore({"lines": [asdict(line) for line in LINES[name]]})
        return forecaster.predict(panel, range(len(panel))).mean

    return forecast


def main() -> None:
    """Run the contestant that the command line names."""
    contestant, sessions, symbols, file = sys.argv[1:]
    if contestant == "ours":
        make = our_forecasts
    else:
        from benchmarks.train.moving_averages_pandas import pandas_forecasts as make
    warm_up = make(random_returns(300, 3))
    for name in LINES:
        warm_up(name)
    forecast = make(random_returns(int(sessions), int(symbols)))
    seconds: dict[str, float] = {}
    compared: dict[str, Floats] = {}
    for name in LINES:
        began = time.perf_counter()
        means = forecast(name)
        seconds[name] = round(time.perf_counter() - began, 3)
        compared[name] = means[:, _WARM_UP_SESSIONS:, :_COMPARED_SYMBOLS].copy()
        del means
    np.savez(Path(file), **compared)  # type: ignore[arg-type]
    print(json.dumps({"seconds": round(sum(seconds.values()), 3), "seconds_of": seconds}))


if __name__ == "__main__":
    main()
