"""Searches for model settings in their database, once nobody goes on with them."""

from pipelines.forecast.failures import model_errors
from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention
from pipelines.settings import Settings


def remove_searches(settings: Settings, rule: Retention) -> list[Removal]:
    """Remove searches in which nothing was tried for as long.

    What a training took from its search stands in the training's run in MLflow. A training of the
    same session and code would search anew.

    Raises
    ------
    ModelError
        The database cannot be used.
    """
    # Heavy: it imports Optuna.
    from ml.search.retention import remove_studies

    with model_errors():
        removed = remove_studies(settings.search_url, rule.before, dry_run=rule.dry_run)
    return [Removal("searches for model settings", removed)]
