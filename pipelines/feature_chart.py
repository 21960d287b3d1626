"""A picture of one symbol's features, as the marts hold them, for whoever would rather look."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.errors import WarehouseError
from pipelines.warehouse.duckdb import connect

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = dict[str, npt.NDArray]

_ROWS = """
    select
        features.session_date,
        price.total_return_close as close,
        price.total_return_close / features.close as to_last_terms,
        features.sma_50,
        features.sma_200,
        features.bollinger_z_20,
        features.bollinger_width_20,
        features.rsi_14,
        features.macd_12_26,
        features.macd_histogram_12_26_9,
        features.vol_21d_annual,
        features.vol_63d_annual,
        features.vol_252d_annual,
        features.drawdown_252d
    from features
    inner join price using (symbol, session_date)
    where symbol = $symbol
    order by session_date desc
    limit $sessions
"""
_CLOSE, _FAST, _SLOW, _FALL = "#222222", "#1b6ca8", "#e08214", "#c0392b"
_BAND = 2
"""Standard deviations between the mean and each Bollinger band."""


def draw_chart(warehouse: Path, symbol: str, sessions: int, path: Path) -> Path:
    """Draw close, averages, Bollinger bands, RSI, MACD, volatility and drawdown into one PNG.

    Prices, and MACD with them, are total-return adjusted, in terms of the symbol's last session.

    Parameters
    ----------
    warehouse : a ``warehouse.duckdb`` or a folder with one.
    sessions : how many of the symbol's newest sessions to draw.
    path : where the picture goes; its folder is made.

    Raises
    ------
    WarehouseError
        There is no such warehouse, or it knows no bar of the symbol.
    """
    values = _read(warehouse, symbol, sessions)

    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(11, 12), layout="constrained")
        axes = figure.subplots(5, 1, sharex=True, height_ratios=[3, 1, 1, 1, 1])
        drawers = (_draw_prices, _draw_rsi, _draw_macd, _draw_volatility, _draw_drawdown)
        for axis, draw in zip(axes, drawers, strict=True):
            draw(axis, values)
            axis.margins(x=0.01)
            if axis.get_legend_handles_labels()[0]:
                above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0}
                axis.legend(ncols=4, fontsize=8, frameon=False, **above)
        first, last = values["session_date"][[0, -1]].astype("datetime64[D]")
        figure.suptitle(f"{symbol}, {first} to {last}")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    return path


def bollinger_bands(
    close: npt.NDArray, z: npt.NDArray, width: npt.NDArray
) -> tuple[npt.NDArray, npt.NDArray]:
    """Return the lower and the upper band, two deviations from the mean, in the close's unit.

    Parameters
    ----------
    z : the close's distance from the mean, in standard deviations (``bollinger_z_20``).
    width : from band to band, as a fraction of the mean (``bollinger_width_20``).
    """
    deviation = width / (2 * _BAND)
    mean = close / (1 + z * deviation)
    return mean * (1 - _BAND * deviation), mean * (1 + _BAND * deviation)


def _read(warehouse: Path, symbol: str, sessions: int) -> Values:
    with connect(warehouse) as connection:
        rows = connection.execute(_ROWS, {"symbol": symbol, "sessions": sessions}).fetchnumpy()
    if not len(rows["session_date"]):
        raise WarehouseError(
            "symbol",
            symbol,
            f"{warehouse} has no bar of it",
            "List the symbols with `select symbol from instrument where session_count > 0`.",
        )
    return {
        name: np.ma.filled(values, np.nan)[::-1] if name != "session_date" else values[::-1]
        for name, values in rows.items()
    }


def _draw_prices(axis: "Axes", values: Values) -> None:
    days, close = values["session_date"], values["close"]
    lower, upper = bollinger_bands(close, values["bollinger_z_20"], values["bollinger_width_20"])
    axis.fill_between(
        days,
        lower,
        upper,
        color=_FAST,
        alpha=0.15,
        lw=0,
        label=f"Bollinger band (20, {_BAND})",
    )
    axis.plot(days, close, color=_CLOSE, lw=0.9, label="close")
    for span, colour in ((50, _FAST), (200, _SLOW)):
        average = values[f"sma_{span}"] * values["to_last_terms"]
        axis.plot(days, average, color=colour, lw=1.1, label=f"SMA {span}")
    axis.set_ylabel("USD per share, total return")


def _draw_rsi(axis: "Axes", values: Values) -> None:
    axis.plot(values["session_date"], values["rsi_14"], color=_FAST, lw=0.9)
    for level in (30, 70):
        axis.axhline(level, color=_FALL, lw=0.7, ls="--")
    axis.set_ylim(0, 100)
    axis.set_ylabel("RSI 14")


def _draw_macd(axis: "Axes", values: Values) -> None:
    days, terms = values["session_date"], values["to_last_terms"]
    macd = values["macd_12_26"] * terms
    histogram = values["macd_histogram_12_26_9"] * terms
    rises = np.nan_to_num(histogram) >= 0
    axis.vlines(
        days, 0, histogram, colors=np.where(rises, _FAST, _FALL).tolist(), lw=0.8, alpha=0.5
    )
    axis.plot(days, macd, color=_CLOSE, lw=0.9, label="MACD 12, 26")
    axis.plot(days, macd - histogram, color=_SLOW, lw=0.9, label="signal 9")
    axis.set_ylabel("MACD, USD")


def _draw_volatility(axis: "Axes", values: Values) -> None:
    for span, colour in ((21, _FAST), (63, _SLOW), (252, _CLOSE)):
        volatility = 100 * values[f"vol_{span}d_annual"]
        axis.plot(
            values["session_date"], volatility, color=colour, lw=0.9, label=f"{span} sessions"
        )
    axis.set_ylim(bottom=0)
    axis.set_ylabel("volatility, % a year")


def _draw_drawdown(axis: "Axes", values: Values) -> None:
    drawdown = 100 * values["drawdown_252d"]
    axis.fill_between(values["session_date"], drawdown, 0, color=_FALL, alpha=0.35, lw=0)
    axis.set_ylabel("drawdown of 252\nsessions, %")
