"""The box or polygon that an export asks for: read, repaired, measured."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from terrafusion_lib.geo.crs import WGS84, moved
from terrafusion_lib.geo.repair import made_valid
from terrafusion_lib.plugins.gis_export.errors import AREA_INVALID, AREA_TOO_LARGE, ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

EQUAL_AREA = "+proj=cea +ellps=WGS84"
STEP_DEGREES = 0.5
"""Longest piece of an edge that is taken as straight on the equal-area map."""
REPAIRED = "polygons_repaired"


def area_shape(params: GisExportParams) -> "BaseGeometry":
    """The box or polygon asked for, in WGS 84 degrees.

    Raises
    ------
    ExportError
        It is no valid polygon on the globe, or is larger than `max_area_sq_km`.
    """
    shape = _box(params.bbox) if params.bbox else polygon_of(params.polygon or {})
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise _invalid(
            "its coordinates are not longitudes and latitudes",
            examples=[round(edge, 3) for edge in shape.bounds],
        )
    square_km = _square_km(shape)
    if square_km > params.max_area_sq_km:
        raise ExportError(
            f"The area of interest is {square_km:,.0f} km²; the maximum is "
            f"{params.max_area_sq_km:,.0f}",
            reason_code=AREA_TOO_LARGE,
            hint="choose a smaller area or the whole county, or raise "
            "plugins.gis_export.max_area_sq_km in county.yaml",
        )
    return shape


def polygon_of(data: dict[str, Any]) -> "BaseGeometry":
    """The union of the polygons in a GeoJSON geometry, feature or collection.

    Raises
    ------
    ExportError
        There is none, or the GeoJSON cannot be read.
    """
    whole = _union(_shapes_of(data))
    if whole.is_empty or whole.geom_type not in ("Polygon", "MultiPolygon"):
        raise _invalid(f"it is {whole.geom_type}, not a polygon")
    return whole


def feature_of(shapes: Any) -> dict[str, Any]:
    """Polygons in WGS 84 as one GeoJSON feature that counts repaired ones."""
    from shapely.geometry import mapping

    return {
        "type": "Feature",
        "geometry": json.loads(json.dumps(mapping(_union(shapes)))),
        "properties": {REPAIRED: _invalid_count(shapes)},
    }


def repaired(data: dict[str, Any]) -> int:
    """Number of polygons of an area that were invalid as given."""
    stated = (data.get("properties") or {}).get(REPAIRED, 0)
    return int(stated) + _invalid_count(_shapes_of(data))


def _shapes_of(data: dict[str, Any]) -> Any:
    import shapely
    from shapely.geometry import shape

    try:
        features = data.get("features") or [data]
        shapes = [shape(item.get("geometry") or item) for item in features]
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"it is not a GeoJSON polygon ({type(error).__name__}: {error})") from error
    return np.array(shapes, dtype=object)


def _union(shapes: Any) -> "BaseGeometry":
    """The union of shapes, each made valid first: overlay of invalid ones fails or loses parts."""
    import shapely

    return shapely.union_all(made_valid(shapes))


def _invalid_count(shapes: Any) -> int:
    import shapely

    return int((~shapely.is_valid(shapes)).sum())


def _square_km(shape: "BaseGeometry") -> float:
    """Area of a shape in degrees by an equal-area projection, which cannot wrap around."""
    import shapely

    flat = moved(shapely.segmentize(shape, STEP_DEGREES), WGS84, EQUAL_AREA)
    return float(shapely.area(flat)) / 1e6


def _box(bbox: tuple[float, float, float, float] | None) -> "BaseGeometry":
    import shapely

    west, south, east, north = bbox or (0.0, 0.0, 0.0, 0.0)
    if not (np.isfinite([west, south, east, north]).all() and west < east and south < north):
        raise _invalid(
            "give west, south, east, north with west < east and south < north",
            examples=[west, south, east, north],
        )
    return shapely.box(west, south, east, north)


def _invalid(why: str, **evidence: Any) -> ExportError:
    return ExportError(
        f"The area of interest is not valid: {why}", reason_code=AREA_INVALID, **evidence
    )
