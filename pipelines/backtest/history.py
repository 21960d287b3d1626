"""The past of a warehouse build as arrays, and what was investable in it at each session."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.errors import RebalanceError
from pipelines.rebalance.arrays import Floats, Integers, Mask, Vector
from pipelines.rebalance.market.market import Instrument, Market
from pipelines.rebalance.policy import Policy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STALE_SESSIONS = 5
"""Sessions without a price after which a symbol is no longer bought, and sold at its last price."""


@dataclass(frozen=True)
class History:
    """Daily total returns of a build on its sessions, and what is known of its instruments.

    Attributes
    ----------
    source : where the data came from.
    sessions : (sessions,) dates, ascending, unit day.
    symbols : sorted names.
    log_return, simple_return : (sessions, symbols) since the symbol's row before; NaN where there
        is none.
    observed : (sessions, symbols) whether the symbol has a price.
    member : (sessions, symbols) whether its universe held it that day.
    instruments : by symbol; their class, reference weight and whether they can be traded are
        today's.
    """

    source: str
    sessions: npt.NDArray[np.datetime64]
    symbols: tuple[str, ...]
    log_return: Floats
    simple_return: Floats
    observed: Mask
    member: Mask
    instruments: Mapping[str, Instrument]

    @cached_property
    def moves(self) -> Integers:
        """Sessions so far on which the price moved, (sessions, symbols)."""
        moved = np.isfinite(self.simple_return) & (self.simple_return != 0)
        return np.cumsum(moved, axis=0)

    @cached_property
    def price_age(self) -> Integers:
        """Sessions since the last price, (sessions, symbols)."""
        rows = np.arange(len(self.sessions))[:, None]
        last = np.maximum.accumulate(np.where(self.observed, rows, -len(rows)), axis=0)
        return rows - last

    def investable(self, position: int, policy: Policy) -> Integers:
        """Return columns of what could be bought after a session, by what was known then."""
        tradable = np.array([self.instruments[symbol].tradable for symbol in self.symbols])
        return np.flatnonzero(
            tradable
            & self.member[position]
            & (self.price_age[position] < STALE_SESSIONS)
            & (self.moves[position] >= policy.minimum_history_sessions)
        )

    def market(self, position: int, columns: Integers, policy: Policy) -> Market:
        """Return the market of some columns as the engine would have seen it after a session.

        Returns are those of the last sessions on which all of them have one, as many as the engine
        ever looks at.
        """
        symbols = tuple(self.symbols[column] for column in columns)
        chosen = [self.instruments[symbol] for symbol in symbols]
        classes = tuple(sorted({each.asset_class for each in chosen}))
        membership = np.array(
            [[each.asset_class == name for each in chosen] for name in classes], dtype=np.float64
        )
        longest = max(policy.covariance_window_sessions, policy.long_run_window_sessions)
        returns = self.simple_return[: position + 1, columns]
        common = returns[np.isfinite(returns).all(axis=1)][-longest:]
        return Market(
            instruments={each.symbol: replace(each, is_member=True) for each in chosen},
            symbols=symbols,
            classes=classes,
            membership=membership,
            reference_weights=_reference(chosen),
            daily_returns=np.ascontiguousarray(common),
        )


def _reference(instruments: list[Instrument]) -> Vector:
    """Return reference weights of what is investable; equal ones where none has any."""
    weights = np.array([each.reference_weight for each in instruments])
    if not weights.sum() > 0:
        weights = np.ones(len(instruments))
    return weights / weights.sum()


def read_history(connection: "DuckDBPyConnection", source: str) -> History:
    """Read the marts ``instrument`` and ``price``, and the universe's memberships.

    Raises
    ------
    RebalanceError
        There is no return.
    """
    names = ", ".join(Instrument.__dataclass_fields__)
    rows = connection.execute(f"SELECT {names} FROM instrument ORDER BY symbol").fetchall()
    instruments = {row[0]: Instrument(*row) for row in rows}
    prices = connection.execute(
        "SELECT symbol, session_date, log_return_1d, simple_return_1d FROM price "
        "ORDER BY session_date, symbol"
    ).fetchnumpy()
    if not len(prices["symbol"]):
        raise RebalanceError(
            "prices", 0, "the build has none", "Run `smartinvest ingest` and `transform`."
        )
    spells = connection.execute(
        "SELECT symbol, member_from, member_until FROM staging.stg_universe"
    ).fetchnumpy()
    return make_history(source, instruments, prices, spells)


def make_history(
    source: str,
    instruments: Mapping[str, Instrument],
    prices: Mapping[str, npt.NDArray[np.generic]],
    spells: Mapping[str, npt.NDArray[np.generic]],
) -> History:
    """Align prices and memberships on common sessions; see :func:`read_history`.

    Without memberships every symbol is a member.
    """
    days = prices["session_date"].astype("datetime64[D]")
    sessions, row = np.unique(days, return_inverse=True)
    names, column = np.unique(prices["symbol"].astype(str), return_inverse=True)
    shape = len(sessions), len(names)
    observed = np.zeros(shape, np.bool_)
    observed[row, column] = True
    return History(
        source=source,
        sessions=sessions,
        symbols=tuple(names.tolist()),
        log_return=_dense(prices["log_return_1d"], row, column, shape),
        simple_return=_dense(prices["simple_return_1d"], row, column, shape),
        observed=observed,
        member=_members(spells, sessions, names),
        instruments=instruments,
    )


def _dense(
    values: npt.NDArray[np.generic], row: Integers, column: Integers, shape: tuple[int, int]
) -> Floats:
    dense = np.full(shape, np.nan)
    dense[row, column] = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
    return dense


def _members(
    spells: Mapping[str, npt.NDArray[np.generic]],
    sessions: npt.NDArray[np.datetime64],
    names: npt.NDArray[np.str_],
) -> Mask:
    shape = len(sessions), len(names)
    if not len(spells["symbol"]):
        return np.ones(shape, np.bool_)
    member = np.zeros(shape, np.bool_)
    position = {name: number for number, name in enumerate(names.tolist())}
    begins = np.ma.asarray(spells["member_from"]).astype("datetime64[D]")
    ends = np.ma.asarray(spells["member_until"]).astype("datetime64[D]")
    open_ended = np.ma.getmaskarray(ends) | np.isnat(np.ma.getdata(ends))
    for number, symbol in enumerate(spells["symbol"].astype(str).tolist()):
        if symbol in position:
            inside = sessions >= np.ma.getdata(begins)[number]
            inside &= open_ended[number] | (sessions <= np.ma.getdata(ends)[number])
            member[:, position[symbol]] |= inside
    return member
