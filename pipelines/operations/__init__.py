"""How the house stands, at a glance: the operations page that Airflow's user interface shows.

``gathering`` asks the lake, the store and what Airflow's own database said; each subject becomes a
:class:`Panel` in a module of its own; ``page`` makes HTML of them. Nothing here imports Airflow.
"""

from pipelines.operations.airflow_state import AirflowState, DagRunState, Heartbeat
from pipelines.operations.gathering import gather
from pipelines.operations.lineage_page import lineage_page
from pipelines.operations.page import message_page, operations_page
from pipelines.operations.panels import Panel, Verdict

__all__ = [
    "AirflowState",
    "DagRunState",
    "Heartbeat",
    "Panel",
    "Verdict",
    "gather",
    "lineage_page",
    "message_page",
    "operations_page",
]
