"""Outlines of groups of parcels."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrafusion_lib.core.progress import Progress
from terrafusion_lib.geo.crs import WGS84
from terrafusion_lib.geo.repair import made_valid
from terrafusion_lib.plugins.gis_export.select.shapes import POLYGON, Ints, Shapes, objects
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

COUNTY_GRID = Grid(1e7)
"""Degrees to a centimeter, one grid for all groups: borders that are nearly the same become so."""
SURVEY_METERS = 0.03
"""Holes narrower than a tenth of a foot, which surveys do not tell, are closed."""
METERS_PER_DEGREE = 111_320.0
SMALLEST_SLIT = 1e-12
"""Square degrees: a centimeter by a meter; corners are no slits."""
SAME_AREA = 1e-9
"""Share by which a union's area may differ from the sum of its parts without overlap."""


def dissolve(wkb: pa.Array, group: Ints, count: int, progress: Progress) -> Any:
    """The union of the polygons of each group, as shapely polygons; group −1 is left out.

    All polygons, of WGS 84 degrees, are put on one grid. Then neighbors are joined as a coverage,
    which only drops the borders that they share; where parcels overlap (a condominium's units on
    one lot) or borders still differ by full overlay.
    """
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(count + 1))
    order, edges = order[edges[0] :], edges - edges[0]
    polygons = Shapes(wkb, pa.array(order), WGS84, POLYGON)
    gridded = polygons.part(0, len(polygons), WGS84, multi=False, grid=COUNTY_GRID)
    outlines = np.empty(count, dtype=object)
    for index in range(count):
        size = int(edges[index + 1] - edges[index])
        if size:
            outlines[index] = union(gridded.slice(edges[index], size))
        progress("dissolve", index + 1, count)
    return outlines


def union(wkb: pa.Array) -> "BaseGeometry":
    """What polygons on the county's grid cover, slits and holes below survey precision closed."""
    return _closed(_joined(wkb))


def _joined(wkb: pa.Array) -> "BaseGeometry":
    import shapely

    parts = shapely.from_wkb(objects(wkb))
    try:
        joined = shapely.coverage_union_all(parts)
        total = float(shapely.area(parts).sum())
        if joined.is_valid and abs(joined.area - total) <= SAME_AREA * total:
            return joined
    except shapely.errors.GEOSException:
        pass  # not a coverage: overlay
    return shapely.union_all(made_valid(parts), grid_size=1 / COUNTY_GRID.scale)


def _closed(shape: "BaseGeometry") -> "BaseGeometry":
    """The polygons of a shape, without narrow holes and without slits: borders that miss another.

    Slits are what a ring of half their width around the shape, taken away again, has filled.
    """
    import shapely

    width = SURVEY_METERS / METERS_PER_DEGREE / 2
    grown = shape.buffer(width, join_style="mitre").buffer(-width, join_style="mitre")
    filled = shapely.get_parts(shapely.difference(grown, shape))
    slits = filled[shapely.area(filled) > SMALLEST_SLIT]
    if slits.size:
        shape = shapely.union_all([shape, *slits], grid_size=1 / COUNTY_GRID.scale)
    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    holes = [np.array(polygon.interiors, dtype=object) for polygon in polygons]
    if not any(_narrow(rings).any() for rings in holes):
        return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
    return shapely.multipolygons(
        [
            shapely.polygons(polygon.exterior, rings[~_narrow(rings)])
            for polygon, rings in zip(polygons, holes, strict=True)
        ]
    )


def _narrow(rings: Any) -> NDArray[np.bool_]:
    """Rings of degrees that are narrower than surveys can tell: twice the area by the length."""
    import shapely

    if not len(rings):
        return np.zeros(0, dtype=bool)
    first = shapely.get_coordinates(rings)[0]
    scale = np.array([np.cos(np.radians(first[1])), 1.0]) * METERS_PER_DEGREE
    meters = shapely.transform(rings, lambda pairs: (pairs - first) * scale)
    width = 2 * shapely.area(shapely.polygons(meters)) / shapely.length(meters)
    return np.asarray(width < SURVEY_METERS)
