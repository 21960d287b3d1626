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

from ml.features import FEATURES
from ml.serving import OUTPUTS, ServingModel

FORECASTER_FOLDER = "forecaster"
_REQUIREMENTS = ("keras", "numpy", "pandas", "pyarrow")
_TENSORFLOWS = ("tensorflow-cpu", "tensorflow")


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
            signature=_signature(),
            # Left to itself MLflow finds them out by loading the model in another process.
            pip_requirements=_pip_requirements(),
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


def _signature() -> ModelSignature:
    key = [ColSpec(DataType.string, "symbol"), ColSpec(DataType.datetime, "session_date")]
    features = [ColSpec(DataType.double, name, required=False) for name in FEATURES]
    outputs = [ColSpec(DataType.double, name) for name in OUTPUTS]
    return ModelSignature(Schema([*key, *features]), Schema([*key, *outputs]))


def _pip_requirements() -> list[str]:
    names = [*_REQUIREMENTS, next(name for name in _TENSORFLOWS if _is_installed(name))]
    return [f"{name}=={installed_version(name)}" for name in names]


def _is_installed(name: str) -> bool:
    try:
        installed_version(name)
    except PackageNotFoundError:
        return False
    return True
