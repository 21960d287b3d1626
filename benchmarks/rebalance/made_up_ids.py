"""Surrogate keys that look like the store's (UUIDs as text), made by the million."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.rebalance.arrays import Integers

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_DASHES = (8, 13, 18, 23)
_LENGTH = 36


def mixed(number: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.uint64]:
    """Return numbers that look random, each its own (SplitMix64 of Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        value = number + np.uint64((salt * 0x9E3779B97F4A7C15) & 0xFFFF_FFFF_FFFF_FFFF)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))


def sorted_ids(number: Integers, count: int, salt: int) -> pa.StringArray:
    """Return keys of numbers below ``count`` that sort as the numbers do."""
    step = np.uint64((1 << 64) // count)
    unsigned = number.astype(np.uint64)
    high = unsigned * step + mixed(unsigned, salt) % step
    return _as_text(high, mixed(unsigned, salt + 1))


def mixed_ids(number: Integers, salt: int) -> pa.StringArray:
    """Return keys of numbers in no order."""
    unsigned = number.astype(np.uint64)
    return _as_text(mixed(unsigned, salt), mixed(unsigned, salt + 1))


def _as_text(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> pa.StringArray:
    both = np.stack([high, low], axis=1).astype(">u8").view(np.uint8).reshape(len(high), 16)
    digits = np.stack([_HEX[both >> 4], _HEX[both & 15]], axis=2).reshape(len(high), 32)
    text = np.full((len(high), _LENGTH), ord("-"), dtype=np.uint8)
    text[:, [place for place in range(_LENGTH) if place not in _DASHES]] = digits
    offsets = np.arange(len(high) + 1, dtype=np.int32) * _LENGTH
    return pa.StringArray.from_buffers(
        len(high), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))
    )
