"""Shapes as text, for the formats that are text: coordinates joined level by level, set-based."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.gis_export.select.shapes import (
    Ints,
    objects,
)
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid

DECIMALS = 7
"""Decimals of degrees: one centimeter."""


def degree_grid(_crs: str) -> Grid:
    """Coordinates that these formats can hold."""
    return Grid(10.0**DECIMALS)


@dataclass(frozen=True)
class Nested:
    """Delimiters around and between the parts of a level."""

    opens: str
    between: str
    closes: str


@dataclass(frozen=True)
class Notation:
    """How a format writes shapes.

    `outer` and `inner` enclose the coordinates of a ring; `polygon` its rings; `alone` a polygon
    that is the whole shape, `several` the polygons of a multi-polygon; `point` a point.
    """

    pair: Nested
    outer: Nested
    inner: Nested
    polygon: Nested
    alone: Nested
    several: Nested
    point: Nested


def shape_texts(wkb: pa.Array, notation: Notation) -> pa.Array:
    """Text of points, polygons and multi-polygons of WGS 84 degrees, outer rings anticlockwise."""
    import shapely

    shapes = shapely.force_2d(shapely.from_wkb(objects(wkb)))
    if shapes.size == 0 or shapely.get_type_id(shapes[0]) == shapely.GeometryType.POINT:
        pairs = _pairs(shapely.get_coordinates(shapes), notation.pair)
        return _enclosed(pairs, notation.point)
    single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    kind, coordinates, offsets = shapely.to_ragged_array(shapely.orient_polygons(shapes))
    ring_starts, polygon_starts = offsets[:2]
    shape_starts = (
        offsets[2]
        if kind == shapely.GeometryType.MULTIPOLYGON
        else np.arange(shapes.size + 1, dtype=np.int64)
    )
    first = np.zeros(ring_starts.size - 1, dtype=np.bool_)
    first[polygon_starts[:-1][np.diff(polygon_starts) > 0]] = True
    pairs = _pairs(coordinates, notation.pair)
    rings = pc.if_else(
        pa.array(first),
        _joined(pairs, ring_starts, notation.outer),
        _joined(pairs, ring_starts, notation.inner),
    )
    polygons = _joined(rings, polygon_starts, notation.polygon)
    return pc.if_else(
        pa.array(single),
        _joined(polygons, shape_starts, notation.alone),
        _joined(polygons, shape_starts, notation.several),
    )


def _pairs(coordinates: Floats, notation: Nested) -> pa.Array:
    x, y = (
        pa.array(column).cast(pa.string())
        for column in np.ascontiguousarray(np.round(coordinates, DECIMALS).T)
    )
    return _enclosed(pc.binary_join_element_wise(x, y, notation.between), notation)


def _joined(parts: pa.Array, starts: Ints, notation: Nested) -> pa.Array:
    """The parts from each start to the next, joined and enclosed."""
    lists = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), parts)
    return _enclosed(pc.binary_join(lists, notation.between), notation)


def _enclosed(texts: pa.Array, notation: Nested) -> pa.Array:
    if not notation.opens and not notation.closes:
        return texts
    return pc.binary_join_element_wise(notation.opens, texts, notation.closes, "")
