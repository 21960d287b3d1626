"""What moved a forecast, as a table can hold it: the largest parts, all others, the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.forecasters.base import Contributions
from models.vocabulary import BASELINE_PART, OTHER_PARTS

LARGEST_PARTS = 8


@dataclass(frozen=True)
class AttributedPart:
    """Part of one symbol's forecast over one horizon; columns of ``forecast_attribution``."""

    symbol: str
    horizon_sessions: int
    feature: str
    method: str
    feature_value: float | None
    contribution_log_return: float


def largest_parts(
    contributions: Contributions,
    symbols: Sequence[str],
    horizons: Sequence[int],
    expected: Mapping[tuple[str, int], float],
) -> list[AttributedPart]:
    """Return the parts of each forecast of a session.

    The eight largest by magnitude, of equal ones the first; what all others make together; and the
    baseline, which takes up what rounding leaves, so that the parts sum to the forecast.

    Parameters
    ----------
    symbols, horizons : axes of the contributions.
    expected : forecasts by symbol and horizon, log return.
    """
    rows = []
    for number, horizon in enumerate(horizons):
        order = np.argsort(-np.abs(contributions.parts[number]), axis=-1, kind="stable")
        for column, symbol in enumerate(symbols):
            if (symbol, horizon) not in expected:
                continue
            parts = contributions.parts[number, column]
            ranked = order[column]
            named = [
                (contributions.features[at], _seen(contributions, column, at), float(parts[at]))
                for at in ranked[:LARGEST_PARTS].tolist()
            ]
            if len(ranked) > LARGEST_PARTS:
                others = float(parts[ranked[LARGEST_PARTS:]].sum())
                named.append((OTHER_PARTS, None, others))
            baseline = expected[symbol, horizon] - sum(part for _, _, part in named)
            named.append((BASELINE_PART, None, baseline))
            rows += [
                AttributedPart(symbol, horizon, name, contributions.method.value, seen, part)
                for name, seen, part in named
            ]
    return rows


def _seen(contributions: Contributions, column: int, feature: int) -> float | None:
    value = float(contributions.seen[column, feature])
    return value if np.isfinite(value) else None
