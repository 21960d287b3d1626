"""A fitted model as MLflow's own format packs it, without pickles."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

import mlflow.pyfunc
from mlflow.models.signature import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from ml.panel import RETURN_COLUMN
from ml.panel.feature_columns import columns_of
from ml.panel.features import SESSION_FEATURES, SYMBOL_FEATURES
from ml.serving import OUTPUT_KEY, OUTPUTS, ServingModel

FORECASTER_FOLDER = "forecaster"
CALENDAR_COLUMNS = (
    "days_to_next_session",
    "is_option_expiry",
    "is_turn_of_month",
    "month",
    "sessions_to_month_end",
    "sessions_to_quarter_end",
)
_REQUIREMENTS = ("numpy", "numba", "pandas", "pyarrow", "scipy")
_OWN_REQUIREMENTS = {
    "lstm": ("keras", "tensorflow-cpu", "tensorflow"),
    "lightgbm": ("lightgbm",),
    "average": ("keras", "tensorflow-cpu", "tensorflow", "lightgbm"),
}
"""Of single models; of TensorFlow's two distributions one is installed."""


def pack(model: ServingModel, folder: Path) -> Path:
    """Write a model below a folder so that ``mlflow.pyfunc`` can load it, and return where."""
    own = folder / FORECASTER_FOLDER
    own.mkdir()
    model.save(own)
    packed = folder / "packed"
    with _without_remarks():
        mlflow.pyfunc.save_model(
            packed,
            loader_module="ml.serving",
            data_path=str(own),
            signature=signature(),
            # Left to itself MLflow finds them out by loading the model in another process.
            pip_requirements=_pip_requirements(model.forecaster.name),
        )
    return packed


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Keep MLflow from remarking that there is no pip here and that no example was given."""
    remarks = logging.getLogger("mlflow.utils.environment")
    level = remarks.level
    remarks.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*input example was not provided.*")
            yield
    finally:
        remarks.setLevel(level)


def signature() -> ModelSignature:
    """Return what a model takes and gives: rows of the mart ``features``, a row per horizon.

    Columns that a source does not have may be null or absent. Those of the calendar are counts and
    truths there; MLflow would take neither for a number.
    """
    names = columns_of((*SYMBOL_FEATURES, *SESSION_FEATURES))
    key = [ColSpec(DataType.string, "symbol"), ColSpec(DataType.datetime, "session_date")]
    inputs = [
        ColSpec(
            AnyType() if name in CALENDAR_COLUMNS else DataType.double,
            name,
            required=name == RETURN_COLUMN,
        )
        for name in names
    ]
    kinds = dict(zip(OUTPUT_KEY, (DataType.string, DataType.datetime, DataType.long), strict=True))
    outputs = [ColSpec(kinds.get(name, DataType.double), name) for name in (*OUTPUT_KEY, *OUTPUTS)]
    return ModelSignature(Schema([*key, *inputs]), Schema(outputs))


def _pip_requirements(forecaster_name: str) -> list[str]:
    names = (*_REQUIREMENTS, *_OWN_REQUIREMENTS.get(forecaster_name, ()))
    return [f"{name}=={installed_version(name)}" for name in names if _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        installed_version(name)
    except PackageNotFoundError:
        return False
    return True
