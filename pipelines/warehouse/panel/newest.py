"""Features of the newest bars alone, many symbols at once: a session that is appended."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from pipelines.warehouse.panel.anchored import next_anchored
from pipelines.warehouse.panel.bars import LOOKBACK, Anchors, Bars, Floats
from pipelines.warehouse.panel.indicators import NAMES, finite, windowed
from pipelines.warehouse.panel.own_terms import OwnTerms

_SYMBOLS_AT_ONCE = 12
"""What keeps their windows in a core's own cache."""

_NO_STEP = {"share_ratio": 1.0, "cash": 0.0}


def newest_features(symbols: Sequence[tuple[Bars, Anchors]]) -> dict[str, Floats]:
    """Compute the features of the last bar of each symbol.

    Parameters
    ----------
    symbols : bars of each, as ``features`` takes them for a start at their last bar, and what was
        counted up to the bar before it.

    Returns
    -------
    Arrays of (symbols,), bit for bit what ``features`` returns for each.
    """
    parts = [_newest_of(part) for part in _parts(symbols)]
    return dict(zip(NAMES, np.concatenate(parts, axis=1), strict=True))


def _parts(
    symbols: Sequence[tuple[Bars, Anchors]],
) -> Iterator[Sequence[tuple[Bars, Anchors]]]:
    for begin in range(0, len(symbols), _SYMBOLS_AT_ONCE):
        yield symbols[begin : begin + _SYMBOLS_AT_ONCE]


def _newest_of(symbols: Sequence[tuple[Bars, Anchors]]) -> Floats:
    terms = OwnTerms(_end_to_end([bars for bars, _ in symbols]))
    last = slice(LOOKBACK, None, LOOKBACK + 1)
    with np.errstate(all="ignore"):
        columns = {name: values[last] for name, values in windowed(terms).items()}
        columns |= next_anchored(terms, last, [anchors for _, anchors in symbols])
    return finite({name: columns[name] for name in NAMES})


def _end_to_end(symbols: Sequence[Bars]) -> Bars:
    """Join bars of symbols, a window's length of each: windows of the last bars stay apart."""
    width = LOOKBACK + 1
    columns = []
    for field in fields(Bars):
        joined = np.full((len(symbols), width), _NO_STEP.get(field.name, np.nan))
        for row, bars in zip(joined, symbols, strict=True):
            values = getattr(bars, field.name)[-width:]
            row[width - len(values) :] = values
        columns.append(joined.ravel())
    return Bars(*columns)
