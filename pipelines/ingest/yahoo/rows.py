"""Rows of the lake from one symbol's chart, with a check of each."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.vocabulary import ActionKind, PriceBasis
from pipelines.ingest.provider import ACTION_SCHEMA, PRICE_SCHEMA, Problem
from pipelines.ingest.yahoo.as_traded import AsTraded, UncertainSplit, as_traded
from pipelines.ingest.yahoo.chart import Chart, Days, Events

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class SymbolRows:
    """Bars and actions of one symbol, and what is odd about them."""

    prices: pa.Table
    actions: pa.Table
    problems: tuple[Problem, ...] = ()


def rows_of(chart: Chart, first: dt.date, last: dt.date, currency: str | None) -> SymbolRows:
    """Return what a chart says from a first to a last session, both included and complete.

    Bars after the last session (the unfinished one of today, too) are left out, and days for which
    Yahoo has a line without a price are no rows. ``currency`` is the one that the symbol must be
    quoted in, if it is known: in any other, nothing is delivered.
    """
    if currency is not None and chart.currency != currency:
        return _nothing(
            chart.symbol,
            f"Yahoo quotes it in {chart.currency}, the universe says {currency}",
            "Correct the universe's currency or symbol.",
        )
    try:
        traded = as_traded(chart)
    except UncertainSplit as error:
        return _nothing(chart.symbol, str(error), "Ask again after the next session has opened.")
    wanted, doubled = _chosen(traded, first, last)
    if not wanted.any():
        return _nothing(
            chart.symbol,
            f"Yahoo has no bar from {first} to {last}",
            "Check the symbol; a delisted one leaves the universe.",
        )
    actions = pa.concat_tables(
        _actions(chart.symbol, kind, events, first, last)
        for kind, events in (
            (ActionKind.DIVIDEND, traded.dividends),
            (ActionKind.CAPITAL_GAIN, traded.capital_gains),
            (ActionKind.SPLIT, traded.splits),
        )
    )
    problems = _oddities(chart.symbol, traded, wanted, doubled, last)
    return SymbolRows(_prices(chart.symbol, traded, wanted), actions, problems)


def _nothing(symbol: str, reason: str, remedy: str) -> SymbolRows:
    problem = Problem(symbol, reason, remedy)
    return SymbolRows(PRICE_SCHEMA.empty_table(), ACTION_SCHEMA.empty_table(), (problem,))


def _chosen(
    traded: AsTraded, first: dt.date, last: dt.date
) -> tuple[npt.NDArray[np.bool_], list[dt.date]]:
    """Mark the rows to keep, and name the days that have different bars.

    The newest day often comes twice, as its bar and as the last trade: the later line is the fuller
    one. Of other equal bars one is kept; different ones are all kept, since only quality may
    choose.
    """
    days = traded.days
    quoted = np.any([np.isfinite(traded.numbers[name]) for name in _PRICES], axis=0)
    wanted = quoted & (days >= np.datetime64(first)) & (days <= np.datetime64(last))
    doubled = []
    distinct, counts = np.unique(days[wanted], return_counts=True)
    for day in distinct[counts > 1]:
        lines = np.flatnonzero(wanted & (days == day))
        if day == days.max() or _all_alike(traded, lines):
            wanted[lines[:-1]] = False
        else:
            doubled.append(day.astype(object))
    return wanted, doubled


def _all_alike(traded: AsTraded, lines: npt.NDArray[np.intp]) -> bool:
    columns = [traded.numbers[name][lines] for name in (*_PRICES, "volume")]
    return all(np.array_equal(column, np.full_like(column, column[0]), True) for column in columns)


def _oddities(
    symbol: str,
    traded: AsTraded,
    wanted: npt.NDArray[np.bool_],
    doubled: list[dt.date],
    last: dt.date,
) -> tuple[Problem, ...]:
    newest = traded.days[wanted].max().astype(object)
    found = [
        Problem(
            symbol,
            f"Yahoo names a split on {day} that its prices do not contain",
            "Bars before it are taken as they were traded; compare the split with another source.",
        )
        for day in traded.unapplied
    ]
    found += [
        Problem(
            symbol,
            f"Yahoo has different bars for {day}",
            "Both are delivered and quality rejects them until one is left.",
        )
        for day in doubled
    ]
    found += [
        Problem(
            symbol,
            f"Yahoo's dividend of {day} contains the capital gain that it tells besides",
            "It is taken out, as the prices say; compare it with the fund's own page.",
        )
        for day in traded.counted_twice
    ]
    if newest < last:
        found.append(
            Problem(
                symbol,
                f"Yahoo's newest complete bar is of {newest}, not of {last}",
                "Ask again later; the last good price serves within the staleness limit.",
            )
        )
    return tuple(found)


def _prices(symbol: str, traded: AsTraded, wanted: npt.NDArray[np.bool_]) -> pa.Table:
    count = int(wanted.sum())
    columns: dict[str, pa.Array] = {
        "symbol": pa.repeat(pa.scalar(symbol), count),
        "session_date": _dates(traded.days[wanted]),
        "price_basis": pa.repeat(pa.scalar(PriceBasis.AS_TRADED.value), count),
    }
    for name, values in traded.numbers.items():
        columns[name] = pa.array(values[wanted], pa.float64(), from_pandas=True)
    return pa.table({name: columns[name] for name in PRICE_SCHEMA.names}, PRICE_SCHEMA)


def _actions(
    symbol: str, kind: ActionKind, events: Events, first: dt.date, last: dt.date
) -> pa.Table:
    wanted = (events.days >= np.datetime64(first)) & (events.days <= np.datetime64(last))
    count = int(wanted.sum())
    return pa.table(
        {
            "symbol": pa.repeat(pa.scalar(symbol), count),
            "session_date": _dates(events.days[wanted]),
            "kind": pa.repeat(pa.scalar(kind.value), count),
            "amount": pa.array(events.amounts[wanted], pa.float64()),
        },
        ACTION_SCHEMA,
    )


def _dates(days: Days) -> pa.Array:
    return pa.array(days, pa.date32())
