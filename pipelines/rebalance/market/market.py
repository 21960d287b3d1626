"""The market at a session: what may be bought, at what price, and how it moved."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.errors import RebalanceError
from pipelines.rebalance.arrays import Matrix, Vector
from pipelines.rebalance.policy import Policy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Instrument:
    """An instrument as its source describes it, with its last accepted close (None if none).

    ``is_member`` says whether it may be bought: one that left its universe may only be sold.
    """

    symbol: str
    source: str
    name: str
    asset_class: str
    currency: str
    expense_ratio_bps: int
    substitute_group: str
    reference_weight: float
    tradable: bool
    is_member: bool
    price_micros: int | None
    price_session_date: dt.date | None
    price_is_fresh: bool


@dataclass(frozen=True)
class Market:
    """The symbols that may be traded, in symbol order, and everything aligned to them.

    Attributes
    ----------
    instruments : every instrument by symbol, also those that may not be traded.
    symbols : tradable, freshly priced, with enough sessions on which the price moved. Those that
        are no members may only be sold; they are here for the accounts that hold them.
    classes : their asset classes, sorted, each once.
    membership : (classes, symbols), 1 where a symbol belongs to a class.
    reference_weights : (symbols,), summing to 1; 0 for what may only be sold.
    daily_returns : (sessions, symbols), oldest first; sessions on which every symbol has a
        simple return.
    """

    instruments: Mapping[str, Instrument]
    symbols: tuple[str, ...]
    classes: tuple[str, ...]
    membership: Matrix
    reference_weights: Vector
    daily_returns: Matrix

    @property
    def price_micros(self) -> list[int]:
        """Last accepted closes of ``symbols``, micros of USD per share."""
        return [self.instruments[symbol].price_micros or 0 for symbol in self.symbols]


def read_market(connection: "DuckDBPyConnection", policy: Policy) -> Market:
    """Read the marts ``instrument`` and ``price`` of a warehouse build.

    Prices are as traded; returns are total returns.

    Raises
    ------
    RebalanceError
        No instrument may be bought, or their reference weights are all zero.
    """
    names = ", ".join(Instrument.__dataclass_fields__)
    rows = connection.execute(f"SELECT {names} FROM instrument ORDER BY symbol").fetchall()
    instruments = {row[0]: Instrument(*row) for row in rows}
    history = connection.execute(
        """
        SELECT symbol, session_date, simple_return_1d FROM price
        WHERE simple_return_1d IS NOT NULL ORDER BY session_date, symbol
        """
    ).fetchnumpy()
    return make_market(instruments, history, policy)


def make_market(
    instruments: Mapping[str, Instrument],
    history: Mapping[str, npt.NDArray[np.generic]],
    policy: Policy,
) -> Market:
    """Align instruments and their returns; see :func:`read_market`.

    ``history`` holds ``symbol``, ``session_date`` and ``simple_return_1d``, one entry per return,
    sorted by session and symbol.
    """
    moves = history["symbol"][np.asarray(history["simple_return_1d"], dtype=np.float64) != 0]
    counts = dict(zip(*np.unique(moves, return_counts=True), strict=True))
    symbols = tuple(
        symbol
        for symbol, instrument in sorted(instruments.items())
        if instrument.tradable
        and instrument.price_is_fresh
        and counts.get(symbol, 0) >= policy.minimum_history_sessions
    )
    if not any(instruments[symbol].is_member for symbol in symbols):
        raise RebalanceError(
            "instruments that may be bought",
            0,
            f"none of {len(instruments)} is a tradable member with a fresh price and "
            f"{policy.minimum_history_sessions} returns that are not zero",
            "Look at the instrument mart and at `smartinvest quarantine list`.",
        )
    classes = tuple(sorted({instruments[symbol].asset_class for symbol in symbols}))
    can_buy = [instruments[symbol] for symbol in symbols if instruments[symbol].is_member]
    if not any(each.asset_class in policy.safe_classes for each in can_buy):
        logger.warning(
            "no bond is on offer: what clients should not put at risk stays in their cash"
        )
    membership = np.array(
        [[instruments[symbol].asset_class == name for symbol in symbols] for name in classes],
        dtype=np.float64,
    )
    reference = np.array(
        [
            instruments[symbol].reference_weight if instruments[symbol].is_member else 0.0
            for symbol in symbols
        ]
    )
    if not reference.sum() > 0:
        raise RebalanceError(
            "reference weights",
            reference.tolist(),
            "the prior needs a reference portfolio",
            "Give the source's tradable instruments a positive reference_weight.",
        )
    return Market(
        instruments=instruments,
        symbols=symbols,
        classes=classes,
        membership=membership,
        reference_weights=reference / reference.sum(),
        daily_returns=_common_returns(history, symbols),
    )


def _common_returns(
    history: Mapping[str, npt.NDArray[np.generic]], symbols: tuple[str, ...]
) -> Matrix:
    sessions, rows = np.unique(history["session_date"], return_inverse=True)
    position = {symbol: column for column, symbol in enumerate(symbols)}
    columns = np.array([position.get(str(symbol), -1) for symbol in history["symbol"]])
    panel = np.full((len(sessions), len(symbols)), np.nan)
    wanted = columns >= 0
    values = np.asarray(history["simple_return_1d"], dtype=np.float64)
    panel[rows[wanted], columns[wanted]] = values[wanted]
    return np.ascontiguousarray(panel[np.isfinite(panel).all(axis=1)])
