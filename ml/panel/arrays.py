"""The dense arrays of a panel while they are filled, part by part."""

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.panel import RETURN_COLUMN
from ml.panel.feature_columns import columns_of, feature_values, finite, numbers
from ml.panel.features import Feature
from ml.panel.keys import PartKeys, Positions, Reader

logger = logging.getLogger(__name__)


class InfiniteCount:
    """Counts the infinite values of each column."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, column: str, count: int) -> None:
        """Count some more."""
        self._counts[column] += count

    def add_of_feature(self, column: str, count: int) -> None:
        """Count some more, but for returns, which are counted by themselves."""
        if column != RETURN_COLUMN:
            self.add(column, count)

    def tell(self, origin: str) -> None:
        """Say in the log what was found, if anything."""
        if self._counts:
            found = ", ".join(f"{count:,} of {name}" for name, count in self._counts.items())
            logger.warning("infinite values in %s count as missing: %s", origin, found)


@dataclass
class PanelArrays:
    """The dense arrays of a panel while they are filled; see :class:`ml.panel.Panel`."""

    observed: NDArray[np.bool_]
    log_return_1d: NDArray[np.float64]
    values: NDArray[np.float32]
    features_start: int
    largest_return: float = 0.0

    @classmethod
    def empty(
        cls, sessions: int, symbols: int, features_start: int, features: int
    ) -> "PanelArrays":
        """Return arrays in which all is missing."""
        return cls(
            np.zeros((sessions, symbols), np.bool_),
            np.full((sessions, symbols), np.nan),
            np.full((sessions - features_start, symbols, features), np.nan, np.float32),
            features_start,
        )

    def fill(
        self,
        part: Reader,
        keys: PartKeys,
        at: tuple[Positions, Positions],
        features: tuple[Feature, ...],
        infinite: InfiniteCount,
    ) -> None:
        """Put the rows of a part where they belong: returns of all, features of recent ones."""
        sessions, symbols = at
        is_recent = sessions >= self.features_start
        wanted = columns_of(features) if is_recent.any() else []
        table = of_rows(part(list(dict.fromkeys((RETURN_COLUMN, *wanted)))), keys.wanted)
        returns = numbers(table[RETURN_COLUMN])
        if count := int(np.isinf(returns).sum()):
            infinite.add(RETURN_COLUMN, count)
            returns = finite(returns)
        self.largest_return = float(np.fmax.reduce(np.abs(returns), initial=self.largest_return))
        self.observed[at] = True
        self.log_return_1d[at] = returns
        if wanted:
            recent = sessions[is_recent] - self.features_start, symbols[is_recent]
            rows = of_rows(table, is_recent)
            self.values[recent] = feature_values(features, rows, infinite.add_of_feature)


def of_rows(table: pa.Table, wanted: NDArray[np.bool_] | None) -> pa.Table:
    """Return the wanted rows; None and all of them are the table itself."""
    return table if wanted is None or wanted.all() else table.filter(pa.array(wanted))
