"""Curved shapes drawn with straight pieces; GEOS reads no curves, so their WKB is read here."""

import math
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrafusion_lib.geo.crs import Floats, system
from terrafusion_lib.geo.wkb_reader import COLLECTION, CURVED, WkbError, WkbReader, wkb_kind

TOLERANCE_METERS = 0.01
TOLERANCE_DEGREES = 1e-7
"""Farthest that a straight piece lies from the arc that it stands for."""
HEADER = 5
"""Bytes of WKB that say its byte order and kind."""
FEWEST_PIECES = 4
"""Of an arc, so that a small circle keeps an area."""


def curve_tolerance(crs: str) -> float:
    """The tolerance, one centimeter or so, in the unit of a coordinate system.

    Raises
    ------
    ConfigError
        The system is unknown.
    """
    projection = system(crs)
    if projection.is_geographic:
        return TOLERANCE_DEGREES
    return TOLERANCE_METERS / float(projection.axis_info[0].unit_conversion_factor)


def linearized(wkb: pa.Array, tolerance: float) -> tuple[Any, NDArray[np.bool_]]:
    """WKB that GEOS can read, as an array of bytes, and which of the shapes were curved.

    Arcs become straight pieces that lie within `tolerance` (in the unit of the coordinates) and
    are the same from both sides of a border. Elevations and measures of curved shapes are left
    out. A curved shape that cannot be read becomes WKB of no shape.
    """
    import shapely

    shapes = wkb.to_numpy(zero_copy_only=False)
    curved = np.zeros(len(shapes), dtype=bool)
    for place in _suspects(wkb):
        reader = WkbReader(shapes[place], lambda points: arc_pieces(points, tolerance))
        try:
            shape = reader.shape()
        except (WkbError, struct.error, ValueError, shapely.errors.ShapelyError):
            shapes[place] = b""
            continue
        if reader.curved:
            curved[place] = True
            shapes[place] = shapely.to_wkb(shape)
    return shapes, curved


def _suspects(wkb: pa.Array) -> NDArray[np.int64]:
    """Places of shapes that may be curved, by the first bytes."""
    heads = pc.binary_slice(wkb, 0, HEADER)
    kinds = CURVED | {COLLECTION}
    odd = [head for head in heads.unique().to_pylist() if wkb_kind(head) in kinds]
    if not odd:
        return np.zeros(0, dtype=np.int64)
    suspects = pc.is_in(heads, value_set=pa.array(odd, heads.type))
    return np.flatnonzero(suspects.to_numpy(zero_copy_only=False))


def arc_pieces(points: Floats, tolerance: float) -> Floats:
    """Corners of the straight pieces of a circular string.

    Parameters
    ----------
    points : array of shape (n, 2)
        Ends of arcs at even places, a point on each arc between them.
    """
    arcs = [
        _arc(points[place], points[place + 1], points[place + 2], tolerance)
        for place in range(0, len(points) - 2, 2)
    ]
    return np.vstack([points[:1], *(arc[1:] for arc in arcs)])


def _arc(start: Floats, middle: Floats, end: Floats, tolerance: float) -> Floats:
    if tuple(end) < tuple(start):  # the same corners from both sides of a border
        return _arc(end, middle, start, tolerance)[::-1]
    circle = _center(start, middle, end)
    if circle is None:
        return np.vstack([start, middle, end])
    radius = math.dist(start, circle)
    first, between, last = (
        math.atan2(point[1] - circle[1], point[0] - circle[0]) for point in (start, middle, end)
    )
    sweep = (last - first) % math.tau or math.tau
    if (between - first) % math.tau > sweep:
        sweep -= math.tau
    step = 2 * math.acos(max(1 - tolerance / radius, 0.0))
    pieces = max(FEWEST_PIECES, math.ceil(abs(sweep) / step)) if step else FEWEST_PIECES
    angles = first + sweep * np.arange(pieces + 1) / pieces
    corners = circle + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    corners[0], corners[-1] = start, end
    return corners


def _center(start: Floats, middle: Floats, end: Floats) -> Floats | None:
    """Center of the circle through three points; None when they lie on a line.

    Equal ends make a full circle, the middle being opposite.
    """
    if (start == end).all():
        return None if (start == middle).all() else (start + middle) / 2
    one, two = middle - start, end - start
    twice = 2 * float(one[0] * two[1] - one[1] * two[0])
    if abs(twice) <= 1e-12 * float(one @ one + two @ two):
        return None
    a, b = float(one @ one), float(two @ two)
    offset = np.array([two[1] * a - one[1] * b, one[0] * b - two[0] * a]) / twice
    return np.asarray(start + offset)


def as_curve_polygons(shapes: Any) -> list[bytes | None]:
    """Polygons as WKB of curve polygons with straight rings: what was curved stays known as such.

    Other shapes as plain WKB.
    """
    import shapely

    return [
        _curve_wkb(shape) if shapely.get_type_id(shape) in (3, 6) else shapely.to_wkb(shape)
        for shape in shapes
    ]


def _curve_wkb(shape: Any) -> bytes:
    import shapely

    polygons = shapely.get_parts(shape)
    texts = []
    for polygon in polygons:
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]
        lines = [struct.pack("<BII", 1, 2, len(ring)) + ring.tobytes() for ring in rings]
        texts.append(struct.pack("<BII", 1, 10, len(lines)) + b"".join(lines))
    if shapely.get_type_id(shape) == shapely.GeometryType.POLYGON:
        return texts[0]
    return struct.pack("<BII", 1, 12, len(texts)) + b"".join(texts)
