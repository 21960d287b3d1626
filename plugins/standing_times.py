"""Times of day at which upkeep runs by itself, where Airflow stays up."""

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from exchange_sessions import schedules_sessions


class StandingTimetable(CronTriggerTimetable):
    """Airflow's cron timetable, which makes no run in an Airflow that is up for one session.

    There (``make run``) it would compete with that session, and would be stopped in the middle.
    """

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next time, or None where nothing runs by itself."""
        if not schedules_sessions():
            return None
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


class StandingTimesPlugin(AirflowPlugin):
    """Registers the timetable, so that serialised DAGs can carry it."""

    name = "standing_times"
    timetables = [StandingTimetable]  # noqa: RUF012
