"""Metrics and parameters in the form and number that MLflow takes."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

_MOST_METRICS, _MOST_PARAMETERS = 1000, 100
"""Of one request."""

_LONGEST_PARAMETER = 500


def log_metrics(
    client: MlflowClient, run_id: str, values: Iterable[tuple[str, float | None, int]]
) -> None:
    """Log names, values and steps; what is None or not finite is left out."""
    now = int(time.time() * 1000)
    metrics = [
        Metric(name, float(value), now, step)
        for name, value, step in values
        if value is not None and math.isfinite(value)
    ]
    for first in range(0, len(metrics), _MOST_METRICS):
        client.log_batch(run_id, metrics=metrics[first : first + _MOST_METRICS])


def log_parameters(client: MlflowClient, run_id: str, values: Mapping[str, Any]) -> None:
    """Log parameters; long ones are cut."""
    parameters = [Param(name, str(value)[:_LONGEST_PARAMETER]) for name, value in values.items()]
    for first in range(0, len(parameters), _MOST_PARAMETERS):
        client.log_batch(run_id, params=parameters[first : first + _MOST_PARAMETERS])
