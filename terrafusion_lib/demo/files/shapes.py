"""Shapes of invented lots and streets, as WKB in the units of their layer."""

import struct
from dataclasses import dataclass

from terrafusion_lib.demo.files.place import COLUMNS

LINES, ARCS, COMPOUND, CURVE_POLYGON, POLYGON = 2, 8, 9, 10, 3
STREET = 0.25
"""Width of a street, in depths of a lot."""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Grid:
    """Rows of lots with a street after each; `west` and `south` are the first lot's corner.

    Parameters
    ----------
    width, depth : float
        Size of a lot.
    bulge : float
        How far the street side of a curved lot reaches into the street: an arc of a circle.
    """

    west: float
    south: float
    width: float
    depth: float
    bulge: float = 0.0

    def lot(self, number: int, *, curved: bool = False) -> bytes:
        """A lot; its north side is an arc when it is `curved`."""
        left = self.west + self.width * (number % COLUMNS)
        low = self.south + self.depth * (1 + STREET) * (number // COLUMNS)
        right, top = left + self.width, low + self.depth
        sides = [(left, top), (left, low), (right, low), (right, top)]
        if not curved:
            return _polygon(sides)
        arc = [(right, top), ((left + right) / 2, top + self.bulge), (left, top)]
        ring = _head(COMPOUND, 2) + _line(ARCS, arc) + _line(LINES, sides)
        return _head(CURVE_POLYGON, 1) + ring

    def street(self, row: int) -> bytes:
        """The strip north of a row of lots."""
        right = self.west + self.width * COLUMNS
        low = self.south + self.depth * ((1 + STREET) * row + 1)
        top = low + STREET * self.depth
        return _polygon([(self.west, top), (self.west, low), (right, low), (right, top)])


def _head(kind: int, count: int) -> bytes:
    return struct.pack("<BII", 1, kind, count)


def _points(points: Points) -> bytes:
    return b"".join(struct.pack("<dd", *point) for point in points)


def _line(kind: int, points: Points) -> bytes:
    return _head(kind, len(points)) + _points(points)


def _polygon(corners: Points) -> bytes:
    ring = [*corners, corners[0]]
    return _head(POLYGON, 1) + struct.pack("<I", len(ring)) + _points(ring)
