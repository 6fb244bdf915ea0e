"""Simplification that keeps shared boundaries shared."""

import numpy as np
import pyarrow as pa

from terrafusion_lib.geo.crs import projected_system, square_feet_per_unit
from terrafusion_lib.plugins.gis_export.select.shapes import (
    POLYGON,
    Shapes,
    as_wkb,
    objects,
    transformer,
)
from terrafusion_lib.plugins.gis_export.select.valid_shapes import valid_at


def simplify(shapes: Shapes, tolerance_feet: float, county_crs: str) -> Shapes:
    """The polygons with fewer corners, in the county's projected system; points unchanged.

    Neighbors are simplified together as a coverage (GEOS's Visvalingam–Whyatt on shared edges),
    so no gaps or overlaps appear between parcels that had none. All shapes are in memory at once.

    Parameters
    ----------
    tolerance_feet : float
        Square root of the area of removed triangles, feet.
    """
    import shapely

    if shapes.kind != POLYGON or tolerance_feet == 0 or len(shapes) == 0:
        return shapes
    units = tolerance_feet / float(np.sqrt(square_feet_per_unit(projected_system(county_crs))))
    polygons = shapely.force_2d(shapely.from_wkb(objects(shapes.wkb.take(shapes.rows))))
    moved = shapely.transform(polygons, transformer(shapes.crs, county_crs))
    smaller = shapely.coverage_simplify(moved, units)
    return Shapes(
        valid_at(as_wkb(smaller), None), pa.array(np.arange(len(shapes))), county_crs, POLYGON
    )
