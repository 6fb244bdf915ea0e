"""WKB with curves (ISO 13249-3, and the flags of EWKB) read into shapes without them."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from terrafusion_lib.geo.crs import Floats

POINT, LINE, POLYGON, COLLECTION = 1, 2, 3, 7
MULTIS = {4: "multipoints", 5: "multilinestrings", 6: "multipolygons"}
ARCS, COMPOUND, CURVE_POLYGON, MULTI_CURVE, MULTI_SURFACE = 8, 9, 10, 11, 12
CURVED = {ARCS, COMPOUND, CURVE_POLYGON, MULTI_CURVE, MULTI_SURFACE}
MULTIS |= {MULTI_CURVE: "multilinestrings", MULTI_SURFACE: "multipolygons"}
EWKB_Z, EWKB_M, EWKB_SRID = 0x80000000, 0x40000000, 0x20000000
DEEPEST = 8


class WkbError(Exception):
    """The bytes are no WKB that can be read here."""


def wkb_kind(wkb: Any) -> int:
    """Kind of a WKB without its dimensions; 0 when there is none."""
    if wkb is None or len(wkb) < 5:
        return 0
    return int(struct.unpack_from("<I" if wkb[0] == 1 else ">I", wkb, 1)[0] & 0xFFFF) % 1000


class WkbReader:
    """Reads one shape; `straighten` makes corners of the points of a circular string.

    `curved` says afterwards whether the shape was of a kind that can be curved.
    """

    def __init__(self, wkb: bytes, straighten: Callable[[Floats], Floats]) -> None:
        self._wkb = wkb
        self._at = 0
        self._straighten = straighten
        self.curved = False

    def shape(self, depth: int = 0) -> Any:
        """The next shape, two-dimensional.

        Raises
        ------
        WkbError, struct.error, ValueError, shapely.errors.ShapelyError
            It cannot be read.
        """
        import shapely

        start = self._at
        kind, order, width = self._header()
        if depth > DEEPEST:
            raise WkbError("shapes within shapes within shapes")
        if kind == POINT:
            return shapely.points(self._pairs(order, width, 1)[0])
        if kind in (LINE, ARCS, COMPOUND):
            self._at = start
            return shapely.linestrings(self._corners(depth))
        if kind in (POLYGON, CURVE_POLYGON):
            self.curved |= kind == CURVE_POLYGON
            rings = [
                self._pairs(order, width) if kind == POLYGON else self._corners(depth + 1)
                for _ in range(self._count(order))
            ]
            return shapely.Polygon(rings[0], rings[1:]) if rings else shapely.Polygon()
        parts = [self.shape(depth + 1) for _ in range(self._count(order))]
        if kind == COLLECTION:
            return shapely.geometrycollections(parts)
        if kind not in MULTIS:
            raise WkbError(f"kind {kind}")
        self.curved |= kind in CURVED
        return getattr(shapely, MULTIS[kind])(parts)

    def _corners(self, depth: int) -> Floats:
        """Corners of a line, a circular string or a compound of them."""
        kind, order, width = self._header()
        self.curved |= kind in CURVED
        if kind == LINE:
            return self._pairs(order, width)
        if kind == ARCS:
            return self._straighten(self._pairs(order, width))
        if kind != COMPOUND or depth > DEEPEST:
            raise WkbError(f"a ring of kind {kind}")
        parts = [self._corners(depth + 1) for _ in range(self._count(order))]
        parts = [part for part in parts if len(part)]
        return np.vstack([*parts[:1], *(part[1:] for part in parts[1:])])

    def _header(self) -> tuple[int, str, int]:
        """Kind, byte order and numbers of a point."""
        order = "<" if self._wkb[self._at : self._at + 1] == b"\x01" else ">"
        (code,) = struct.unpack_from(f"{order}I", self._wkb, self._at + 1)
        self._at += 9 if code & EWKB_SRID else 5
        dimensions = (code & 0xFFFF) // 1000
        width = 2 + bool(code & EWKB_Z or dimensions in (1, 3))
        return (code & 0xFFFF) % 1000, order, width + bool(code & EWKB_M or dimensions in (2, 3))

    def _count(self, order: str) -> int:
        (count,) = struct.unpack_from(f"{order}I", self._wkb, self._at)
        self._at += 4
        if count * 4 > len(self._wkb) - self._at:
            raise WkbError("more parts than bytes")
        return int(count)

    def _pairs(self, order: str, width: int, points: int | None = None) -> Floats:
        count = self._count(order) if points is None else points
        numbers = np.frombuffer(self._wkb, f"{order}f8", count * width, self._at)
        self._at += numbers.nbytes
        return numbers.reshape(count, width)[:, :2].astype(np.float64)
