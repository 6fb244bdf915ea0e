"""Changes coordinates in place in WKB, for all shapes at once, without building geometries."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

HEADER, COUNT, POINT = 5, 4, 16
"""Bytes of a header (byte order and type), of a count, and of two coordinates."""
POLYGON_HEADER = np.array([1, 3, 0, 0, 0], dtype=np.uint8)
TYPE_POINT, TYPE_MULTI = 1, 6
WORD = 8


def moved(wkb: pa.Array, change: Callable[[Floats], Floats]) -> pa.Array | None:
    """The shapes with every coordinate changed.

    Parameters
    ----------
    wkb : pa.Array
        Binary without nulls: points, polygons or multi-polygons, two-dimensional, little-endian,
        by their headers.
    change : callable
        Takes and returns an (n, 2) array of x and y.

    Returns
    -------
    pa.Array or None
        None if a shape does not match its header; then nothing is changed.
    """
    shared, starts = buffers(wkb)
    data = shared.copy()
    at = _places(data, starts)
    if at is None:
        return None
    _write(data, at, change(read(data, at)))
    offsets = pa.py_buffer(starts.astype(np.int32))
    return pa.Array.from_buffers(wkb.type, len(wkb), [None, offsets, pa.py_buffer(data)])


def buffers(wkb: pa.Array) -> tuple[Bytes, Ints]:
    """Bytes of all shapes, and where each begins; the end of the last one is added."""
    starts = np.frombuffer(wkb.buffers()[1], np.int32)[wkb.offset : wkb.offset + len(wkb) + 1]
    data = np.frombuffer(wkb.buffers()[2] or b"", np.uint8)[starts[0] : starts[-1]]
    return data, (starts - starts[0]).astype(np.int64)


def _places(data: Bytes, starts: Ints) -> Ints | None:
    """Byte offset of each x, in no particular order; None if a shape cannot be read."""
    begin, end = starts[:-1], starts[1:]
    if begin.size == 0:
        return begin
    kind = data[begin + 1]
    if kind[0] == TYPE_POINT:
        return begin + HEADER if (end - begin == HEADER + POINT).all() else None
    multi = np.flatnonzero(kind == TYPE_MULTI)
    here, polygons = begin.copy(), np.ones(begin.size, dtype=np.int64)
    if ((end - begin)[multi] < HEADER + COUNT).any():
        return None
    polygons[multi] = counts(data, begin[multi] + HEADER)
    here[multi] += HEADER + COUNT
    rings = _rings(data, here, end, polygons)
    if rings is None:
        return None
    first, points = rings
    within = np.arange(points.sum()) - np.repeat(np.cumsum(points) - points, points)
    places: Ints = np.repeat(first, points) + POINT * within
    return places


def _rings(data: Bytes, here: Ints, end: Ints, polygons: Ints) -> tuple[Ints, Ints] | None:
    """Byte offset of each ring's coordinates, and the number of pairs.

    All shapes are walked together, from `here` to `end`: each step reads the next ring of every
    shape with rings left in its polygon, or opens its next polygon.
    """
    rings = np.zeros_like(polygons)
    none = np.zeros(0, dtype=np.int64)
    found = [(none, none)]
    while here.size:
        left = (rings > 0) | (polygons > 0)
        if (here[~left] != end[~left]).any():
            return None
        here, end, rings, polygons = (part[left] for part in (here, end, rings, polygons))
        opens = rings == 0
        if (end - here < np.where(opens, HEADER + COUNT, COUNT)).any():
            return None
        if not _are_polygons(data, here[opens]):
            return None
        points = counts(data, here[~opens])
        found.append((here[~opens] + COUNT, points))
        here[~opens] += COUNT + POINT * points
        rings[~opens] -= 1
        rings[opens] = counts(data, here[opens] + HEADER)
        here[opens] += HEADER + COUNT
        polygons[opens] -= 1
        if (here > end).any():
            return None
    first, points = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, points


def _are_polygons(data: Bytes, at: Ints) -> bool:
    return bool((data[at[:, None] + np.arange(HEADER)] == POLYGON_HEADER).all())


def counts(data: Bytes, at: Ints) -> Ints:
    """The unsigned 32-bit numbers at these bytes."""
    numbers: NDArray[np.uint32] = data[at[:, None] + np.arange(COUNT)].view("<u4")
    return numbers.ravel().astype(np.int64)


def read(data: Bytes, at: Ints) -> Floats:
    """The pairs of numbers at these bytes."""
    pairs = np.empty((at.size, 2))
    for rows, words, index in _by_residue(data, at):
        pairs[rows, 0], pairs[rows, 1] = words[index], words[index + 1]
    return pairs


def _write(data: Bytes, at: Ints, pairs: Floats) -> None:
    for rows, words, index in _by_residue(data, at):
        words[index], words[index + 1] = pairs[rows, 0], pairs[rows, 1]


def _by_residue(data: Bytes, at: Ints) -> list[tuple[Ints, Floats, Ints]]:
    """Groups offsets a whole number of words apart: their rows, the data as words, the word index.

    Coordinates start at any byte; NumPy can read words from any byte, but only whole words apart.
    """
    parts = []
    residue = at % WORD
    for first in range(WORD):
        rows = np.flatnonzero(residue == first)
        if rows.size:
            length = (data.size - first) // WORD * WORD
            words = data[first : first + length].view("<f8")
            parts.append((rows, words, (at[rows] - first) // WORD))
    return parts
