"""The file of a network's weights, of all its seeds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.errors import UNREADABLE_ARRAYS, ModelNotFoundError

WEIGHTS_FILE = "weights.npz"

SeedWeights = list[NDArray[np.float32]]


def write_weights(weights: Sequence[SeedWeights], folder: Path) -> None:
    """Write the arrays of each seed's network into a folder."""
    arrays = {
        f"{seed:02d}_{index:03d}": array
        for seed, arrays in enumerate(weights)
        for index, array in enumerate(arrays)
    }
    np.savez(folder / WEIGHTS_FILE, allow_pickle=False, **arrays)


def read_weights(folder: Path, seeds: int) -> list[SeedWeights]:
    """Read what :func:`write_weights` wrote of so many seeds.

    Raises
    ------
    ModelNotFoundError
        The file is missing or damaged, or does not hold the weights of each seed.
    """
    path = folder / WEIGHTS_FILE
    try:
        with np.load(path, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in sorted(saved.files)}
    except UNREADABLE_ARRAYS as error:
        raise ModelNotFoundError(
            "model file", path, f"it is missing or damaged ({error})", "Train again."
        ) from error
    weights = [
        [array for name, array in arrays.items() if name.startswith(f"{seed:02d}_")]
        for seed in range(seeds)
    ]
    shapes = [[array.shape for array in each] for each in weights]
    if not all(shapes) or any(each != shapes[0] for each in shapes):
        raise ModelNotFoundError(
            "model file", path, f"it does not hold the weights of each of {seeds} seeds",
            "Train again.",
        )  # fmt: skip
    return weights
