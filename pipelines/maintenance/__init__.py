"""Upkeep: merge small files, and remove what is old and no published run needs.

What a published run was made from stays for ever, however old: the lake's raw files, verdicts and
client snapshots that its manifest names, its rows in the store, its models in MLflow. A run can be
made again from these (``smartinvest replay``), and so can every warehouse build; so builds, logs,
results and work of trainings may go.
"""

from pipelines.maintenance.report import Removal
from pipelines.maintenance.retention import Retention, retention
from pipelines.maintenance.stage import PARTS, maintain

__all__ = ["PARTS", "Removal", "Retention", "maintain", "retention"]
