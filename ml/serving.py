"""A fitted model with its calibration, as it lies in the registry and as MLflow loads it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ml.calibration import CalibratedForecasts, Calibration
from ml.features import FEATURES
from ml.forecasters import Forecaster, load_forecaster
from ml.panel import Panel
from ml.panel_reading import panel_from_table
from ml.rolling import Floats

OUTPUTS = (
    "expected_log_return",
    "stdev_log_return",
    "lower_log_return",
    "upper_log_return",
)


@dataclass(frozen=True)
class SymbolForecast:
    """Forecast of one symbol: log returns over the horizon."""

    symbol: str
    expected_log_return: float
    stdev_log_return: float
    lower_log_return: float
    upper_log_return: float


@dataclass(frozen=True)
class ServingModel:
    """What a model version consists of."""

    forecaster: Forecaster
    calibration: Calibration

    @classmethod
    def load(cls, folder: Path) -> "ServingModel":
        """Read from a folder.

        Raises
        ------
        ModelNotFoundError
            A file is missing or damaged.
        """
        return cls(load_forecaster(folder), Calibration.load(folder))

    def save(self, folder: Path) -> None:
        """Write into an existing, empty folder."""
        self.forecaster.save(folder)
        self.calibration.save(folder)

    def forecast(self, panel: Panel, sessions: range) -> CalibratedForecasts:
        """Forecast at the given positions of the panel's session axis."""
        return self.calibration.apply(self.forecaster.predict(panel, sessions))

    def forecast_last(self, panel: Panel) -> list[SymbolForecast]:
        """Forecast the symbols at the panel's last session, where the model can."""
        forecasts = self.forecast(panel, range(len(panel) - 1, len(panel)))

        def last(values: Floats, column: int) -> float:
            return float(values[0, column])

        return [
            SymbolForecast(
                symbol,
                last(forecasts.mean, column),
                last(forecasts.stdev, column),
                last(forecasts.lower, column),
                last(forecasts.upper, column),
            )
            for column, symbol in enumerate(panel.symbols)
            if forecasts.mean[0, column] == forecasts.mean[0, column]
        ]

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        """Forecast from rows of the feature file, as ``mlflow.pyfunc`` calls it.

        Returns one row per symbol of the input's last session: ``symbol``, ``session_date`` and
        the columns of ``OUTPUTS``. ``params`` is part of MLflow's interface; none is known.
        """
        if params:
            raise ValueError(f"unknown parameters {sorted(params)}")
        frame = model_input.assign(session_date=pd.to_datetime(model_input["session_date"]).dt.date)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        panel = panel_from_table(table, FEATURES, "model input")
        session: dt.date = panel.session(len(panel) - 1)
        forecasts = pd.DataFrame(self.forecast_last(panel), columns=["symbol", *OUTPUTS])
        forecasts.insert(1, "session_date", pd.Timestamp(session))
        return forecasts


def missing_reason(model: ServingModel, panel: Panel, symbol: str) -> str:
    """Say why a model makes no forecast for a symbol at the panel's last session."""
    column = panel.symbols.index(symbol)
    seen = int(panel.observed[:, column].sum())
    needed = model.forecaster.history_sessions
    if not panel.observed[-1, column]:
        return "it has no accepted price on the session"
    if seen < needed:
        return f"it has {seen} of the {needed} sessions of history that are needed"
    if not panel.daily_volatility[-1, column] > 0:
        return "its price does not move, or too many of its last 63 sessions are missing"
    return "training did not know it, or too many of its recent sessions are missing"


def _load_pyfunc(path: str) -> ServingModel:
    """Load a model version; MLflow looks for a function of this name."""
    return ServingModel.load(Path(path))
