"""Read bars and actions from dbt's staging models, many symbols at a time."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import AssetClass, KnownAtBasis, PriceBasis
from pipelines.errors import WarehouseError

ROWS_AT_ONCE = 1 << 21

FEW_SYMBOLS = 256
"""Up to so many are a condition on the bars; a longer list takes longer than reading them."""

_DAY_BITS = 32
_NEVER_RANKED = (AssetClass.INDEX, AssetClass.VOLATILITY)


@dataclass(frozen=True)
class Staged:
    """The relations that a panel is built from: staging models, and the lake's raw prices.

    ``changes`` names the symbols whose inputs differ from the base's; without a base, none count.
    """

    cut: duckdb.DuckDBPyRelation
    raw_prices: duckdb.DuckDBPyRelation
    prices: duckdb.DuckDBPyRelation
    actions: duckdb.DuckDBPyRelation
    universe: duckdb.DuckDBPyRelation
    instruments: duckdb.DuckDBPyRelation
    changes: duckdb.DuckDBPyRelation


def source_and_session(staged: Staged) -> tuple[str, dt.date]:
    """Return the provider and the session of the build."""
    [row] = staged.cut.project("source, session_date").fetchall()
    return row


def changed_since(staged: Staged) -> dict[str, dt.date]:
    """Return, by symbol, the first session whose inputs differ from the base's."""
    rows = staged.changes.project("symbol, first_session_date").fetchall()
    return dict(sorted(rows))


def row_counts(staged: Staged) -> dict[str, int]:
    """Return how many raw rows each symbol has at most, by symbol; some of them may not count."""
    counts = staged.raw_prices.aggregate("symbol, count(*)", "symbol").fetchall()
    return dict(sorted(counts))


def raw_days(staged: Staged) -> npt.NDArray[np.int32]:
    """Return the sessions that raw rows speak of, in order, as days since 1970."""
    days = staged.raw_prices.project("session_date").distinct().order("session_date")
    return np.asarray(days.to_arrow_table()["session_date"].cast(pa.int32()))


def batches(counts: Mapping[str, int]) -> list[list[str]]:
    """Divide sorted symbols into batches of about ``ROWS_AT_ONCE`` raw rows."""
    found: list[list[str]] = []
    rows = ROWS_AT_ONCE
    for symbol, count in counts.items():
        if rows >= ROWS_AT_ONCE:
            found.append([])
            rows = 0
        found[-1].append(symbol)
        rows += count
    return found


def read_ahead(staged: Staged, portions: Sequence[Sequence[str]]) -> Iterator[pa.Table]:
    """Yield the accepted bars of each batch of symbols; the next is read meanwhile."""
    with ThreadPoolExecutor(1, "panel-reader") as reader:
        reading = [reader.submit(bars_of, staged, portion) for portion in portions[:1]]
        for number in range(len(portions)):
            bars = reading[-1].result()
            if number + 1 < len(portions):
                reading = [reader.submit(bars_of, staged, portions[number + 1])]
            yield bars


def bars_of(staged: Staged, symbols: Sequence[str], since: dt.date | None = None) -> pa.Table:
    """Return the accepted bars of some symbols, sorted by symbol and session.

    Text columns are dictionaries whose values are sorted.

    Raises
    ------
    WarehouseError
        A bar has no close above zero.
    """
    only = f"and symbol in ({_words(symbols)})" if len(symbols) <= FEW_SYMBOLS else ""
    later = "" if since is None else f"and session_date >= date '{since}'"
    query = f"""
        select
            symbol, session_date, open, high, low, close, close_micros, volume,
            price_basis::enum({_words(PriceBasis)}) as price_basis, known_at,
            known_at_basis::enum({_words(KnownAtBasis)}) as known_at_basis
        from stg_prices
        where symbol between {_quoted(symbols[0])} and {_quoted(symbols[-1])}
            {only} {later}
    """
    bars = _newest(staged.prices.query("stg_prices", query).to_arrow_table(), symbols)
    _require_closes(bars)
    return bars


def actions_of(staged: Staged) -> pa.Table:
    """Return all actions."""
    return staged.actions.project("symbol, session_date, kind, amount").to_arrow_table()


def memberships(staged: Staged) -> pa.Table | None:
    """Return who was a member from when until when; None where the source names no members."""
    rows = staged.universe.project("symbol, member_from, member_until").to_arrow_table()
    return rows if rows.num_rows else None


def never_ranked(staged: Staged) -> set[str]:
    """Return the symbols that are measures of a market and nothing that can be bought."""
    words = ", ".join(_quoted(word) for word in _NEVER_RANKED)
    rows = staged.instruments.filter(f"asset_class in ({words})").project("symbol").fetchall()
    return {symbol for (symbol,) in rows}


def _newest(versions: pa.Table, symbols: Sequence[str]) -> pa.Table:
    """Return the newest version of each bar of these symbols, sorted; SQL sorts for longer.

    Rows come as the files hold them, in few ascending runs, which merge in no time.
    """
    versions, listed = versions.combine_chunks(), pa.array(symbols, pa.string())
    found = pc.index_in(versions["symbol"].combine_chunks(), listed)
    codes = np.asarray(found.fill_null(-1))  # others that lie between them
    days = np.asarray(versions["session_date"].cast(pa.int32()))
    keys = (codes.astype(np.int64) << _DAY_BITS) + days
    order = np.argsort(keys, kind="stable")
    is_last = np.ones(len(keys), bool)
    is_last[:-1] = np.diff(keys[order]) != 0
    if not is_last.all():
        order = np.lexsort((np.asarray(versions["known_at"].cast(pa.int64())), keys))
    rows = order[is_last]
    rows = rows[codes[rows] >= 0]
    symbol = pa.DictionaryArray.from_arrays(codes[rows], listed)
    bars = versions.drop_columns(["symbol"]).take(pa.array(rows))
    return bars.add_column(0, "symbol", symbol)


def _require_closes(bars: pa.Table) -> None:
    bad = bars.filter(pc.invert(pc.fill_null(pc.greater(bars["close"], 0.0), False)))
    if bad.num_rows:
        row = bad.slice(0, 1).to_pylist()[0]
        raise WarehouseError(
            "close",
            row["close"],
            f"the accepted bar of {row['symbol']} on {row['session_date']} has no close above zero",
            "Quarantine the bar: run the quality check again for the session that brought it.",
        )


def _words(vocabulary: Collection[str]) -> str:
    return ", ".join(_quoted(word) for word in sorted(vocabulary))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
