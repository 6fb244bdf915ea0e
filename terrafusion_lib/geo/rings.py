"""Rings of polygons put where they belong: one beside the outer ring is a part and no hole."""

from typing import Any

import numpy as np

WITHIN = 0.5
"""Share of a ring's area from which it lies within another ring."""


def regrouped(shapes: Any) -> Any:
    """Polygons and multipolygons whose rings are outer or inner ones by where they lie.

    Some software writes the parts of a shape as holes of the first part. A ring within no other is
    the outline of a part; one within a part is its hole; one within a hole is a part again. Rings
    of different polygons are not compared. The shapes may still be invalid.

    Parameters
    ----------
    shapes : array of shapely polygons and multipolygons
    """
    fixed = np.array(shapes, dtype=object)
    for place, shape in enumerate(fixed):
        fixed[place] = _regrouped(shape)
    return fixed


def _regrouped(shape: Any) -> Any:
    import shapely

    polygons = shapely.get_parts(shape).tolist()
    parts = [part for polygon in polygons for part in _parts(polygon)]
    return shape if parts == polygons else shapely.multipolygons(parts)


def _parts(polygon: Any) -> list[Any]:
    """The polygons that the rings of one polygon make."""
    import shapely

    rings = shapely.get_rings(polygon)
    if len(rings) < 2:
        return [polygon]
    covered = shapely.make_valid(shapely.polygons(rings), method="structure", keep_collapsed=False)
    by_size = np.argsort(-shapely.area(covered), kind="stable")
    within = _within(covered[by_size])
    depth = within.sum(axis=1)
    if by_size[0] == 0 and (depth[1:] == 1).all():
        return [polygon]
    parts = []
    for place in np.flatnonzero(depth % 2 == 0):
        holes = within[:, place] & (depth == depth[place] + 1)
        parts.append(shapely.polygons(rings[by_size[place]], rings[by_size[holes]]))
    return parts


def _within(covered: Any) -> Any:
    """Which ring (row) lies within which larger one (column), from areas in falling order."""
    import shapely

    inner, outer = shapely.STRtree(covered).query(covered)
    larger = outer < inner
    inner, outer = inner[larger], outer[larger]
    shared = shapely.area(shapely.intersection(covered[inner], covered[outer]))
    lies = shared > WITHIN * shapely.area(covered[inner])
    within = np.zeros((len(covered), len(covered)), dtype=bool)
    within[inner[lies], outer[lies]] = True
    return within
