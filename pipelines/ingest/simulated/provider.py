"""The provider of the ``simulated`` source: what it makes up, in the form that all sources have."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from models.vocabulary import ActionKind, Arrival, AssetClass, PriceBasis, Source
from pipelines.ingest.provider import (
    ACTION_SCHEMA,
    INSTRUMENT_SCHEMA,
    PRICE_SCHEMA,
    UNIVERSE_SCHEMA,
    Delivery,
    Problem,
)
from pipelines.ingest.simulated.bars import Bars, bars
from pipelines.ingest.simulated.instruments import Instrument, instrument
from pipelines.ingest.simulated.macro import macro_rows
from pipelines.ingest.simulated.timeline import LAST_SESSION, Truths, timeline
from pipelines.ingest.simulated.universe import memberships

BATCH_SYMBOLS = 100
"""Symbols that are made at once: about a hundred megabytes for 25 years."""

_ORIGIN = "simulated market; no real instrument, price or issuer"


class SimulatedProvider:
    """A market of ``symbols`` instruments over ``years`` years up to ``LAST_SESSION``.

    An instrument's numbers hang on nothing but its own: neither on how many others there are nor
    on how far back the market goes. Instruments that had gone before it begins are left out.
    """

    source = Source.SIMULATED
    arrival = Arrival.BULK

    def __init__(self, symbols: int, years: int) -> None:
        self._first = timeline().position(LAST_SESSION.replace(year=LAST_SESSION.year - years))
        begin = self.first_session()
        every = (instrument(number) for number in range(symbols))
        self._instruments = {one.symbol: one for one in every if one.last_session >= begin}

    def first_session(self) -> dt.date:
        """Return the first session of the years asked for."""
        return timeline().day(self._first)

    def newest_session(self) -> dt.date:
        """Return the last session of the timeline."""
        return LAST_SESSION

    def instruments(self) -> pa.Table:
        """Return all instruments; those that can be held share the reference portfolio equally."""
        weight = 1 / max(sum(one.is_tradable for one in self._instruments.values()), 1)
        rows = [
            {
                "symbol": one.symbol,
                "name": one.name,
                "asset_class": one.asset_class.value,
                "currency": "USD",
                "expense_ratio_bps": 0 if one.is_stock or not one.is_tradable else 5,
                "substitute_group": one.symbol,
                "reference_weight": weight if one.is_tradable else 0.0,
                "tradable": one.is_tradable,
                "first_session": max(one.first_session, self.first_session()),
            }
            for one in self._instruments.values()
        ]
        return pa.Table.from_pylist(rows, schema=INSTRUMENT_SCHEMA)

    def universe(self) -> pa.Table:
        """Return who was in the simulated index when: late entries, exits and some returns."""
        rows = memberships(self._instruments.values(), self.first_session())
        return pa.Table.from_pylist(rows, schema=UNIVERSE_SCHEMA)

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return the symbols in groups that fit into memory."""
        symbols = list(self._instruments)
        return [
            tuple(symbols[start : start + BATCH_SYMBOLS])
            for start in range(0, len(symbols), BATCH_SYMBOLS)
        ]

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return as-traded bars, dividends and splits of some symbols from start to end."""
        known = {
            symbol: self._instruments[symbol] for symbol in symbols if symbol in self._instruments
        }
        problems = tuple(_unknown(symbol) for symbol in symbols if symbol not in known)
        begin = max(timeline().position(start), self._first)
        stop = timeline().position(end + dt.timedelta(days=1))
        if not known or begin >= stop:
            return _nothing(problems)
        # One session more, since returns and dividends are relative to the close before.
        whole = bars(list(known.values()), begin - 1)
        columns = slice(1, 1 + stop - begin)
        is_alive = _alive(list(known.values()), begin, stop)
        return Delivery(
            prices=_prices(list(known), whole, columns, begin, is_alive),
            actions=_actions(list(known.values()), whole, columns, begin, is_alive),
            problems=problems,
            origin=_ORIGIN,
        )

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return the releases until the end of ``end`` about periods from start on."""
        return macro_rows(start, end), ()


def _unknown(symbol: str) -> Problem:
    return Problem(
        symbol,
        "the simulated market has no such symbol",
        "Simulated symbols go from SIM0000 up to SMARTINVEST_SIMULATED_SYMBOLS of them.",
    )


def _nothing(problems: tuple[Problem, ...]) -> Delivery:
    return Delivery(PRICE_SCHEMA.empty_table(), ACTION_SCHEMA.empty_table(), problems, _ORIGIN)


def _alive(instruments: Sequence[Instrument], begin: int, stop: int) -> Truths:
    days = timeline().sessions[begin:stop]
    first = np.array([[one.first_session] for one in instruments], dtype="datetime64[D]")
    last = np.array([[one.last_session] for one in instruments], dtype="datetime64[D]")
    return np.asarray((days >= first) & (days <= last))


def _prices(
    symbols: list[str], whole: Bars, columns: slice, begin: int, is_alive: Truths
) -> pa.Table:
    row, column = np.nonzero(is_alive)
    values = {
        name: pa.array(getattr(whole, name)[:, columns][is_alive])
        for name in ("open", "high", "low", "close", "volume")
    }
    returns = whole.adjusted_return[:, columns].copy()
    returns[is_alive & (np.cumsum(is_alive, axis=1) == 1) & _is_listing(is_alive)] = np.nan
    values["adjusted_return_1d"] = pa.array(returns[is_alive], from_pandas=True)
    basis = pa.repeat(pa.scalar(PriceBasis.AS_TRADED.value), len(row))
    return _table(symbols, row, begin + column, values | {"price_basis": basis}, PRICE_SCHEMA)


def _is_listing(is_alive: Truths) -> Truths:
    """Mark the rows of instruments that begin inside the dates asked for."""
    return np.asarray(~is_alive[:, :1])


def _actions(
    instruments: Sequence[Instrument], whole: Bars, columns: slice, begin: int, is_alive: Truths
) -> pa.Table:
    symbols = [one.symbol for one in instruments]
    # A right that is detached on the first session was never anybody's.
    entitled = is_alive & ~((np.cumsum(is_alive, axis=1) == 1) & _is_listing(is_alive))
    dividends = np.where(entitled, whole.dividends[:, columns], 0.0)
    ratios = np.where(entitled, whole.ratios[:, columns], 1.0)
    is_factor = np.array([[one.asset_class is AssetClass.FACTOR] for one in instruments])
    is_december = timeline().month[begin : begin + is_alive.shape[1]] == 12
    parts = []
    for kind, amounts, wanted in (
        (ActionKind.CAPITAL_GAIN, dividends, (dividends > 0) & is_factor & is_december),
        (ActionKind.DIVIDEND, dividends, (dividends > 0) & ~(is_factor & is_december)),
        (ActionKind.SPLIT, ratios, ratios != 1),
    ):
        row, column = np.nonzero(wanted)
        values = {
            "kind": pa.repeat(pa.scalar(kind.value), len(row)),
            "amount": pa.array(amounts[wanted]),
        }
        parts.append(_table(symbols, row, begin + column, values, ACTION_SCHEMA))
    return pa.concat_tables(parts).sort_by(
        [("symbol", "ascending"), ("session_date", "ascending"), ("kind", "ascending")]
    )


def _table(
    symbols: list[str],
    row: np.ndarray,
    position: np.ndarray,
    values: dict[str, pa.Array],
    schema: pa.Schema,
) -> pa.Table:
    keys = {
        "symbol": pa.array(symbols).take(pa.array(row)),
        "session_date": pa.array(timeline().sessions[position]),
    }
    return pa.table(keys | values).select(schema.names).cast(schema)
