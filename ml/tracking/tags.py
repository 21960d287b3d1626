"""Names by which runs and versions are found again."""

from dataclasses import asdict

from ml.records import TrainingIdentity

PARENT = "mlflow.parentRunId"
DESCRIPTION = "mlflow.note.content"
KIND = "smartinvest.kind"
TRAINING = "smartinvest.training_run_id"
"""Of all runs below a training's own, however deep."""

_NAME_PREFIX = "smartinvest-"


def registered_name(forecaster_name: str) -> str:
    """Return the name under which a model is registered."""
    return f"{_NAME_PREFIX}{forecaster_name}"


def training_tags(identity: TrainingIdentity) -> dict[str, str]:
    """Return tags by which a training is found."""
    return {**{f"smartinvest.{name}": value for name, value in asdict(identity).items()},
            KIND: "training"}  # fmt: skip


def child_tags(training_run_id: str, parent_run_id: str, kind: str) -> dict[str, str]:
    """Return tags of a run below a training's."""
    return {PARENT: parent_run_id, TRAINING: training_run_id, KIND: kind}


def condition(name: str, value: str) -> str:
    """Return the search condition that a tag has a value."""
    return f"tags.`{name}` = '{value}'"
