"""How long Airflow waits before it calls something lost; the same embedded and on a cluster.

Names are those of Airflow's sections and options, values as its environment variables hold them.
"""

PACE = {
    # A worker says every 5 s that its task lives. A database or an API server that restarts is
    # away for less than a minute, and must not cost a running task: its process gives up after 12
    # beats that nobody took, the scheduler declares it lost after two minutes without one.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
    "WORKERS__MAX_FAILED_HEARTBEATS": "12",
    # What a scheduler that died was at is adopted by the others, or by its successor, within this.
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
    # In which a task's alert is told, after its end was reported.
    "CORE__TASK_SUCCESS_OVERTIME": "40",
    # In which a missed deadline is told.
    "CALLBACKS__CALLBACK_EXECUTION_TIMEOUT": "60",
}
