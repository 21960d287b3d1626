"""Judge splits and dividends: by themselves, and a dividend beside those before it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.actions import ACTION_SUITE, LARGEST_DISTRIBUTION
from models.lake import ACTIONS
from models.vocabulary import ActionKind
from pipelines.quality.judging.compiled import encoded, numbers
from pipelines.quality.judging.plain import judge_rows
from pipelines.quality.judging.verdict import Verdict

Floats = npt.NDArray[np.float64]

_DIVIDENDS_BEFORE = 4
_FEWEST_DIVIDENDS = 2


def judge_actions(rows: pa.Table, past: pa.Table | None = None) -> Verdict:
    """Return the verdict on rows of ``ACTIONS``.

    Parameters
    ----------
    past : all rows of the same symbols, rejected ones included: a median of four bears bad
        ones, and so a verdict does not depend on which rows were judged together.
    """
    return judge_rows(ACTIONS, ACTION_SUITE, rows, usual_dividends=_usual_dividends(rows, past))


def _usual_dividends(rows: pa.Table, past: pa.Table | None) -> Floats:
    """Return each dividend over the lower median of the (up to four) dividends before its day."""
    out = np.full(rows.num_rows, np.nan)
    new = np.arange(rows.num_rows)
    given = [] if past is None else [_dividends(past, np.full(past.num_rows, -1))]
    every = pa.concat_tables([*given, _dividends(rows, new)])
    if every.num_rows == 0:
        return out
    # Of each day's versions, the one that was known first is what later ones are compared with.
    every = every.sort_by([(name, "ascending") for name in ("symbol", "session_date", "known_at")])
    symbol, _ = encoded(every["symbol"])
    day = numbers(every["session_date"]).astype(np.int64)
    is_first = np.ones(len(day), dtype=bool)
    is_first[1:] = (symbol[1:] != symbol[:-1]) | (day[1:] != day[:-1])
    number = np.cumsum(is_first) - 1
    symbol, amount = symbol[is_first], numbers(every["amount"])[is_first]
    starts = np.flatnonzero(np.append(True, symbol[1:] != symbol[:-1]))
    since = np.arange(len(symbol)) - np.repeat(starts, np.diff(np.append(starts, len(symbol))))
    before = np.full((len(symbol), _DIVIDENDS_BEFORE), np.nan)
    for back in range(1, _DIVIDENDS_BEFORE + 1):
        has = np.flatnonzero(since >= back)
        before[has, back - 1] = amount[has - back]
    usual = np.full(len(symbol), np.nan)
    enough = since >= _FEWEST_DIVIDENDS
    usual[enough] = np.nanquantile(before[enough], 0.5, axis=1, method="lower")
    place = numbers(every["place"]).astype(np.int64)
    mine = place >= 0
    out[place[mine]] = (numbers(every["amount"]) / usual[number])[mine]
    return out


def _dividends(rows: pa.Table, place: npt.NDArray[np.int64]) -> pa.Table:
    """Return the possible dividends among some rows, with a place for each."""
    kinds = pc.equal(rows["kind"].cast(pa.string()), ActionKind.DIVIDEND.value)
    amounts = pc.and_(pc.greater(rows["amount"], 0), pc.less(rows["amount"], LARGEST_DISTRIBUTION))
    return pa.table(
        {
            "symbol": rows["symbol"].cast(pa.string()),
            "session_date": rows["session_date"],
            "known_at": rows["known_at"],
            "amount": rows["amount"],
            "place": place,
        }
    ).filter(pc.and_(kinds, amounts))
