"""Release rows from quarantine: a person who has looked overrules the rules, on record."""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from models.declaration import Table
from models.lake import PRICES
from pipelines.errors import QualityError
from pipelines.lake import add_release, rejections
from pipelines.quality.quarantine import mirror_to_store
from pipelines.settings import Settings


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
    """Overrule the verdicts on a symbol's rows that are in quarantine now.

    A release speaks of rows that somebody has seen: without ``last_session`` it ends with the
    newest one in quarantine, so that it says nothing about bars to come. Those are judged beside
    the released ones.

    Raises
    ------
    QualityError
        Nothing of the symbol is in quarantine, or nobody says who releases it and why.
    """
    for name, text in (("--by", released_by), ("--reason", reason)):
        if not text.strip():
            raise QualityError(
                f"release of {symbol}", text, f"{name} is empty", "Say who decides, and why."
            )
    found = _found(settings, table, symbol, rule, first_session, last_session)
    days = pc.min_max(found["session_date"]) if "session_date" in found.column_names else None
    first = first_session or (days["min"].as_py() if days is not None else None)
    last = last_session or (days["max"].as_py() if days is not None else None)
    add_release(
        settings,
        table,
        symbol,
        first_session=first,
        last_session=last,
        rule=rule,
        released_by=released_by,
        reason=reason,
        released_at=dt.datetime.now(dt.UTC),
    )
    mirror_to_store(settings)
    versions = found.group_by([name for name in table.key if name != "source"]).aggregate([])
    rules = tuple(sorted(pc.unique(found["rule"]).to_pylist()))
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
    wanted = pc.field("symbol") == symbol
    if rule is not None:
        wanted &= pc.field("rule") == rule
    if first_session is not None:
        wanted &= pc.field("session_date") >= pa.scalar(first_session)
    if last_session is not None:
        wanted &= pc.field("session_date") <= pa.scalar(last_session)
    found = rows.filter(wanted)
    if found.num_rows == 0:
        raise QualityError(
            "symbol",
            symbol,
            f"no row of it in {table.name} is in quarantine under that rule and those sessions",
            "Look at `smartinvest quarantine list`.",
        )
    return found
