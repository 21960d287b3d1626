"""MLflow's trash."""

from pipelines.forecast.failures import model_errors
from pipelines.maintenance.lineage import lineage_of
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings

_WHAT = "deleted runs of MLflow"


def empty_trash(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove runs for good that somebody deleted in MLflow long ago, unless they are needed.

    Raises
    ------
    ModelError
        MLflow cannot be used.
    """
    # Heavy: it imports MLflow.
    from ml.tracking.trash import empty_trash as empty

    needed = lineage_of(settings).mlflow_runs
    with model_errors():
        done = empty(settings.mlflow, settings.mlflow_url, rule.days, needed, dry_run=rule.dry_run)
    if done is None:
        return [Removal(_WHAT, 0, note="its server removes them: `mlflow gc` where that runs")]
    note = f"brought back, since published runs name them: {', '.join(done.restored)}"
    return [
        Removal(_WHAT, done.removed, needed=len(done.restored), note=note * bool(done.restored))
    ]
