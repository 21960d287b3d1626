"""What the page is told of Airflow's own database by whoever may read it."""

import datetime as dt
from dataclasses import dataclass, field

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class DagRunState:
    """The last run of a DAG for a session.

    Parameters
    ----------
    state : Airflow's word: queued, running, success or failed.
    failed_tasks : ids of its tasks that failed; the run itself may have succeeded.
    deadline_missed : whether Airflow has noted that it is later than its DAG allows.
    """

    dag_id: str
    run_id: str
    session: dt.date | None
    state: str
    queued_at: dt.datetime | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    failed_tasks: tuple[str, ...] = ()
    deadline_missed: bool = False

    @property
    def unfinished(self) -> bool:
        """Whether it may still succeed without anybody doing anything."""
        return self.state in UNFINISHED


@dataclass(frozen=True)
class Heartbeat:
    """One of Airflow's own processes; ``healthy`` is None where none is needed or was ever seen."""

    name: str
    healthy: bool | None
    last_beat: dt.datetime | None


@dataclass(frozen=True)
class AirflowState:
    """What Airflow's database says, as of one moment.

    Parameters
    ----------
    session : the newest session that a DAG of the chain has a run of; None: none ever had.
    runs : the last run of each DAG of the chain for that session, by DAG.
    beside : the last run of each other DAG of ours, whatever its session.
    paused : DAGs that somebody has paused.
    import_errors : DAG files that do not parse.
    """

    session: dt.date | None
    runs: dict[str, DagRunState]
    beside: dict[str, DagRunState] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    heartbeats: tuple[Heartbeat, ...] = ()
    import_errors: tuple[str, ...] = ()
