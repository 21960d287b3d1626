"""From delivered rows to the lake: stamped, appended, counted."""

import datetime as dt
import logging

import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, PRICES, UNIVERSE
from pipelines.ingest.provider import Delivery, Problem, Provider
from pipelines.ingest.report import BatchReport, ProblemReport, SymbolReport
from pipelines.ingest.stamps import stamped_by_day, stamped_instruments, stamped_universe
from pipelines.lake import append_versions, current_versions
from pipelines.lake.raw import AppendResult
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


def store_reference(settings: Settings, session: dt.date, provider: Provider) -> None:
    """Append what the source says about its instruments and their memberships by a session."""
    instruments = stamped_instruments(provider.instruments(), provider.source, session)
    _append(settings, INSTRUMENTS, session, instruments)
    memberships = stamped_universe(
        provider.universe(), provider.source, session, current_versions(settings, UNIVERSE)
    )
    _append(settings, UNIVERSE, session, memberships)


def store_delivery(
    settings: Settings, session: dt.date, provider: Provider, delivery: Delivery
) -> BatchReport:
    """Append the bars and actions of one delivery and say what came of each symbol."""
    prices = _until(session, delivery.prices, provider)
    actions = _until(session, delivery.actions, provider)
    _append(settings, ACTIONS, session, stamped_by_day(actions, provider.source, session))
    added = _append(settings, PRICES, session, stamped_by_day(prices, provider.source, session))
    today = pc.field("session_date") == pa.scalar(session, pa.date32())
    return BatchReport(
        symbols=_by_symbol(prices),
        new_rows=added.new_rows,
        restated_rows=added.restated_rows,
        problems=tuple(_reported(problem) for problem in delivery.problems),
        files=int(added.file is not None),
        session_bars=prices.filter(today).num_rows,
    )


def _append(settings: Settings, table: Table, session: dt.date, rows: pa.Table) -> AppendResult:
    return append_versions(settings, table, session, rows, dt.datetime.now(dt.UTC))


def _until(session: dt.date, delivered: pa.Table, provider: Provider) -> pa.Table:
    rows = delivered.filter(pc.field("session_date") <= pa.scalar(session, pa.date32()))
    if rows.num_rows < delivered.num_rows:
        logger.warning(
            "source %s delivered %d rows after %s, which was not asked for; they are left out",
            provider.source.value,
            delivered.num_rows - rows.num_rows,
            session,
        )
    return rows


def _by_symbol(prices: pa.Table) -> tuple[SymbolReport, ...]:
    days = prices.group_by("symbol").aggregate(
        [("session_date", "count"), ("session_date", "min"), ("session_date", "max")]
    )
    return tuple(
        SymbolReport(
            symbol=row["symbol"],
            rows=row["session_date_count"],
            first_session=row["session_date_min"],
            last_session=row["session_date_max"],
        )
        for row in days.sort_by("symbol").to_pylist()
    )


def _reported(problem: Problem) -> ProblemReport:
    return ProblemReport(problem.thing, problem.reason, problem.remedy, len(problem.rows))
