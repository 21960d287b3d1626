"""The forecast stage: choose or train the model of a session, then forecast with it.

TensorFlow and MLflow are imported when a stage runs, not with this package.
"""

from pipelines.forecast.choice import train
from pipelines.forecast.run import config_hash
from pipelines.forecast.stage import ForecastReport, forecast
from pipelines.model_choices import ModelChoice

__all__ = ["ForecastReport", "ModelChoice", "config_hash", "forecast", "train"]
