"""The forecast stage: choose or train the model of a session, then forecast with it.

TensorFlow and MLflow are imported when a stage runs, not with this package.
"""

from pipelines.forecast.choice import train
from pipelines.forecast.run import config_hash
from pipelines.forecast.stage import ForecastReport, forecast
from pipelines.forecast.tuning import TuningReport, begin_tuning, finish_tuning, run_trials
from pipelines.model_choices import ModelChoice

__all__ = [
    "ForecastReport",
    "ModelChoice",
    "TuningReport",
    "begin_tuning",
    "config_hash",
    "finish_tuning",
    "forecast",
    "run_trials",
    "train",
]
