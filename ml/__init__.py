"""How predictions are made: panels, windows, models behind one interface, evaluation, tracking.

Reads the feature Parquet; knows neither the warehouse's database nor the SQL store.
"""

import os

_BEFORE_IMPORTS = {
    # Waiting threads that spin take the cores from the other processes of the machine.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # oneDNN's kernels add up in an order that depends on the machine, and gain nothing here.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "KERAS_BACKEND": "tensorflow",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}

# TensorFlow and MLflow read these when they are imported. What the user has set wins.
for _name, _value in _BEFORE_IMPORTS.items():
    os.environ.setdefault(_name, _value)
