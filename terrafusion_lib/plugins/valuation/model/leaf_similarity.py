"""Sales that a model considers similar: the number of trees in which two homes share a leaf.

An inverted index of bit sets, one for each leaf: bit s is set where sale s falls into the leaf.
The sets of a subject's leaves are summed with carry-save adders, 64 sales per machine word, so
counts are exact without comparing single pairs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray

WORD = 64
BATCH = 64
"""Subjects counted at once: enough to amortize calls, few enough for the processor's cache."""

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Alike:
    """Sales most similar to some subjects (subject x rank), best first.

    `index` is the row of the sale, -1 where there are fewer; `count` the trees that agree.
    """

    index: IntArray
    count: IntArray


@dataclass(frozen=True)
class LeafIndex:
    """Sales by tree and leaf.

    Parameters
    ----------
    leaves : array of int
        Leaf of each sale (row) in each tree (column).
    day : array
        Day of each sale; among sales that agree in equally many trees, the newest comes first.
    x_feet, y_feet : array
        Location of each sale; among sales on the same day, the nearest comes first.
    parcel : array of int
        Parcel of each sale, never compared with itself.
    """

    leaves: IntArray
    day: FloatArray
    x_feet: FloatArray
    y_feet: FloatArray
    parcel: IntArray

    @property
    def trees(self) -> int:
        """Number of trees."""
        return int(self.leaves.shape[1])

    @cached_property
    def _sets(self) -> list[Words]:
        """For each tree the bit sets of its leaves; the last is empty, for a leaf without sales."""
        sales, trees = self.leaves.shape
        words = -(-sales // WORD)
        row = np.arange(sales)
        found = []
        for tree in range(trees):
            sets = np.zeros((int(self.leaves[:, tree].max()) + 2, words * WORD), dtype=np.uint8)
            sets[self.leaves[:, tree], row] = 1
            found.append(np.packbits(sets, axis=1, bitorder="little").view(np.uint64))
        return found

    def most_alike(
        self,
        leaves: IntArray,
        x_feet: FloatArray,
        y_feet: FloatArray,
        parcel: IntArray,
        wanted: int,
    ) -> Alike:
        """The sales of other parcels that agree in most trees with each subject.

        Parameters
        ----------
        leaves : array of int
            Leaf of each subject (row) in each tree (column).
        """
        index = np.full((len(leaves), wanted), -1, dtype=np.int64)
        count = np.zeros((len(leaves), wanted), dtype=np.int64)
        everyone = self._everyone()
        for first in range(0, len(leaves), BATCH):
            planes = self._counts(leaves[first : first + BATCH])
            for number in range(planes.shape[1]):
                row = first + number
                allowed = self._without(everyone, int(parcel[row]))
                rows, counts = _reaching(planes[:, number], allowed, wanted)
                away = reproducible.length(
                    self.x_feet[rows] - x_feet[row], self.y_feet[rows] - y_feet[row]
                )
                best = np.lexsort((rows, away, -self.day[rows], -counts))[:wanted]
                index[row, : best.size], count[row, : best.size] = rows[best], counts[best]
        return Alike(index, count)

    def _everyone(self) -> Words:
        bits = np.zeros(-(-len(self.leaves) // WORD) * WORD, dtype=np.uint8)
        bits[: len(self.leaves)] = 1
        return np.packbits(bits, bitorder="little").view(np.uint64)

    @cached_property
    def _of_parcel(self) -> tuple[IntArray, IntArray]:
        order = np.argsort(self.parcel, kind="stable")
        return order, self.parcel[order]

    def _without(self, everyone: Words, parcel: int) -> Words:
        """All sales but those of a parcel."""
        order, sorted_parcels = self._of_parcel
        ends = np.searchsorted(sorted_parcels, [parcel, parcel + 1])
        own = order[ends[0] : ends[1]]
        if own.size == 0:
            return everyone
        allowed = everyone.copy()
        np.bitwise_and.at(allowed, own // WORD, ~(np.uint64(1) << (own % WORD).astype(np.uint64)))
        return allowed

    def _counts(self, leaves: IntArray) -> Words:
        """Counts of agreeing trees as binary digits (digit x subject x word), lowest first."""
        adder = _Adder(self.trees, (len(leaves), self._sets[0].shape[1] if self._sets else 0))
        for tree, sets in enumerate(self._sets):
            adder.add(sets.take(leaves[:, tree], axis=0, mode="clip"))
        return adder.digits()


class _Adder:
    """Sums bits by position with carry-save adders (Harley and Seal)."""

    def __init__(self, most: int, shape: tuple[int, int]) -> None:
        self._planes = np.zeros((max(most.bit_length(), 1), *shape), dtype=np.uint64)
        self._waiting: list[Words | None] = [None] * len(self._planes)
        self._both, self._either = (np.empty(shape, dtype=np.uint64) for _ in range(2))

    def add(self, bits: Words) -> None:
        """Add one bit per position; the adder takes over `bits`."""
        for level in range(len(self._planes)):
            other = self._waiting[level]
            if other is None:
                self._waiting[level] = bits
                return
            self._waiting[level] = None
            plane = self._planes[level]
            np.bitwise_and(plane, other, out=self._both)
            np.bitwise_xor(plane, other, out=self._either)
            np.bitwise_xor(self._either, bits, out=plane)
            np.bitwise_and(self._either, bits, out=other)
            bits = np.bitwise_or(other, self._both, out=other)

    def digits(self) -> Words:
        """Binary digits of the sums."""
        for level in range(len(self._planes)):
            carry = self._waiting[level]
            if carry is None:
                continue
            for plane in self._planes[level:]:
                np.bitwise_and(plane, carry, out=self._both)
                np.bitwise_xor(plane, carry, out=plane)
                carry, self._both = self._both, carry
        return self._planes


def _reaching(digits: Words, allowed: Words, wanted: int) -> tuple[IntArray, IntArray]:
    """Sales whose count is at least that of the last of the `wanted` best, and their counts.

    From the highest digit down: while enough sales have the digit set, only those stay.
    """
    sure, open_ = np.zeros_like(allowed), allowed
    for digit in digits[::-1]:
        higher = open_ & digit
        if int(np.bitwise_count(sure | higher).sum()) >= wanted:
            open_ = higher
        else:
            sure = sure | higher
            open_ = open_ & ~digit
    rows = np.flatnonzero(np.unpackbits((sure | open_).view(np.uint8), bitorder="little"))
    at, bit = rows // WORD, (rows % WORD).astype(np.uint64)
    counts = np.zeros(rows.size, dtype=np.int64)
    for place, digit in enumerate(digits):
        counts += ((digit[at] >> bit) & np.uint64(1)).astype(np.int64) << place
    return rows, counts
