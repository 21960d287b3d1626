"""How long Airflow waits before it calls something lost; the same embedded and on a cluster.

Names are those of Airflow's sections and options, values as its environment variables hold them.
"""

PACE = {
    # A worker says every 5 s that its task lives; who hears nothing for two minutes runs it again.
    # A database or an API server that restarts is away for less than one, and must not cost a
    # running task: its process gives up after six beats that nobody took, each of which Airflow
    # tries five times, for some ten seconds in all.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    "WORKERS__MAX_FAILED_HEARTBEATS": "6",
    # Seen on a machine with ten times more to do than it has cores: within Airflow's 5 s the API
    # server did not say that a task may begin, which then failed before it was.
    "WORKERS__EXECUTION_API_TIMEOUT": "60",
    # What a scheduler that died was at is adopted by the others, or by its successor, within this.
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
    # In which a task's alert is told, after its end was reported.
    "CORE__TASK_SUCCESS_OVERTIME": "40",
    # In which a missed deadline is told.
    "CALLBACKS__CALLBACK_EXECUTION_TIMEOUT": "60",
}
