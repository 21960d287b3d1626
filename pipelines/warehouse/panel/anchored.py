"""What is counted from a symbol's first accepted bar, one bar after the other."""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from pipelines.warehouse.panel.bars import Anchors, Floats
from pipelines.warehouse.panel.own_terms import OwnTerms

_NOTHING = Anchors(session_number=0, cumulative_share_ratio=1.0, cumulative_growth=1.0, obv=0.0)


def anchored(terms: OwnTerms, start: int, anchors: Anchors | None) -> dict[str, Floats]:
    """Return ``models.panel.ANCHORED`` from ``start`` on, continuing ``anchors``."""
    ratio, growth, direction = (
        values[start:].copy()
        for values in (terms.bars.share_ratio, terms.growth, np.sign(terms.change))
    )
    if anchors is None:
        anchors, ratio[0], growth[0], direction[0] = _NOTHING, 1, 1, 0
    shares = _continued(np.multiply, anchors.cumulative_share_ratio, ratio)
    flow = direction * terms.bars.volume[start:] / shares
    return {
        "session_number": anchors.session_number + np.arange(1.0, len(ratio) + 1),
        "cumulative_share_ratio": shares,
        "cumulative_growth": _continued(np.multiply, anchors.cumulative_growth, growth),
        "obv": _continued(np.add, anchors.obv, flow),
    }


def next_anchored(terms: OwnTerms, bars: slice, anchors: Sequence[Anchors]) -> dict[str, Floats]:
    """Return the same for bars that continue one of the anchors each."""
    number, shares, growth, obv = np.array([astuple(anchor) for anchor in anchors]).T
    shares = shares * terms.bars.share_ratio[bars]
    flow = np.sign(terms.change[bars]) * terms.bars.volume[bars] / shares
    return {
        "session_number": number + 1,
        "cumulative_share_ratio": shares,
        "cumulative_growth": growth * terms.growth[bars],
        "obv": obv + flow,
    }


def _continued(operation: np.ufunc, first: float, values: Floats) -> Floats:
    """Apply the operation to one value after the other, as a build in several pieces does."""
    accumulated: Floats = operation.accumulate(np.concatenate(([first], values)))
    return accumulated[1:]
