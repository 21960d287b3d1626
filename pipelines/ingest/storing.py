"""From delivered rows to the lake: stamped, appended, judged, and counted."""

import datetime as dt
import logging

import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.ingest.problems import store_problems
from pipelines.ingest.provider import Delivery, Problem, Provider, Span
from pipelines.ingest.report import BatchReport, ProblemReport
from pipelines.ingest.stamps import (
    stamped_by_day,
    stamped_instruments,
    stamped_macro,
    stamped_universe,
)
from pipelines.lake import AppendResult, append_versions, current_versions, with_withdrawals
from pipelines.quality import check_rows
from pipelines.sessions import FIRST_DATE
from pipelines.settings import Settings

logger = logging.getLogger(__name__)


def store_reference(settings: Settings, session: dt.date, provider: Provider) -> None:
    """Append what the source says about its instruments, universe and macro series by a session."""
    source = provider.source
    # From long before the first bar: a yearly change needs a year of values.
    macro, problems = provider.macro(FIRST_DATE, session)
    memberships = stamped_universe(
        provider.universe(), source, session, current_versions(settings, UNIVERSE)
    )
    for table, rows in (
        (INSTRUMENTS, stamped_instruments(provider.instruments(), source, session)),
        (UNIVERSE, memberships),
        (MACRO, stamped_macro(macro, source, session)),
    ):
        added = _append(settings, table, session, rows, provider)
        check_rows(settings, session, table, added.rows, _paths(added))
    store_problems(settings, session, problems)
    for problem in problems:
        logger.warning("%s: %s. %s", problem.thing, problem.reason, problem.remedy)


def store_delivery(
    settings: Settings, session: dt.date, provider: Provider, delivery: Delivery
) -> BatchReport:
    """Append and judge the bars and actions of one delivery; say what came of each symbol."""
    source, origin = provider.source, delivery.origin
    prices, actions = _until(session, delivery.prices), _until(session, delivery.actions)
    problems = (*delivery.problems, *_of_later_bars(session, delivery.prices))
    # Actions first: the lake tells late ones by the prices that it holds, and jumps are judged by
    # the splits that are known.
    told = with_withdrawals(settings, stamped_by_day(actions, source, session), prices)
    added = _append(settings, ACTIONS, session, told, provider, origin)
    check_rows(settings, session, ACTIONS, added.rows, _paths(added))
    added = _append(
        settings, PRICES, session, stamped_by_day(prices, source, session), provider, origin
    )
    check_rows(settings, session, PRICES, added.rows, _paths(added))
    store_problems(settings, session, problems)
    delivery.stored(_paths(added))
    symbols = delivery.spans or _spans(prices)
    return BatchReport(
        symbols=symbols,
        problems=tuple(_reported(problem) for problem in problems),
        new_rows=added.new_rows,
        restated_rows=added.restated_rows,
        files=len(added.files),
        session_bars=sum(one.last_day == session for one in symbols),
    )


def _append(
    settings: Settings,
    table: Table,
    session: dt.date,
    rows: pa.Table,
    provider: Provider,
    origin: str = "",
) -> AppendResult:
    return append_versions(
        settings,
        table,
        session,
        rows,
        arrival=provider.arrival,
        observed_at=dt.datetime.now(dt.UTC),
        origin=origin,
    )


def _paths(added: AppendResult) -> list[str]:
    return [file.path for file in added.files]


def _until(session: dt.date, delivered: pa.Table) -> pa.Table:
    newest = pc.max(delivered["session_date"]).as_py()
    if newest is None or newest <= session:
        return delivered
    return delivered.filter(pc.field("session_date") <= pa.scalar(session, pa.date32()))


def _of_later_bars(session: dt.date, delivered: pa.Table) -> tuple[Problem, ...]:
    """Say of which symbols bars came that nobody asked for: of sessions still to come, maybe."""
    newest = pc.max(delivered["session_date"]).as_py()
    if newest is None or newest <= session:
        return ()
    later = delivered.filter(pc.field("session_date") > pa.scalar(session, pa.date32()))
    days = later.group_by("symbol").aggregate([("session_date", "max")]).sort_by("symbol")
    return tuple(
        Problem(
            row["symbol"],
            f"a bar of {row['session_date_max']} came, though none after {session} was asked for",
            "It is left out. Look whether the source's dates are shifted.",
        )
        for row in days.to_pylist()
    )


def _spans(prices: pa.Table) -> tuple[Span, ...]:
    days = prices.group_by("symbol").aggregate(
        [("session_date", "count"), ("session_date", "min"), ("session_date", "max")]
    )
    names = ("symbol", "session_date_count", "session_date_min", "session_date_max")
    return tuple(Span(*(row[name] for name in names)) for row in days.to_pylist())


def _reported(problem: Problem) -> ProblemReport:
    return ProblemReport(problem.thing, problem.reason, problem.remedy, len(problem.rows))
