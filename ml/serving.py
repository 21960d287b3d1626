"""A fitted model with its calibration, as it lies in the registry and as MLflow loads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.attribution import AttributedPart, largest_parts
from ml.forecasters import Forecaster, load_forecaster
from ml.intervals.calibration import Calibration
from ml.intervals.conformal import ConformalState
from ml.intervals.since_training import continued, oldest_issued
from ml.panel import Panel
from models.vocabulary import INTERVAL_LEVELS

if TYPE_CHECKING:
    import pandas as pd

OUTPUT_KEY = ("symbol", "session_date", "horizon_sessions")
OUTPUTS = (
    "expected_log_return",
    "stdev_log_return",
    *(
        f"{side}_{round(100 * level)}_log_return"
        for level in INTERVAL_LEVELS
        for side in ("lower", "upper")
    ),
)
"""What ``predict`` returns for each key."""


@dataclass(frozen=True)
class SymbolForecast:
    """Forecast of one symbol and horizon: log returns, by the columns of the table ``forecast``.

    An interval's end is None where it has none, and ``interval_note`` says so.
    """

    symbol: str
    horizon_sessions: int
    expected_log_return: float
    stdev_log_return: float
    lower_80_log_return: float | None
    upper_80_log_return: float | None
    lower_95_log_return: float | None
    upper_95_log_return: float | None
    interval_note: str


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

    def sessions_needed(self, age_sessions: int) -> int:
        """Return how many of the last sessions' features a forecast may look at.

        ``age_sessions`` is how many sessions ago the calibration ended.
        """
        return self.forecaster.history_sessions + age_sessions + oldest_issued(self.calibration)

    def forecast_last(self, panel: Panel) -> list[SymbolForecast]:
        """Forecast the symbols at the panel's last session, where the model can.

        Intervals follow the model's own forecasts of the sessions since it was calibrated, as far
        as their outcomes are realised by the last session. So they hang on the model version and on
        the panel up to that session, and on nothing else.

        Raises
        ------
        PanelError
            The panel ends before the model was calibrated, or begins too late to go on from there.
        """
        own = self.forecaster.predict(panel, range(len(panel) - 1, len(panel)))
        states = continued(self.calibration, self.forecaster, panel)
        ends = np.stack([state.issued[-1].ends for state in states])[:, None]
        intervals = self.calibration.around(own, ends)
        stdev = self.calibration.calibrated_stdev(own.stdev)
        notes = [interval_note(state) for state in states]
        ends_by_name = {
            f"{side}_{round(100 * level)}_log_return": given[place, :, 0]
            for side, given in (("lower", intervals.lower), ("upper", intervals.upper))
            for place, level in enumerate(INTERVAL_LEVELS)
        }
        return [
            SymbolForecast(
                symbol=panel.symbols[column],
                horizon_sessions=horizon,
                expected_log_return=float(own.mean[number, 0, column]),
                stdev_log_return=float(stdev[number, 0, column]),
                interval_note=notes[number],
                **{name: _finite(end[number, column]) for name, end in ends_by_name.items()},
            )
            for number, horizon in enumerate(self.calibration.horizons)
            for column in np.flatnonzero(np.isfinite(own.mean[number, 0])).tolist()
        ]

    def explain_last(
        self, panel: Panel, forecasts: Sequence[SymbolForecast]
    ) -> list[AttributedPart]:
        """Say what moved forecasts of the panel's last session; the parts of each sum to it."""
        expected = {
            (each.symbol, each.horizon_sessions): each.expected_log_return for each in forecasts
        }
        contributions = self.forecaster.explain(panel)
        return largest_parts(contributions, panel.symbols, self.calibration.horizons, expected)

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> Any:
        """Forecast from rows of the feature table, as ``mlflow.pyfunc`` calls it.

        Returns one row per symbol of the input's last session and horizon: ``OUTPUT_KEY`` and
        ``OUTPUTS``; an end that an interval does not have is infinite. ``params`` is part of
        MLflow's interface; none is known.
        """
        import pandas as pd
        import pyarrow as pa

        from ml.panel.reading import panel_from_table

        if params:
            raise ValueError(f"unknown parameters {sorted(params)}")
        frame = model_input.assign(session_date=pd.to_datetime(model_input["session_date"]).dt.date)
        panel = panel_from_table(pa.Table.from_pandas(frame, preserve_index=False), "model input")
        forecasts = pd.DataFrame(self.forecast_last(panel))
        forecasts["session_date"] = pd.Timestamp(panel.session(len(panel) - 1))
        for name in OUTPUTS[2:]:
            infinity = -np.inf if name.startswith("lower") else np.inf
            forecasts[name] = forecasts[name].astype(float).fillna(infinity)
        return forecasts[[*OUTPUT_KEY, *OUTPUTS]]


def _finite(end: float) -> float | None:
    return float(end) if np.isfinite(end) else None


def interval_note(state: ConformalState) -> str:
    """Say which intervals of the state's last session have no end, and why; empty if all have."""
    ends = state.issued[-1].ends
    said = []
    for level, pair in zip(INTERVAL_LEVELS, np.isinf(ends).tolist(), strict=True):
        sides = " and ".join(
            name for name, is_open in zip(("lower", "upper"), pair, strict=True) if is_open
        )
        if sides:
            said.append(f"the {level:.0%} interval has no {sides} end".replace("%", " %"))
    if not said:
        return ""
    if state.lacks_outcomes:
        why = f"only {state.sessions_known:.0f} sessions' outcomes are known"
    else:
        why = "outcomes lately fell outside of every end that could be given"
    return f"{'; '.join(said)}: {why}"


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
    return "too many of its recent sessions are missing"


def _load_pyfunc(path: str) -> ServingModel:
    """Load a model version; MLflow looks for a function of this name."""
    return ServingModel.load(Path(path))
