"""Judge memberships: is the member known, and was it no member already when it became one."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.universe import UNIVERSE_SUITE
from models.lake import UNIVERSE
from pipelines.quality.judging.compiled import encoded
from pipelines.quality.judging.plain import judge_rows
from pipelines.quality.judging.verdict import Verdict

Floats = npt.NDArray[np.float64]

_MEMBER = ["universe", "symbol"]
_FOREVER = 1e9
"""In days."""

_EPOCH = dt.date(1970, 1, 1)


def judge_universe(
    rows: pa.Table, instruments: Collection[str], past: pa.Table | None = None
) -> Verdict:
    """Return the verdict on rows of ``UNIVERSE``.

    Parameters
    ----------
    instruments : the symbols of the instrument reference.
    past : accepted rows of the same symbols.
    """
    codes, symbols = encoded(rows["symbol"])
    known = set(instruments)
    number = [place if name in known else np.nan for place, name in enumerate(symbols)]
    return judge_rows(
        UNIVERSE,
        UNIVERSE_SUITE,
        rows,
        instrument=np.array(number)[codes],
        earlier_until=_earlier_until(rows, past),
    )


def _earlier_until(rows: pa.Table, past: pa.Table | None) -> Floats:
    """Return when the memberships that began earlier ended, as each row's ingest knew them.

    An end may come in the same ingest as the next beginning. Hardly a symbol has two memberships;
    only those are looked at one by one.
    """
    out = np.full(rows.num_rows, np.nan)
    every = _memberships(rows, np.arange(rows.num_rows))
    if past is not None:
        every = pa.concat_tables([_memberships(past, np.full(past.num_rows, -1)), every])
    begins = every.group_by(_MEMBER).aggregate([("member_from", "count_distinct")])
    several = begins.filter(pc.field("member_from_count_distinct") > 1).select(_MEMBER)
    of_symbol = defaultdict(list)
    for row in every.join(several, _MEMBER, join_type="left semi").to_pylist():
        of_symbol[row["universe"], row["symbol"]].append(row)
    for versions in of_symbol.values():
        versions.sort(key=lambda row: (row["ingest_session"], row["known_at"]))
        for row in versions:
            if row["place"] >= 0:
                out[row["place"]] = _last_end(row, versions)
    return out


def _last_end(row: dict[str, Any], versions: list[dict[str, Any]]) -> float:
    """Return the last end, in days, of the memberships that began before a row's."""
    ends = {
        other["member_from"]: other["member_until"]
        for other in versions
        if other["ingest_session"] <= row["ingest_session"]
        and other["member_from"] < row["member_from"]
    }
    return max(
        (_FOREVER if end is None else float((end - _EPOCH).days) for end in ends.values()),
        default=float("nan"),
    )


def _memberships(rows: pa.Table, place: npt.NDArray[np.int64]) -> pa.Table:
    """Return whose membership each row tells of, when it was told, and a place for each row.

    One that ends before it begins is none.
    """
    names = ("member_from", "member_until", "known_at", "ingest_session")
    columns = {name: rows[name].cast(pa.string()) for name in _MEMBER}
    table = pa.table({**columns, **{name: rows[name] for name in names}, "place": place})
    until, begin = table["member_until"], table["member_from"]
    return table.filter(pc.fill_null(pc.greater_equal(until, begin), True))
