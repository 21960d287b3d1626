"""A provider that spoils what another delivers, by plan, and knows what it spoiled."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.vocabulary import Arrival, Source
from pipelines.ingest.provider import ACTION_SCHEMA, PRICE_SCHEMA, Delivery, Problem, Provider
from pipelines.ingest.simulated.faults.fault import (
    Boundary,
    Fault,
    History,
    Truth,
)


@dataclass(frozen=True)
class Injection:
    """One fault at one place.

    Parameters
    ----------
    thing : symbol, or name of a macro series.
    day : session of the bar that is spoiled, or date of the observation; nothing for references.
    other : a symbol that it is mixed up with, where the fault mixes.
    """

    fault: Fault[Any]
    severity: float
    thing: str
    day: dt.date
    other: str = ""


class FaultyProvider:
    """Delivers what the inner provider does, spoiled as the injections say.

    A fault happens on its day: what is asked for up to an earlier day is clean. Nothing is
    random, and no call depends on another, so that processes may share the work.
    """

    def __init__(self, inner: Provider, injections: Sequence[Injection]) -> None:
        self._inner = inner
        self._of_symbol = {
            one.thing: one
            for one in injections
            if one.fault.boundary in (Boundary.PRICES, Boundary.ACTIONS)
        }
        self._of_table = {
            boundary: [one for one in injections if one.fault.boundary is boundary]
            for boundary in (Boundary.MACRO, Boundary.INSTRUMENTS, Boundary.UNIVERSE)
        }

    @property
    def source(self) -> Source:
        """The source of the inner provider."""
        return self._inner.source

    @property
    def arrival(self) -> Arrival:
        """The arrival of the inner provider."""
        return self._inner.arrival

    def first_session(self) -> dt.date:
        """Return the inner provider's first session."""
        return self._inner.first_session()

    def newest_session(self) -> dt.date:
        """Return the inner provider's newest session."""
        return self._inner.newest_session()

    def instruments(self) -> pa.Table:
        """Return the spoiled reference."""
        return self._spoiled_table(self._inner.instruments(), Boundary.INSTRUMENTS)[0]

    def universe(self) -> pa.Table:
        """Return the spoiled memberships."""
        return self._spoiled_table(self._inner.universe(), Boundary.UNIVERSE)[0]

    def batches(self, session: dt.date) -> list[tuple[str, ...]]:
        """Return the inner provider's batches."""
        return self._inner.batches(session)

    def deliver(self, symbols: Sequence[str], start: dt.date, end: dt.date) -> Delivery:
        """Return bars and actions, spoiled; a fault may add rows after ``end``."""
        clean = self._inner.deliver(symbols, start, end)
        spoiled = self._spoiled_symbols(symbols, end)
        if not spoiled:
            return clean
        histories = [history for history, _ in spoiled]
        names = [history.symbol for history in histories]
        bars, actions = [one.bars for one in histories], [one.actions for one in histories]
        return replace(
            clean,
            prices=_replaced(clean.prices, bars, start, names),
            actions=_replaced(clean.actions, actions, start, names),
        )

    def macro(self, start: dt.date, end: dt.date) -> tuple[pa.Table, tuple[Problem, ...]]:
        """Return the spoiled macro observations."""
        rows, problems = self._inner.macro(start, end)
        return self._spoiled_table(rows, Boundary.MACRO)[0], problems

    def truths(self, end: dt.date) -> dict[Injection, Truth]:
        """Return what is wrong in the deliveries up to a session."""
        found = {
            self._of_symbol[history.symbol]: truth
            for history, truth in self._spoiled_symbols(sorted(self._of_symbol), end)
        }
        tables = {
            Boundary.MACRO: self._inner.macro(self.first_session(), end)[0],
            Boundary.INSTRUMENTS: self._inner.instruments(),
            Boundary.UNIVERSE: self._inner.universe(),
        }
        for boundary, rows in tables.items():
            found |= self._spoiled_table(rows, boundary)[1]
        return found

    def _spoiled_symbols(self, symbols: Sequence[str], end: dt.date) -> list[tuple[History, Truth]]:
        mine = [self._of_symbol[name] for name in symbols if name in self._of_symbol]
        mine = [one for one in mine if one.day <= end]
        if not mine:
            return []
        needed = sorted({one.thing for one in mine} | {one.other for one in mine if one.other})
        whole = self._inner.deliver(needed, self.first_session(), end)
        bars, actions = _by_symbol(whole.prices), _by_symbol(whole.actions)
        nothing = ACTION_SCHEMA.empty_table().to_pandas()
        spoiled = []
        for one in mine:
            history = History(
                symbol=one.thing,
                bars=bars[one.thing],
                actions=actions.get(one.thing, nothing),
                other=bars.get(one.other, PRICE_SCHEMA.empty_table().to_pandas()),
            )
            at = int((history.bars["session_date"] < one.day).sum())
            spoiled.append(one.fault.spoil(history, at, one.severity))
        return spoiled

    def _spoiled_table(
        self, rows: pa.Table, boundary: Boundary
    ) -> tuple[pa.Table, dict[Injection, Truth]]:
        injections = self._of_table[boundary]
        frame = rows.to_pandas() if injections else pd.DataFrame()
        truths = {}
        for one in injections:
            if boundary is Boundary.MACRO:
                is_it = (frame["series_id"] == one.thing) & (frame["observation_date"] == one.day)
            else:
                is_it = frame["symbol"] == one.thing
            if is_it.any():
                frame, truths[one] = one.fault.spoil(
                    frame, int(is_it.to_numpy().argmax()), one.severity
                )
        if not injections:
            return rows, truths
        return pa.Table.from_pandas(frame, rows.schema, preserve_index=False, safe=False), truths


def _by_symbol(rows: pa.Table) -> dict[str, pd.DataFrame]:
    frames = rows.to_pandas().groupby("symbol", sort=False)
    return {str(symbol): frame.reset_index(drop=True) for symbol, frame in frames}


def _replaced(
    clean: pa.Table, spoiled: list[pd.DataFrame], start: dt.date, symbols: list[str]
) -> pa.Table:
    """Return the clean rows of other symbols, and the spoiled ones from start on."""
    others = clean.filter(pc.invert(pc.is_in(clean["symbol"], pa.array(symbols, pa.string()))))
    parts = [
        pa.Table.from_pandas(frame, clean.schema, preserve_index=False, safe=False)
        for frame in spoiled
    ]
    mine = pa.concat_tables([clean.slice(0, 0), *parts])
    mine = mine.filter(pc.field("session_date") >= pa.scalar(start, pa.date32()))
    return pa.concat_tables([others, mine])
