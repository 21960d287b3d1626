# ruff: noqa: ARG001 - a fault need not use all that its signature offers
"""Faults of splits and dividends.

Each makes an action happen to as-traded prices at a position, and then delivers it wrongly. Where
nothing else is said, the source's adjusted returns know the truth.
"""

from models.vocabulary import ActionKind
from pipelines.ingest.simulated.faults.fault import (
    MATTERS,
    Boundary,
    History,
    SymbolFault,
    Truth,
    believed,
    gone_ex,
)

_RATIOS = (1.02, 1.05, 1.1, 1.25, 1.5, 2, 4, 10)
_RATIO = "new shares per old share"
_YIELDS = (0.005, 0.01, MATTERS, 0.05, 0.1)
_YIELD = "dividend over price"
_SMALLEST = 1 + MATTERS


def _split(history: History, at: int, ratio: float) -> History:
    """Return a history in which a split happened, not yet told of as an action."""
    split = gone_ex(history, at, 1 / ratio)
    volume = split.bars["volume"].copy()
    volume.iloc[at:] = (volume.iloc[at:] * ratio).round()
    return split.with_bars(split.bars.assign(volume=volume))


def _split_lost(history: History, at: int, severity: float) -> tuple[History, Truth]:
    truth = history.truth(at, at, "the split is not among the actions")
    return _split(history, at, severity), truth


def _split_unadjusted(history: History, at: int, severity: float) -> tuple[History, Truth]:
    truth = history.truth(at, at, "neither the actions nor the adjusted closes know the split")
    return believed(_split(history, at, severity)), truth


def _split_doubled(history: History, at: int, severity: float) -> tuple[History, Truth]:
    split = _split(history, at, severity).with_action(at, ActionKind.SPLIT, severity)
    doubled = split.with_action(min(at + 1, len(split.bars) - 1), ActionKind.SPLIT, severity)
    return doubled, history.truth(at + 1, at + 1, "the split is told of twice")


def _split_applied_twice(history: History, at: int, severity: float) -> tuple[History, Truth]:
    split = _split(_split(history, at, severity), at, severity)
    told = split.with_action(at, ActionKind.SPLIT, severity)
    return told, history.truth(at, at, "prices were divided by the split twice")


def _split_inverted(history: History, at: int, severity: float) -> tuple[History, Truth]:
    told = _split(history, at, severity).with_action(at, ActionKind.SPLIT, round(1 / severity, 6))
    return told, history.truth(at, at, "the split's ratio is upside down")


def _split_late(history: History, at: int, severity: float) -> tuple[History, Truth]:
    later = min(at + int(severity), len(history.bars) - 1)
    told = _split(history, at, 2.0).with_action(later, ActionKind.SPLIT, 2.0)
    return told, history.truth(at, later, "the split is told of under a later date")


def _split_phantom(history: History, at: int, severity: float) -> tuple[History, Truth]:
    told = history.with_action(at, ActionKind.SPLIT, severity)
    return told, history.truth(at, at, "there was no split")


def _split_zero(history: History, at: int, severity: float) -> tuple[History, Truth]:
    told = history.with_action(at, ActionKind.SPLIT, 0.0)
    return told, history.truth(at, at, "the split's ratio is zero")


def _dividend(history: History, at: int, share: float) -> tuple[History, float]:
    """Return a history in which a share of the price was paid, and the amount in USD."""
    amount = round(history.close(at - 1) * share, 4)
    return gone_ex(history, at, 1 - share), amount


def _dividend_lost(history: History, at: int, severity: float) -> tuple[History, Truth]:
    paid, _ = _dividend(history, at, severity)
    return paid, history.truth(at, at, "the dividend is not among the actions")


def _dividend_as_price_drop(history: History, at: int, severity: float) -> tuple[History, Truth]:
    paid, _ = _dividend(history, at, severity)
    truth = history.truth(at, at, "neither the actions nor the adjusted closes know the dividend")
    return believed(paid), truth


def _dividend_in_cents(history: History, at: int, severity: float) -> tuple[History, Truth]:
    paid, amount = _dividend(history, at, severity)
    told = paid.with_action(at, ActionKind.DIVIDEND, 100 * amount)
    return told, history.truth(at, at, "the dividend is in cents")


def _dividend_doubled(history: History, at: int, severity: float) -> tuple[History, Truth]:
    paid, amount = _dividend(history, at, severity)
    told = paid.with_action(at, ActionKind.DIVIDEND, amount)
    later = min(at + 1, len(told.bars) - 1)
    doubled = told.with_action(later, ActionKind.DIVIDEND, amount)
    return doubled, history.truth(later, later, "the dividend is told of twice")


def _dividend_negative(history: History, at: int, severity: float) -> tuple[History, Truth]:
    paid, amount = _dividend(history, at, 0.01)
    told = paid.with_action(at, ActionKind.DIVIDEND, -amount)
    return told, history.truth(at, at, "the dividend is negative")


_A = Boundary.ACTIONS
ACTION_FAULTS = (
    SymbolFault(
        "split_lost",
        _A,
        "a split that only adjusted closes know",
        _split_lost,
        _RATIOS,
        _RATIO,
        _SMALLEST,
    ),
    SymbolFault(
        "split_unadjusted",
        _A,
        "a split that nobody knows",
        _split_unadjusted,
        _RATIOS,
        _RATIO,
        _SMALLEST,
    ),
    SymbolFault(
        "split_doubled", _A, "a split told of twice", _split_doubled, _RATIOS, _RATIO, _SMALLEST
    ),
    SymbolFault(
        "split_applied_twice",
        _A,
        "prices divided by a split twice",
        _split_applied_twice,
        _RATIOS,
        _RATIO,
        _SMALLEST,
    ),
    SymbolFault(
        "split_inverted",
        _A,
        "a split's ratio upside down",
        _split_inverted,
        _RATIOS,
        _RATIO,
        _SMALLEST,
    ),
    SymbolFault(
        "split_late", _A, "a 2:1 split under a later date", _split_late, (1, 5), "sessions late"
    ),
    SymbolFault(
        "split_phantom", _A, "a split that never was", _split_phantom, _RATIOS, _RATIO, _SMALLEST
    ),
    SymbolFault("split_zero", _A, "a split with a ratio of zero", _split_zero),
    SymbolFault(
        "dividend_lost",
        _A,
        "a dividend that only adjusted closes know",
        _dividend_lost,
        _YIELDS,
        _YIELD,
        MATTERS,
    ),
    SymbolFault(
        "dividend_as_price_drop",
        _A,
        "a dividend that nobody knows",
        _dividend_as_price_drop,
        _YIELDS,
        _YIELD,
        MATTERS,
    ),
    SymbolFault(
        "dividend_in_cents",
        _A,
        "a dividend in cents",
        _dividend_in_cents,
        (0.0002, 0.001, 0.005, MATTERS),
        _YIELD,
        0.0002,
    ),
    SymbolFault(
        "dividend_doubled",
        _A,
        "a dividend told of twice",
        _dividend_doubled,
        _YIELDS,
        _YIELD,
        MATTERS,
    ),
    SymbolFault("dividend_negative", _A, "a dividend below zero", _dividend_negative),
)
