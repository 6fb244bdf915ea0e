"""Sorting and quantiles shared by the statistics, faster than NumPy's general ones."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DIGIT = 16
"""Bits that NumPy's stable sort of small integers, a radix sort, takes at a time."""
MARKS = float((1 << 2 * DIGIT) - 1)
"""Largest value on a two-digit scale."""


def order_by(values: FloatArray, then: FloatArray | None = None) -> IntArray:
    """Indices that sort finite `values`, ties by `then`, otherwise in no defined order.

    The values are scaled to 32 bits and sorted by two digits. Unequal values that share a scaled
    value, seldom more than a few pairs, are sorted afterward.
    """
    low, span = _extent(values)
    scale = MARKS / span if span > 1 / MARKS else 0.0
    if not 0 < scale < np.inf:
        return np.lexsort((values if then is None else then, values))
    scaled = values - low
    scaled *= scale
    mark = scaled.astype(np.uint32)
    order = np.argsort(mark.astype(np.uint16), kind="stable")
    order = order[np.argsort((mark >> DIGIT).astype(np.uint16)[order], kind="stable")]
    ordered = values[order]
    if then is None and not (ordered[1:] < ordered[:-1]).any():
        return order
    marked = mark[order]
    same = marked[1:] == marked[:-1]
    tied = np.zeros(values.size, dtype=np.bool_)
    tied[1:] = same
    tied[:-1] |= same
    rows = np.flatnonzero(tied)
    if rows.size:
        members = order[rows]
        own = values[members]
        order[rows] = members[np.lexsort((own if then is None else then[members], own))]
    return order


def _extent(values: FloatArray) -> tuple[float, float]:
    """Smallest value and the range; 0 without values."""
    if values.size == 0:
        return 0.0, 0.0
    low, high = float(values.min()), float(values.max())
    return low, high - low


def order_by_code(codes: IntArray, count: int) -> IntArray:
    """Indices that sort codes from 0 to `count` - 1; equal codes keep their order."""
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
