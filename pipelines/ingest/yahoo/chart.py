"""Yahoo's chart answer for one symbol, read into bars and events with their own dates.

yfinance's parsers do the reading. Its ``history()`` would go on to join events to bars, which moves
an event whose day has no bar to the bar before, keeps the first of two different bars of one day,
and turns a missing volume into zero; none of these can be told afterwards.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from yfinance import utils

BAR_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume")
_MINOR_UNITS = {"GBp": ("GBP", 0.01), "ZAc": ("ZAR", 0.01), "ILA": ("ILS", 0.01)}
"""Yahoo's names for a hundredth of a currency, from ``yfinance.scrapers.history``."""

# yfinance 1.7 calls pandas in a way that pandas 3 deprecates, and switches the warnings on.
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"^yfinance")

Days = npt.NDArray[np.datetime64]


class MalformedAnswer(Exception):  # noqa: N818
    """The answer is no chart of daily bars of the symbol that was asked for."""


@dataclass(frozen=True)
class Events:
    """One kind of events: their dates, ascending and each once, and an amount for each."""

    days: Days
    amounts: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Chart:
    """What Yahoo says of one symbol, in whole units of ``currency``.

    ``bars`` has ``BAR_COLUMNS`` and one row per row of the answer, ascending, with the exchange's
    dates in ``days``; prices and volumes are adjusted for the splits that Yahoo applied.
    """

    symbol: str
    currency: str
    days: Days
    bars: pd.DataFrame
    splits: Events
    dividends: Events
    capital_gains: Events


def read_chart(symbol: str, answer: Any) -> Chart:
    """Read the JSON of ``/v8/finance/chart``.

    Raises
    ------
    MalformedAnswer
        A part is missing or of another length, or it speaks of another symbol or bar length.
    """
    try:
        result = answer["chart"]["result"][0]
        meta = result["meta"]
        _require(meta, "symbol", symbol)
        _require(meta, "dataGranularity", "1d")
        currency, unit = _MINOR_UNITS.get(meta["currency"], (meta["currency"], 1.0))
        quotes = utils.parse_quotes(_with_bars(result))[list(BAR_COLUMNS)].astype("float64")
        dividends, splits, gains = utils.parse_actions(result)
        zone = meta["exchangeTimezoneName"]
        quotes[["Open", "High", "Low", "Close", "Adj Close"]] *= unit
        return Chart(
            symbol=symbol,
            currency=str(currency),
            days=_days(quotes, zone),
            bars=quotes.reset_index(drop=True),
            splits=_events(splits, "Stock Splits", zone, np.multiply),
            dividends=_events(_in(currency, meta["currency"], unit, dividends), "Dividends", zone),
            capital_gains=_events(gains * unit, "Capital Gains", zone),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise MalformedAnswer(f"{type(error).__name__}: {error}") from None


def _require(meta: Mapping[str, Any], name: str, value: str) -> None:
    if meta[name] != value:
        raise MalformedAnswer(f"it is about {name} {meta[name]!r} instead of {value!r}")


def _with_bars(result: dict[str, Any]) -> dict[str, Any]:
    """Give a chart without any bar the empty lists that yfinance's parser expects."""
    quote = result["indicators"]["quote"][0]
    if result.get("timestamp") or quote:
        return result
    nothing: dict[str, list[float]] = {
        name: [] for name in ("open", "high", "low", "close", "volume")
    }
    return result | {"timestamp": [], "indicators": {"quote": [nothing]}}


def _days(frame: pd.DataFrame, zone: str) -> Days:
    local = utils.fix_Yahoo_dst_issue(utils.set_df_tz(frame.copy(), "1d", zone), "1d").index
    return np.asarray(local.tz_localize(None).to_numpy(), dtype="datetime64[D]")


def _in(currency: str, quoted: str, unit: float, dividends: pd.DataFrame) -> pd.DataFrame:
    """Bring dividends to whole units; Yahoo names the currency of some, in whole units or not.

    Raises
    ------
    MalformedAnswer
        One is paid in another currency than the prices are in; nobody tells at what rate.
    """
    if "currency" not in dividends.columns:
        return dividends * unit
    units = {"": unit, quoted: unit} | {currency: 1.0}
    named = dividends["currency"].fillna("")
    foreign = sorted(set(named) - set(units))
    if foreign:
        raise MalformedAnswer(f"it has dividends in {foreign[0]}, and prices in {quoted}")
    return dividends[["Dividends"]].mul(named.map(units), axis="index")


def _events(frame: pd.DataFrame, column: str, zone: str, together: np.ufunc = np.add) -> Events:
    """Bring events to one per day: several cash amounts add up, several ratios multiply."""
    days = _days(frame, zone)
    amounts = frame[column].to_numpy(dtype=np.float64)
    distinct, starts = np.unique(days, return_index=True)
    if len(distinct):
        amounts = together.reduceat(amounts, starts)
    return Events(distinct, amounts)
