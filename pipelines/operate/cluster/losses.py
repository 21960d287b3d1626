"""Tell people that a container ended although it should run, and was started again."""

import datetime as dt
import logging

from pipelines.alerts import Alert, Cause, Kind, tell
from pipelines.errors import SmartInvestError
from pipelines.operate.cluster.cluster import WORKER, Cluster
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)


def tell_of_losses(cluster: Cluster, names: list[str]) -> None:
    """Tell an alert for each container, wherever the cluster's own settings say.

    Nothing is raised: whoever starts containers again must not end because nobody can be told.

    Parameters
    ----------
    names : containers as a container engine would name them, such as ``airflow-worker-1``.
    """
    now = dt.datetime.now(dt.UTC)
    try:
        settings = load_settings(cluster.environment(WORKER))
        for name in names:
            cause = Cause(
                "ProcessLost",
                f"container {name}",
                "ended",
                "it ended although it should run, perhaps killed for lack of memory, and was "
                "started again",
                "What it did is tried again by itself. If it goes on ending, see its log of the "
                f"run before: `{name}-main.previous.log` in the home's logs.",
            )
            # Each loss is news of its own.
            tell(settings, Alert(Kind.PROCESS_LOST, cause, subject_of=f"{name} at {now}", at=now))
    except SmartInvestError as error:
        logger.error("nobody was told: %s", error)
