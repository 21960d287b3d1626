"""Judge rows of the lake and file the verdict: what ingest calls batch by batch, and check at once.

A verdict is filed under the digest of the rules, before the rows' files are marked as checked. So
a killed ingest leaves unmarked files, which no build reads and the next check judges.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.actions import ACTION_SUITE
from expectations.instruments import INSTRUMENT_SUITE
from expectations.macro import MACRO_SUITE
from expectations.rules import Suite
from expectations.universe import UNIVERSE_SUITE
from models.declaration import Table
from models.lake import ACTIONS, INSTRUMENTS, MACRO, PRICES, UNIVERSE
from pipelines.lake import (
    LakeFile,
    add_rejections,
    checked_files,
    declared,
    landed_files,
    mark_checked,
    read_rows,
    unchecked_files,
    without_rejected,
)
from pipelines.lake.versions import newest_versions
from pipelines.lineage import REPOSITORY, tree_digest
from pipelines.quality.judging import (
    PriceJudge,
    Verdict,
    judge_actions,
    judge_macro,
    judge_rows,
    judge_universe,
)
from pipelines.settings import Settings

SUITES: dict[str, Suite] = {
    ACTIONS.name: ACTION_SUITE,
    INSTRUMENTS.name: INSTRUMENT_SUITE,
    MACRO.name: MACRO_SUITE,
    UNIVERSE.name: UNIVERSE_SUITE,
}
"""By dataset; prices have their own judge."""

JUDGED_IN_ORDER = (INSTRUMENTS, ACTIONS, MACRO, UNIVERSE, PRICES)
"""Prices last: they are judged with the instruments and the accepted actions."""

_RULES = ("expectations", "pipelines/quality/judging")
_DAYS_BEFORE = 200
"""Calendar days that hold more sessions than the judge looks back on."""

_ROWS_AT_ONCE = 1_500_000
"""Prices judged at once; more of them are split by symbols: a judge wants half a kilobyte a row."""


@cache
def rules_digest() -> str:
    """Return the digest of all code that a verdict depends on."""
    return tree_digest(REPOSITORY, _RULES, {".py"})


def check_rows(
    settings: Settings,
    session: dt.date,
    table: Table,
    rows: pa.Table,
    paths: Iterable[str],
    judge: PriceJudge | None = None,
) -> Verdict:
    """Judge rows that were just appended, file what is rejected, and mark their files.

    Parameters
    ----------
    rows : the appended rows as they were stored (``AppendResult.rows``).
    paths : the files that hold them.
    judge : one built before from the same reference, to be used again.

    Raises
    ------
    LakeError
        The lake cannot be written, or a file in it is broken.
    """
    verdict = verdict_on(settings, table, rows, judge)
    rules = rules_digest()
    filed = _file(settings, table, verdict)
    mark_checked(settings, table, rules, session, paths, filed)
    return verdict


def check_unchecked(settings: Settings, session: dt.date) -> int:
    """Judge everything that is not judged under today's rules; return how many rows that were.

    An ingest calls it before it judges anything itself: its rows are judged beside an accepted
    past, which changed rules leave without a verdict.
    """
    return sum(_check_unchecked(settings, session, table) for table in JUDGED_IN_ORDER)


def verdict_on(
    settings: Settings, table: Table, rows: pa.Table, judge: PriceJudge | None = None
) -> Verdict:
    """Return the verdict on rows of a raw dataset; writes nothing."""
    if table is PRICES:
        judge = judge or price_judge(settings)
        past = _accepted_past(settings, rows, _texts(rows, "symbol"))
        return judge.judge(rows, past, known_actions(settings, _texts(rows, "symbol")))
    return judge_beside(settings, table, rows, _past(settings, table, rows))


def judge_beside(
    settings: Settings, table: Table, rows: pa.Table, past: pa.Table | None
) -> Verdict:
    """Return the verdict on rows of a dataset other than prices, beside earlier ones."""
    if table is ACTIONS:
        return judge_actions(rows, past)
    if table is MACRO:
        return judge_macro(rows, past)
    if table is UNIVERSE:
        known = accepted_versions(settings, INSTRUMENTS)["symbol"].to_pylist()
        return judge_universe(rows, known, past)
    return judge_rows(table, SUITES[table.name], rows)


def price_judge(settings: Settings) -> PriceJudge:
    """Return the judge by the last accepted versions of the source's instruments."""
    return PriceJudge(accepted_versions(settings, INSTRUMENTS))


def known_actions(settings: Settings, symbols: list[str]) -> pa.Table:
    """Return the last accepted version of each split and dividend of some symbols."""
    return accepted_versions(settings, ACTIONS, symbols)


def accepted_versions(
    settings: Settings, table: Table, subjects: Collection[str] | None = None
) -> pa.Table:
    """Return the newest version of each entity that today's rules accept; text plain."""
    rows = read_rows(settings, table, landed_files(settings, "raw", table), subjects=subjects)
    accepted = without_rejected(settings, table, rows, rules_digest())
    return declared(newest_versions(accepted, table), table)


def _check_unchecked(settings: Settings, session: dt.date, table: Table) -> int:
    rules = rules_digest()
    paths = unchecked_files(settings, table, rules)
    if not paths:
        return 0
    checked = 0
    filed = []
    for rows in _in_parts(settings, table, paths):
        checked += rows.num_rows
        filed += _file(settings, table, verdict_on(settings, table, rows))
    mark_checked(settings, table, rules, session, paths, filed)
    return checked


def _file(settings: Settings, table: Table, verdict: Verdict) -> list[str]:
    """Write what a verdict rejects, unless that is filed already; return the new file's path."""
    if verdict.rejections.num_rows == 0:
        return []
    file = add_rejections(settings, table, rules_digest(), verdict.rejections)
    return [] if file is None else [file.path]


def _in_parts(settings: Settings, table: Table, paths: Collection[str]) -> Iterator[pa.Table]:
    """Read what files hold; prices symbols by symbols, since a bulk load outgrows the memory."""
    wanted = set(paths)
    files = [file for file in landed_files(settings, "raw", table) if file.path in wanted]
    parts = -(-sum(file.summary.rows for file in files) // _ROWS_AT_ONCE)
    if table is not PRICES or parts <= 1:
        yield read_rows(settings, table, files)
        return
    symbols: set[str] = set()
    for file in files:
        symbols.update(_texts(read_rows(settings, table, [file], ["symbol"]), "symbol"))
    for group in np.array_split(np.array(sorted(symbols), dtype=object), parts):
        if group.size:
            yield read_rows(settings, table, files, subjects=group.tolist())


def _past(settings: Settings, table: Table, rows: pa.Table) -> pa.Table | None:
    """Return what was judged of the rows' subjects; of actions also what was rejected."""
    checked = checked_files(settings, table, rules_digest())
    files = [file for file in landed_files(settings, "raw", table) if file.path in checked]
    if table is INSTRUMENTS or not files or rows.num_rows == 0:
        return None
    subjects = _texts(rows, "series_id" if table is MACRO else "symbol")
    past = read_rows(settings, table, files, subjects=subjects)
    if table is ACTIONS:
        return past
    return without_rejected(settings, table, past, rules_digest())


def _texts(rows: pa.Table, column: str) -> list[str]:
    texts: list[str] = pc.unique(rows[column]).cast(pa.string()).to_pylist()
    return texts


def _accepted_past(settings: Settings, rows: pa.Table, symbols: list[str]) -> pa.Table | None:
    """Return what was accepted of these symbols around the rows, up to the last of them.

    A symbol without a bar in the months before counts from its last one, however old.
    """
    rules = rules_digest()
    checked = checked_files(settings, PRICES, rules)
    files = [file for file in landed_files(settings, "raw", PRICES) if file.path in checked]
    if not files or rows.num_rows == 0:
        return None
    bounds = pc.min_max(rows["session_date"].cast(pa.int32()))
    first, last = bounds["min"].as_py() - _DAYS_BEFORE, bounds["max"].as_py()
    near = _accepted(settings, [f for f in files if f.summary.last_day >= first], symbols, last)
    present = set(pc.unique(near["symbol"]).cast(pa.string()).to_pylist())
    absent = [symbol for symbol in symbols if symbol not in present]
    if not absent:
        return near
    return pa.concat_tables([near, _accepted(settings, files, absent, last)]).unify_dictionaries()


def _accepted(
    settings: Settings, files: list[LakeFile], symbols: list[str], last_day: int
) -> pa.Table:
    rows = read_rows(settings, PRICES, files, subjects=symbols)
    rows = rows.filter(pc.less_equal(rows["session_date"].cast(pa.int32()), last_day))
    return without_rejected(settings, PRICES, rows, rules_digest())
