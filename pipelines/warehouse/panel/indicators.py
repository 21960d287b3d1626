"""All features of one symbol's bars, as ``models.panel`` defines them."""

import numpy as np

from models.panel import ANCHORED, SYMBOL_FEATURES
from pipelines.warehouse.panel.anchored import anchored
from pipelines.warehouse.panel.averages import averages
from pipelines.warehouse.panel.bars import Anchors, Bars, Floats
from pipelines.warehouse.panel.liquidity import dollar_volume, liquidity, monthly_mean
from pipelines.warehouse.panel.own_terms import OwnTerms
from pipelines.warehouse.panel.returns import momentum, returns
from pipelines.warehouse.panel.risk import risk, squared_deviations, volatility

NAMES = tuple(column.name for column in (*ANCHORED, *SYMBOL_FEATURES))


def features(bars: Bars, start: int = 0, anchors: Anchors | None = None) -> dict[str, Floats]:
    """Compute the features of bars from ``start`` on.

    Parameters
    ----------
    bars : the bars to compute and, before them, the newest ``LOOKBACK`` accepted ones, or all if
        there are fewer. Bars further back change no bit.
    start : position of the first bar to compute; 0 if it is the symbol's first.
    anchors : what was counted up to the bar before ``start``; None if there is none.

    Returns
    -------
    Arrays of (bars - start,), one for each of ``ANCHORED`` and ``SYMBOL_FEATURES`` in declared
    order and unit; NaN where the value is null, never infinite.

    Raises
    ------
    ValueError
        There is a bar before ``start`` without anchors, or anchors without a bar before.
    """
    if (start == 0) != (anchors is None):
        raise ValueError(f"anchors {anchors} do not fit a start at bar {start}")
    terms = OwnTerms(bars)
    with np.errstate(all="ignore"):
        columns = {name: values[start:] for name, values in windowed(terms).items()}
        columns |= anchored(terms, start, anchors)
    return dict(zip(NAMES, finite({name: columns[name] for name in NAMES}), strict=True))


def ranked_measures(bars: Bars) -> dict[str, Floats]:
    """Compute the measures that ``models.panel.RANKED`` ranks alone, from a symbol's first bar.

    Returns what :func:`features` returns under these names, bit for bit, in an eighth of the time:
    all symbols' are needed before the first rank is known.
    """
    terms = OwnTerms(bars)
    with np.errstate(all="ignore"):
        columns = {
            "momentum_12_1": momentum(terms),
            "log_return_21d": terms.log_return(21),
            "vol_63d_annual": volatility(squared_deviations(terms, (63,))[63], 63),
            "dollar_volume_21d": monthly_mean(dollar_volume(terms)),
        }
    return dict(zip(columns, finite(columns), strict=True))


def windowed(terms: OwnTerms) -> dict[str, Floats]:
    """Return ``SYMBOL_FEATURES``; what is no number, or too large for one, is not finite yet."""
    return returns(terms) | averages(terms) | risk(terms) | liquidity(terms)


def finite(columns: dict[str, Floats]) -> Floats:
    """Return (columns, bars), with NaN for what is not finite."""
    rows = np.stack(list(columns.values()))
    np.copyto(rows, np.nan, where=~np.isfinite(rows))
    return rows
