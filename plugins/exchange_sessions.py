"""The timetable of the exchange: one run per session, once the session's bars can be known.

A run's partition key is its session as ISO date. Airflow keeps it as the run's partition date too
(midnight in New York), so that backfills and filters by date find the session.

It makes runs by itself only where the source is polled and where this Airflow may do so
(``[smartinvest] schedule_sessions``, true unless set; ``make run`` sets it to false, because it
drives one session itself). A backfill is answered for every source.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
from airflow.configuration import conf
from airflow.exceptions import InvalidPartitionKeyError
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.utils.strings import get_random_string
from airflow.utils.types import DagRunType

from pipelines.errors import SessionError
from pipelines.sessions import (
    EXCHANGE,
    FIRST_DATE,
    PUBLICATION_DELAY,
    available_at,
    first_available,
    newest_available,
    parse_session,
    sessions_between,
)

_NEW_YORK = ZoneInfo("America/New_York")

_SAME_DAY_EVERYWHERE = dt.timedelta(hours=10, minutes=30)
"""At 10:30 UTC it is the same date from Honolulu to Auckland.

The user interface sends a backfill's bounds in UTC, as the beginning and the end of a day in the
user's time zone, which it does not tell. A day is meant if its 10:30 UTC lies between them. Other
callers write midnights; those are read as the day that they begin.
"""


class ExchangeSessionTimetable(Timetable):
    """One partition per exchange session, due when the session's bars count as known.

    It takes no arguments, so a DAG is the same version whatever the source and whoever runs it.
    """

    description = (
        f"Each session of {EXCHANGE}, {PUBLICATION_DELAY.total_seconds() / 3600:.0f} hours after "
        "its close; by itself only where the source is polled"
    )
    partitioned = True
    run_ordering = ("partition_date", "run_after")

    @property
    def summary(self) -> str:
        """What the list of DAGs shows as the schedule."""
        return f"{EXCHANGE} sessions"

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next session to run by itself, or None where nothing runs by itself."""
        from pipelines.operate.due import next_session, runs_by_itself
        from pipelines.settings import load_settings

        settings = load_settings()
        if not (schedules_sessions() and runs_by_itself(settings.source)):
            return None
        last = last_dagrun_info.partition_date if last_dagrun_info else None
        session = next_session(
            settings,
            after=_session_of(last) if last else None,
            now=pendulum.now("UTC"),
            catchup=restriction.catchup,
        )
        if restriction.earliest is not None:
            session = max(session, first_available(restriction.earliest))
        info = _run_of(session)
        too_late = restriction.latest is not None and info.run_after > restriction.latest
        return None if too_late else info

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Refuse: sessions are partitions, for which Airflow asks ``next_dagrun_info_v2``."""
        raise NotImplementedError("sessions have no data intervals; ask next_dagrun_info_v2")

    def iter_partition_dagrun_infos(
        self, *, earliest: dt.datetime, latest: dt.datetime
    ) -> Iterator[DagRunInfo]:
        """Yield one run per session of a backfill, from the day of one bound to that of the other.

        Sessions whose bars cannot be known yet are left out: the timetable comes to them in time.
        """
        first = max(_first_day(earliest), FIRST_DATE)
        last = min(_last_day(latest), newest_available(pendulum.now("UTC")))
        for session in sessions_between(first, last) if first <= last else ():
            yield _run_of(session)

    def localize_partition_datetime(self, moment: dt.datetime) -> pendulum.DateTime:
        """Read a bound of a filter by partition date as New York's wall clock."""
        return pendulum.instance(moment.replace(tzinfo=_NEW_YORK))

    def generate_run_id(
        self,
        *,
        run_type: DagRunType,
        run_after: pendulum.DateTime,
        data_interval: DataInterval | None,  # noqa: ARG002
        **extra: Any,
    ) -> str:
        """Return a run's id, which begins with its session; one session may be run again."""
        key = extra.get("partition_key") or run_after.isoformat()
        return run_type.generate_run_id(suffix=f"{key}__{get_random_string()}")

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """Return an empty interval: sessions travel as partitions, not as intervals."""
        return DataInterval.exact(run_after)

    def _decode_partition_date(self, partition_key: str) -> dt.datetime:
        try:
            return _midnight(parse_session(partition_key))
        except SessionError as error:
            raise InvalidPartitionKeyError(str(error)) from None


def schedules_sessions() -> bool:
    """Tell whether this Airflow runs new sessions by itself, where their source is polled."""
    return bool(conf.getboolean("smartinvest", "schedule_sessions", fallback=True))


def _run_of(session: dt.date) -> DagRunInfo:
    return DagRunInfo(
        run_after=pendulum.instance(available_at(session)),
        data_interval=None,
        partition_date=_midnight(session),
        partition_key=session.isoformat(),
    )


def _first_day(bound: dt.datetime) -> dt.date:
    if bound.time() == dt.time():
        return bound.date()
    after_anchor = bound.astimezone(dt.UTC) - _SAME_DAY_EVERYWHERE
    return after_anchor.date() + dt.timedelta(days=after_anchor.time() > dt.time())


def _last_day(bound: dt.datetime) -> dt.date:
    if bound.time() == dt.time():
        return bound.date()
    return (bound.astimezone(dt.UTC) - _SAME_DAY_EVERYWHERE).date()


def _midnight(session: dt.date) -> pendulum.DateTime:
    return pendulum.instance(dt.datetime.combine(session, dt.time(), _NEW_YORK))


def _session_of(partition_date: dt.datetime) -> dt.date:
    return partition_date.astimezone(_NEW_YORK).date()


class ExchangeSessionsPlugin(AirflowPlugin):
    """Registers the timetable, so that serialised DAGs can carry it."""

    name = "exchange_sessions"
    timetables = [ExchangeSessionTimetable]  # noqa: RUF012
