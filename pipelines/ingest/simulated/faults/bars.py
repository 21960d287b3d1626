# ruff: noqa: ARG001 - a fault need not use all that its signature offers
"""Faults of single bars: wrong prices, impossible bars, wrong volumes."""

import math

from pipelines.ingest.simulated.faults.fault import (
    MATTERS,
    PRICES,
    Boundary,
    History,
    Spoil,
    SymbolFault,
    Truth,
    believed,
    changed,
    scaled,
)

_ERRORS = (0.005, 0.01, MATTERS, 0.05, 0.1, 0.25, 0.5)
_UNIT = "relative error of the price"


def _sign(at: int) -> int:
    """Return a direction that is up as often as down."""
    return 1 if at % 2 else -1


def _bad_tick(history: History, at: int, severity: float) -> tuple[History, Truth]:
    close = round(history.close(at) * (1 + _sign(at) * severity), 2)
    spoiled = history.with_bars(changed(history.bars, at, close=close))
    return believed(spoiled), history.truth(at, at, "the close alone is wrong")


def _bad_bar(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bars = scaled(history.bars, slice(at, at + 1), 1 + _sign(at) * severity)
    return believed(history.with_bars(bars)), history.truth(at, at, "all four prices are wrong")


def _bad_bar_adjusted_right(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bars = scaled(history.bars, slice(at, at + 1), 1 + _sign(at) * severity)
    how = "all four prices are wrong; the source's adjusted close is right"
    return history.with_bars(bars), history.truth(at, at, how)


def _multiplied(factor: float, how: str) -> Spoil:
    def spoil(history: History, at: int, severity: float) -> tuple[History, Truth]:
        bars = scaled(history.bars, slice(at, at + 1), factor)
        return believed(history.with_bars(bars)), history.truth(at, at, how)

    return spoil


def _digits_swapped(history: History, at: int, severity: float) -> tuple[History, Truth]:
    """Exchange the first two different digits next to each other, as in 63.10 and 36.10."""
    bars = history.bars
    text = f"{history.close(at):.2f}"
    pairs = [
        i for i in range(len(text) - 1) if text[i : i + 2].isdigit() and text[i] != text[i + 1]
    ]
    first = pairs[0] if pairs else 0
    swapped = (
        float(text[:first] + text[first + 1] + text[first] + text[first + 2 :]) if pairs else 0
    )
    spoiled = history.with_bars(changed(bars, at, close=swapped))
    return believed(spoiled), history.truth(at, at, "two digits of the close are exchanged")


def _with_values(how: str, **values: float | None) -> Spoil:
    def spoil(history: History, at: int, severity: float) -> tuple[History, Truth]:
        spoiled = history.with_bars(changed(history.bars, at, **values))
        return believed(spoiled), history.truth(at, at, how)

    return spoil


def _high_below_low(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bar = history.bars.iloc[at]
    spread = max(bar["high"] - bar["low"], 0.01)
    bars = changed(history.bars, at, high=bar["low"], low=bar["low"] + spread)
    return history.with_bars(bars), history.truth(at, at, "high and low are exchanged")


def _outside_range(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bar = history.bars.iloc[at]
    high = min(bar["high"], bar["close"] * (1 - severity))
    bars = changed(history.bars, at, high=high, low=min(bar["low"], high), open=high)
    return history.with_bars(bars), history.truth(at, at, "the close lies above the high")


def _columns_swapped(history: History, at: int, severity: float) -> tuple[History, Truth]:
    bar = history.bars.iloc[at]
    bars = changed(history.bars, at, close=bar["volume"], volume=bar["close"])
    spoiled = believed(history.with_bars(bars))
    return spoiled, history.truth(at, at, "close and volume stand in each other's column")


def _volume_wrapped(history: History, at: int, severity: float) -> tuple[History, Truth]:
    volume = history.bars["volume"].iloc[at] - 2.0**32
    bars = changed(history.bars, at, volume=volume)
    return history.with_bars(bars), history.truth(at, at, "the volume wrapped around 32 bits")


def _volume_times(history: History, at: int, severity: float) -> tuple[History, Truth]:
    volume = max(history.bars["volume"].iloc[at], 1.0) * severity
    bars = changed(history.bars, at, volume=volume)
    return history.with_bars(bars), history.truth(
        at, at, "the volume is a multiple of the true one"
    )


def _other_symbols_bar(history: History, at: int, severity: float) -> tuple[History, Truth]:
    day = history.day(at)
    theirs = history.other[history.other["session_date"] == day].iloc[0]
    values = {name: float(theirs[name]) for name in (*PRICES, "volume")}
    spoiled = history.with_bars(changed(history.bars, at, **values))
    return believed(spoiled), history.truth(at, at, "the bar is another symbol's")


_P = Boundary.PRICES
BAR_FAULTS = (
    SymbolFault("bad_tick", _P, "one close is wrong", _bad_tick, _ERRORS, _UNIT, MATTERS),
    SymbolFault(
        "bad_bar",
        _P,
        "one whole bar lies at another level, and the source's adjusted close with it",
        _bad_bar,
        _ERRORS,
        _UNIT,
        MATTERS,
    ),
    SymbolFault(
        "bad_bar_adjusted_right",
        _P,
        "one whole bar lies at another level, the source's adjusted close does not",
        _bad_bar_adjusted_right,
        _ERRORS,
        _UNIT,
        MATTERS,
    ),
    SymbolFault("unit_100x", _P, "prices in cents", _multiplied(100, "prices are in cents")),
    SymbolFault(
        "unit_hundredth", _P, "prices in hundreds", _multiplied(0.01, "prices are in hundreds")
    ),
    SymbolFault("digits_swapped", _P, "two digits of a close exchanged", _digits_swapped),
    SymbolFault("zero_price", _P, "a close of zero", _with_values("the close is zero", close=0.0)),
    SymbolFault(
        "negative_price", _P, "a close below zero", _with_values("it is negative", close=-5.0)
    ),
    SymbolFault("close_missing", _P, "a bar without a close", _with_values("no close", close=None)),
    SymbolFault(
        "close_infinite", _P, "a close that is no number", _with_values("infinite", close=math.inf)
    ),
    SymbolFault("high_below_low", _P, "high and low exchanged", _high_below_low),
    SymbolFault(
        "close_outside_range",
        _P,
        "a close above the high",
        _outside_range,
        (0.001, 0.005, MATTERS, 0.1),
        "distance from the high over the close",
        MATTERS,
    ),
    SymbolFault("columns_swapped", _P, "close and volume exchanged", _columns_swapped),
    SymbolFault("other_symbols_bar", _P, "another symbol's bar", _other_symbols_bar),
    SymbolFault("volume_wrapped", _P, "volume below zero after an overflow", _volume_wrapped),
    SymbolFault(
        "volume_overflow",
        _P,
        "volume many times the true one",
        _volume_times,
        (10, 100, 1e4, 1e6, 1e12),
        "times the true volume",
        1e4,
    ),
)
