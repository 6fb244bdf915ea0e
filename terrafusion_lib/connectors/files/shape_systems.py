"""Shapes in the coordinate system that a mapping expects."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.geo.crs import moved, same
from terrafusion_lib.geo.curves import as_curve_polygons, curve_tolerance, linearized


def transformed(shapes: pa.Array, source_crs: str | None, crs: str, *, source: Path) -> pa.Array:
    """WKB in the coordinate system `crs`; unchanged if `crs` is empty or the same.

    Unreadable shapes are unchanged, for the mapping to count. A curved one gets straight
    pieces, which can be moved, and stays a curve polygon, for the mapping to count.

    Raises
    ------
    ConnectError
        The source has no coordinate system.
    ConfigError
        A system is unknown.
    """
    if not crs:
        return shapes
    if not source_crs:
        raise ConnectError(
            f"{source} has no coordinate system",
            table=source.name,
            cause="for example, a shapefile without its .prj file",
            hint="add the .prj file, or set crs: '' in options and the coordinate system in the "
            "mapping",
        )
    if same(source_crs, crs):
        return shapes
    import shapely

    straight, curved = linearized(shapes, curve_tolerance(source_crs))
    there = moved(shapely.from_wkb(straight, on_invalid="ignore"), source_crs, crs)
    wkb = shapely.to_wkb(there)
    wkb[curved] = as_curve_polygons(there[curved])
    there = pa.array(wkb, pa.binary())
    return pc.if_else(pc.is_valid(there), there, shapes)
