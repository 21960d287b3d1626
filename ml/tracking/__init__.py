"""The one package that talks to MLflow: trainings, their models, and versions by number.

A training counts from the moment its parent run is FINISHED, which is the last thing written. What
a killed training left behind is never found by a later stage, and the next training removes it.
The registry works on a database file, and no server is needed; it works with one, too.
"""

from ml.tracking.database import ensure_database
from ml.tracking.registry import Registry
from ml.tracking.tags import registered_name
from ml.tracking.training_run import TrainingRun

__all__ = ["Registry", "TrainingRun", "ensure_database", "registered_name"]
