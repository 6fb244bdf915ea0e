"""Outlines of groups of parcels."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.progress import Progress
from terrafusion_lib.geo.repair import made_valid
from terrafusion_lib.plugins.gis_export.select.shapes import Ints, objects

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SAME_AREA = 1e-9
"""Share by which a union's area may differ from the sum of its parts without overlap."""


def dissolve(wkb: pa.Array, group: Ints, count: int, progress: Progress) -> Any:
    """The union of the polygons of each group, as shapely polygons; group −1 is left out.

    Neighbors are joined as a coverage, which only drops shared boundaries; overlapping parcels
    (condominium units on one lot) by full overlay.
    """
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(count + 1))
    outlines = np.empty(count, dtype=object)
    for index in range(count):
        rows = order[edges[index] : edges[index + 1]]
        if rows.size:
            outlines[index] = union(wkb.take(pa.array(rows)))
        progress("dissolve", index + 1, count)
    return outlines


def union(wkb: pa.Array) -> "BaseGeometry":
    """One polygon or multi-polygon that covers what the polygons cover."""
    import shapely

    parts = shapely.force_2d(shapely.from_wkb(objects(wkb)))
    try:
        joined = shapely.coverage_union_all(parts)
        total = float(shapely.area(parts).sum())
        if joined.is_valid and abs(joined.area - total) <= SAME_AREA * total:
            return joined
    except shapely.errors.GEOSException:
        pass  # not a coverage: overlay below
    overlaid = shapely.union_all(made_valid(parts))
    polygons = [part for part in shapely.get_parts(overlaid) if part.geom_type == "Polygon"]
    return shapely.multipolygons(polygons)
