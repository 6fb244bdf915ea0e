"""Polygons made valid at the precision of a file, after the last change of their coordinates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.geo.repair import MULTIPOLYGON, POLYGON, made_valid
from terrafusion_lib.plugins.gis_export.select.star_shaped import star_shaped
from terrafusion_lib.plugins.gis_export.select.wkb_coordinates import moved

COARSER = 10
"""By how much the grid of a repair is coarser where the file's own leaves a shape invalid."""
TRIES = 4


@dataclass(frozen=True)
class Grid:
    """Coordinates that a format can hold: ``origin + n / scale``, in the unit of the system."""

    scale: float
    origin: float = 0.0

    def snapped(self, coordinates: Floats) -> Floats:
        """The nearest coordinates of the grid, as the format's readers compute them."""
        steps = np.rint((coordinates - self.origin) * self.scale)
        return np.asarray(steps / self.scale + self.origin)


def valid_at(wkb: pa.Array, grid: Grid | None) -> pa.Array:
    """Polygons on the grid (null: as doubles), each valid; those that were so are only rounded.

    A shape that rounding makes invalid loses what is narrower than the grid; one that is narrower
    as a whole becomes empty.

    Parameters
    ----------
    wkb : pa.Array
        Plain WKB (two-dimensional, little-endian) of polygons and multi-polygons, without nulls.
    """
    import shapely

    rounded = wkb if grid is None else moved(wkb, grid.snapped)
    if rounded is None:  # odd headers within: through geometries
        return _as_wkb(_repaired(_shapes(wkb), grid))
    doubtful = np.flatnonzero(~star_shaped(rounded))
    wrong = doubtful[~shapely.is_valid(_shapes(rounded.take(pa.array(doubtful))))]
    if not wrong.size:
        return rounded
    mended = _as_wkb(_repaired(_shapes(wkb.take(pa.array(wrong))), grid))
    places = np.arange(len(rounded))
    places[wrong] = len(rounded) + np.arange(wrong.size)
    return pa.concat_arrays([rounded, mended]).take(pa.array(places))


def _repaired(shapes: Any, grid: Grid | None) -> Any:
    """The shapes, valid on the grid."""
    import shapely

    sound = made_valid(shapes)
    if grid is None:
        return _polygonal(sound)
    found, step = np.empty(len(sound), dtype=object), 1 / grid.scale
    left = np.arange(len(sound))
    for _ in range(TRIES):
        shifted = shapely.transform(sound[left], lambda pairs: pairs - grid.origin)
        coarse = shapely.set_precision(_polygonal(shifted), step)
        coarse = shapely.transform(coarse, lambda pairs: grid.snapped(pairs + grid.origin))
        found[left] = _polygonal(coarse)
        left = left[~shapely.is_valid(found[left])]
        step *= COARSER
    return found


def _polygonal(shapes: Any) -> Any:
    """The polygons of each shape."""
    import shapely

    polygons = np.array(shapes, dtype=object)
    odd = ~np.isin(shapely.get_type_id(polygons), (POLYGON, MULTIPOLYGON))
    for place in np.flatnonzero(odd):
        parts = shapely.get_parts(polygons[place])
        polygons[place] = shapely.multipolygons(parts[shapely.get_type_id(parts) == POLYGON])
    return polygons


def _shapes(wkb: pa.Array) -> Any:
    import shapely

    return shapely.force_2d(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)))


def _as_wkb(shapes: Any) -> pa.Array:
    import shapely

    return pa.array(shapely.to_wkb(shapes, include_srid=False, byte_order=1), pa.binary())
