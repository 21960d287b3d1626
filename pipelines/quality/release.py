"""Release rows from quarantine: a person who has looked overrules the rules, on record."""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from expectations.prices import HISTORY_SUITE
from models.declaration import Table
from models.lake import PRICES
from pipelines.errors import QualityError
from pipelines.lake import add_release, rejections
from pipelines.lake.summary import day_column, subject_column
from pipelines.quality.quarantine import mirror_to_store
from pipelines.settings import Settings

RELEASABLE = (
    *(rule.name for rule in HISTORY_SUITE),
    "symbol_is_known",
    "volume_is_in_range",
    "split_ratio_is_plausible",
    "dividend_is_not_in_cents",
    "value_is_not_negative",
    "value_is_plausible",
    "period_begins_with_a_month",
    "member_is_known",
)
"""Rules that speak of what is likely. Nobody can make a missing or impossible price usable."""


@dataclass(frozen=True)
class ReleaseReport:
    """What one release freed; the next `transform` uses the rows."""

    symbol: str
    rows: int
    first_session: dt.date | None
    last_session: dt.date | None
    rules: tuple[str, ...]


def release(
    settings: Settings,
    symbol: str,
    *,
    released_by: str,
    reason: str,
    rule: str | None = None,
    first_session: dt.date | None = None,
    last_session: dt.date | None = None,
    table: Table = PRICES,
) -> ReleaseReport:
    """Overrule the verdicts on a symbol's (or series') rows that are in quarantine now.

    A release speaks of rows that somebody has seen: without ``last_session`` it ends with the
    newest one in quarantine, so that it says nothing about bars to come. Those are judged beside
    the released ones.

    Raises
    ------
    QualityError
        Nothing of the symbol can be released, or nobody says who releases it and why.
    """
    for name, text in (("--by", released_by), ("--reason", reason)):
        if not text.strip():
            raise QualityError(
                f"release of {symbol}", text, f"{name} is empty", "Say who decides, and why."
            )
    found = _found(settings, table, symbol, rule, first_session, last_session)
    day = day_column(table)
    days = {"min": None, "max": None} if day is None else pc.min_max(found[day]).as_py()
    first, last = first_session or days["min"], last_session or days["max"]
    rules = tuple(sorted(pc.unique(found["rule"]).to_pylist()))
    now = dt.datetime.now(dt.UTC)
    for number, one in enumerate(rules):
        add_release(
            settings,
            table,
            symbol,
            first_session=first,
            last_session=last,
            rule=one,
            released_by=released_by,
            reason=reason,
            # A release is known by its moment, so each has one of its own.
            released_at=now + dt.timedelta(microseconds=number),
        )
    mirror_to_store(settings)
    versions = found.group_by([name for name in table.key if name != "source"]).aggregate([])
    return ReleaseReport(symbol, versions.num_rows, first, last, rules)


def _found(
    settings: Settings,
    table: Table,
    symbol: str,
    rule: str | None,
    first_session: dt.date | None,
    last_session: dt.date | None,
) -> pa.Table:
    rows = rejections(settings, table)
    wanted = pc.field(subject_column(table)) == symbol
    day = day_column(table)
    if rule is not None:
        wanted &= pc.field("rule") == rule
    if first_session is not None and day:
        wanted &= pc.field(day) >= pa.scalar(first_session)
    if last_session is not None and day:
        wanted &= pc.field(day) <= pa.scalar(last_session)
    found = rows.filter(wanted & pc.field("rule").isin(RELEASABLE))
    if found.num_rows == 0:
        raise QualityError(
            "symbol",
            symbol,
            f"no {table.name} of it are in quarantine under a rule that a person may overrule",
            f"Look at `smartinvest quarantine list`; it may be {', '.join(RELEASABLE)}.",
        )
    return found
