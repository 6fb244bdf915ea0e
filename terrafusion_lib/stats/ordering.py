"""Sorting and quantiles that the statistics share, faster than NumPy's general ones."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DIGIT = 16
"""Bits that NumPy's stable sort of small integers, a radix sort, takes at a time."""


def order_by(values: FloatArray) -> IntArray:
    """Indices that sort `values`; in what order equal ones come is not defined.

    Whole numbers below 2**32, as prices nearly always are, are sorted by digits.
    """
    if values.size == 0 or not (values.min() >= 0 and values.max() < 1 << 2 * DIGIT):
        return np.argsort(values)
    whole = values.astype(np.uint32)
    if not np.array_equal(whole, values):
        return np.argsort(values)
    order = np.argsort(whole.astype(np.uint16), kind="stable")
    high = (whole >> DIGIT).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")]


def order_by_code(codes: IntArray, count: int) -> IntArray:
    """Indices that sort codes from 0 to `count` - 1; equal ones keep their order."""
    small = codes.astype(np.uint16) if count <= 1 << DIGIT else codes
    return np.argsort(small, kind="stable")


def sorted_median(values: FloatArray) -> float:
    """Median of sorted values; NaN without any."""
    n = values.size
    return float(values[(n - 1) // 2] + values[n // 2]) / 2 if n else float("nan")


def quantiles(values: FloatArray, probabilities: tuple[float, ...]) -> FloatArray:
    """Quantiles along the last axis by linear interpolation (Hyndman and Fan's method 7)."""
    last = values.shape[-1] - 1
    position = np.array(probabilities) * last
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, last)
    parted = np.partition(values, np.concatenate((low, high)), axis=-1)
    below, above = parted[..., low], parted[..., high]
    between: FloatArray = below + (above - below) * (position - low)
    return between
