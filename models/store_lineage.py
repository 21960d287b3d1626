"""Output table of the SQL store about the work itself: which task made what, from what.

It holds no personal data: identifiers, moments and digests only.
"""

from models.declaration import Table, date, integer, text, timestamp
from models.vocabulary import Source, TaskState

TASK_LINEAGE = Table(
    name="task_lineage",
    grain="one row per DAG run, task, mapped index and try that began",
    key=("dag_id", "dag_run_id", "task_id", "map_index", "try_number"),
    columns=(
        text("dag_id", "the DAG"),
        text("dag_run_id", "Airflow's name of its run"),
        text("task_id", "the task"),
        integer(
            "map_index", "which of its mapped tasks; -1: it is not mapped", "rank", at_least=-1
        ),
        integer("try_number", "which try", "count", at_least=0),
        text("source", "where market data came from", allowed=Source),
        date("session_date", "exchange session it worked on; null: on none", nullable=True),
        text("state", "how it ended, or that it runs", allowed=TaskState),
        timestamp("started_at", "when the try began; null: it ended before", nullable=True),
        timestamp("ended_at", "when it ended; null: it runs, or was killed", nullable=True),
        text(
            "advice_run_id",
            "advice run that its assets stood at when it ended; null: none yet",
            nullable=True,
        ),
        text(
            "inlets",
            "assets it reads, as a JSON list of asset, session and version: the build, training or "
            "run that the asset stood at when the task began",
        ),
        text("outlets", "assets it updates, the same, when it had succeeded"),
        text("host", "machine that it ran on"),
        text("code_version", "release and digest of the code"),
    ),
    indexes=(("session_date", "dag_id"), ("advice_run_id",)),
)
