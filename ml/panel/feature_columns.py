"""Make features of the columns of a table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.panel.features import Feature, Transform

CLOSE_COLUMN = "close"


def columns_of(features: Sequence[Feature]) -> list[str]:
    """Return the columns that features are made of, each once."""
    names = [feature.column for feature in features]
    if any(feature.transform is Transform.TO_CLOSE for feature in features):
        names.append(CLOSE_COLUMN)
    return list(dict.fromkeys(names))


def feature_values(
    features: Sequence[Feature], table: pa.Table, on_infinite: Callable[[str, int], None]
) -> NDArray[np.float32]:
    """Return features of the rows of a table, (rows, features); what is missing is NaN.

    Infinite values count as missing: they say no more than that a division failed. So do those
    that single precision cannot hold.

    Parameters
    ----------
    on_infinite : told of each column with infinite values, and how many they are.
    """
    columns = {name: numbers(table[name]) for name in columns_of(features)}
    for name, column in columns.items():
        if count := int(np.isinf(column).sum()):
            on_infinite(name, count)
            columns[name] = finite(column)
    result = np.empty((table.num_rows, len(features)), np.float32)
    with np.errstate(over="ignore"):
        for position, feature in enumerate(features):
            result[:, position] = _made(feature, columns)
    return finite(result)


def numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column of numbers or truths as floats, null as NaN."""
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy())


def finite(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values with infinite ones missing."""
    return np.where(np.isfinite(values), values, np.nan)


def _made(feature: Feature, columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    column = columns[feature.column]
    match feature.transform:
        case Transform.AS_IS:
            return column
        case Transform.LOG:
            return np.log(np.where(column > 0, column, np.nan))
        case Transform.TO_CLOSE:
            close = columns[CLOSE_COLUMN]
            return np.asarray(column / np.where(close > 0, close, np.nan))
        case Transform.YEAR_SINE:
            return np.sin(column * (2 * np.pi / 12))
        case Transform.YEAR_COSINE:
            return np.cos(column * (2 * np.pi / 12))
