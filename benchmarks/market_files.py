"""A folder of made-up price files in the form in which Yahoo's are found everywhere.

One CSV file per symbol, oldest day first, six decimals, ``Date,Open,High,Low,Close,Adj Close,
Volume``. One row in ten thousand is spoilt, so that checks have something to find.

With actions, four symbols in five pay a dividend every 63 sessions (``actions.csv``), one in
twenty-five splits in two halfway, its prices as they traded, and the first symbol is the market
(``SPY``).
"""

import csv
import datetime as dt
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

LAST_SESSION = dt.date(2022, 12, 29)
NEXT_SESSION = dt.date(2022, 12, 30)
MARKET_SYMBOL = "SPY"
_SPOILT = 1e-4
_DAILY_VOLATILITY = 0.015
_NEXT_SEED = 20221230
_ACTIONS = "actions.csv"
_ACTION_HEADER = ("symbol", "date", "kind", "amount")
_QUARTER = 63
_YIELD = 0.004
_SPLIT_RATIO = 2

Floats = npt.NDArray[np.float64]


class Action(NamedTuple):
    """One line of ``actions.csv``."""

    symbol: str
    day: dt.date
    kind: str
    amount: float


def write_market(
    folder: Path, symbols: int, years: int, processes: int = 2, *, actions: bool = False
) -> int:
    """Write the files of a market up to ``LAST_SESSION``; return how many bars they have."""
    from pipelines.sessions import sessions_between

    folder.mkdir(parents=True)
    days = sessions_between(LAST_SESSION.replace(year=LAST_SESSION.year - years), LAST_SESSION)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        one = partial(_write_symbol, folder, days, actions)
        of_symbols = list(pool.map(one, range(symbols), chunksize=50))
    if actions:
        with (folder / _ACTIONS).open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [_ACTION_HEADER, *(row for rows in of_symbols for row in rows)]
            )
    return symbols * len(days)


def add_session(folder: Path) -> int:
    """Add a row for ``NEXT_SESSION`` at the end of every price file; return how many those were.

    It moves as the days before, since a copy of the last day would be rejected for one. In a
    market with actions those symbols pay a dividend whose quarter is over.
    """
    dice = np.random.default_rng(_NEXT_SEED)
    due = []
    paths = [folder / f"{symbol}.csv" for symbol in symbols_of(folder)]
    for path in paths:
        with path.open("rb+") as stream:
            stream.seek(-400, 2)
            last = stream.read().decode().splitlines()[-1].split(",")
            move = np.exp(dice.normal(0.0003, _DAILY_VOLATILITY))
            prices = (f"{float(price) * move:.6f}" for price in last[1:6])
            volume = str(dice.integers(1_000, 100_000_000))
            row = [NEXT_SESSION.isoformat(), *prices, volume, *last[7:]]
            stream.write(",".join(row).encode() + b"\n")
        number = _number_of(path.stem)
        if _pays(number) and number % _QUARTER == 0:
            due.append(Action(path.stem, NEXT_SESSION, "dividend", _dividend(float(last[4]))))
    if (folder / _ACTIONS).is_file():
        with (folder / _ACTIONS).open("a", newline="") as stream:
            csv.writer(stream).writerows(due)
    return len(paths)


def symbols_of(folder: Path) -> list[str]:
    """Return the symbols of a market's price files, in order."""
    return sorted(path.stem for path in folder.glob("*.csv") if path.name != _ACTIONS)


def _write_symbol(
    folder: Path, days: list[dt.date], with_actions: bool, number: int
) -> list[Action]:
    dice = np.random.default_rng(number)
    count = len(days)
    close = 50 * np.exp(np.cumsum(dice.normal(0.0003, _DAILY_VOLATILITY, count)))
    opened = close * np.exp(dice.normal(0, 0.004, count))
    high = np.maximum(opened, close) * np.exp(np.abs(dice.normal(0, 0.004, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(dice.normal(0, 0.004, count)))
    spoilt = dice.random(count) < _SPOILT
    high[spoilt] = low[spoilt] / 2
    volume = dice.integers(1_000, 100_000_000, count)
    if not with_actions:
        adjusted = close * 0.9
        _write(folder / f"S{number:05d}.csv", days, (opened, high, low, close, adjusted), volume)
        return []
    symbol = _symbol(number)
    is_split = number % 25 == 7
    split_at = count // 2 if is_split else count
    shares = np.where(np.arange(count) < split_at, 1, _SPLIT_RATIO)
    traded = tuple(prices / shares for prices in (opened, high, low, close))
    paid = _dividends(number, traded[-1])
    _write(
        folder / f"{symbol}.csv",
        days,
        (*traded, _back_adjusted(close / shares[-1], paid * shares / shares[-1])),
        volume,
        "as_traded" if is_split else None,
    )
    rows = [Action(symbol, days[at], "dividend", paid[at]) for at in np.flatnonzero(paid)]
    if is_split and count > 1:
        rows.append(Action(symbol, days[split_at], "split", _SPLIT_RATIO))
    return rows


def _write(
    path: Path,
    days: list[dt.date],
    prices: tuple[Floats, ...],
    volume: npt.NDArray[np.int64],
    basis: str | None = None,
) -> None:
    columns = {"Date": pa.array(days)}
    names = ("Open", "High", "Low", "Close", "Adj Close")
    columns |= {name: np.round(values, 6) for name, values in zip(names, prices, strict=True)}
    columns["Volume"] = volume
    if basis is not None:
        columns["Price Basis"] = pa.array([basis] * len(days))
    with path.open("wb") as stream:
        stream.write(",".join(columns).encode() + b"\n")
        options = pacsv.WriteOptions(include_header=False, quoting_style="none")
        pacsv.write_csv(pa.table(columns), stream, options)


def _dividends(number: int, close: Floats) -> Floats:
    """Return what each day pays per share: every 63rd does, counted from the session to come."""
    paid = np.zeros(len(close))
    if _pays(number):
        for at in range(1, len(close)):
            if (len(close) - at) % _QUARTER == number % _QUARTER:
                paid[at] = _dividend(close[at - 1])
    return paid


def _dividend(close_before: float) -> float:
    return round(_YIELD * close_before, 4)


def _pays(number: int) -> bool:
    return number % 5 != 4


def _back_adjusted(close: Floats, paid: Floats) -> Floats:
    """Return closes less what was paid after each day, as Yahoo's adjusted closes are."""
    factor = np.ones(len(close))
    factor[:-1] = np.cumprod((1 - paid[1:] / close[:-1])[::-1])[::-1]
    return close * factor


def _symbol(number: int) -> str:
    return f"S{number:05d}" if number else MARKET_SYMBOL


def _number_of(symbol: str) -> int:
    return 0 if symbol == MARKET_SYMBOL else int(symbol[1:])
