"""Which parcels and properties lie in the area that an export asks for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.config import nearest
from terrafusion_lib.plugins.gis_export.data import (
    ROLL,
    SHAPES,
    CountyTables,
    follow,
    numbers,
    positions,
)
from terrafusion_lib.plugins.gis_export.errors import (
    AREA_EMPTY,
    AREA_INVALID,
    AREA_TOO_LARGE,
    AREA_UNKNOWN,
    ExportError,
)
from terrafusion_lib.plugins.gis_export.params import Area, GisExportParams
from terrafusion_lib.plugins.gis_export.shapes import Bools, Ints, objects

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

BATCH = 50_000
COLUMNS = {
    Area.NEIGHBORHOOD: "neighborhood_code",
    Area.TAX_AREA: "tax_area",
    Area.CITY: "situs_city",
}
"""Column of the roll by kind of area."""


@dataclass(frozen=True)
class Selection:
    """Rows in the area: `properties` of the roll (mask), `shapes` of the parcel layer.

    `roll_of_shape` is each shape's row of the roll, −1 where it is linked to none.
    """

    properties: Bools
    shapes: Bools
    roll_of_shape: Ints


def select(tables: CountyTables, params: GisExportParams) -> Selection:
    """The area's properties and shapes.

    A shape is in a box or polygon when it touches it (parcels are never cut); a property when one
    of its shapes is, or, without shapes, when its point is.

    Raises
    ------
    ExportError
        The area is malformed, larger than allowed, unknown, or holds nothing.
    """
    roll_of_shape = positions(
        tables.column(SHAPES, "property_id"), tables.column(ROLL, "property_id")
    )
    if params.area is Area.COUNTY:
        everything = np.ones(tables[ROLL].num_rows, dtype=bool)
        found = Selection(everything, roll_of_shape >= 0, roll_of_shape)
    elif params.area in COLUMNS:
        inside = _by_code(tables, COLUMNS[params.area], params)
        padded = np.append(inside, False)
        found = Selection(inside, padded[roll_of_shape], roll_of_shape)
    else:
        found = _by_place(tables, area_shape(params), roll_of_shape)
    if not (found.properties.any() or found.shapes.any()):
        raise ExportError(
            "The area of interest holds no property",
            reason_code=AREA_EMPTY,
            county=tables.context.county_id,
            cause="coordinates in another order or system than longitude and latitude"
            if params.area in (Area.BBOX, Area.POLYGON)
            else "the properties have not been loaded",
        )
    return found


def area_shape(params: GisExportParams) -> "BaseGeometry":
    """The box or polygon asked for, in WGS 84 degrees.

    Raises
    ------
    ExportError
        It is no valid polygon on the globe, or is larger than `max_area_sq_km`.
    """
    from pyproj import Geod

    shape = _box(params.bbox) if params.bbox else polygon_of(params.polygon or {})
    west, south, east, north = shape.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise _invalid(
            "its coordinates are no longitudes and latitudes",
            examples=[round(edge, 3) for edge in shape.bounds],
        )
    square_km = abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 1e6
    if square_km > params.max_area_sq_km:
        raise ExportError(
            f"The area of interest is {square_km:,.0f} km², "
            f"the most allowed is {params.max_area_sq_km:,.0f}",
            reason_code=AREA_TOO_LARGE,
            hint="ask for a smaller area, for area county, or set plugins.gis_export."
            "max_area_sq_km in county.yaml",
        )
    return shape


def polygon_of(data: dict[str, Any]) -> "BaseGeometry":
    """The union of the polygons in a GeoJSON geometry, feature or collection.

    Raises
    ------
    ExportError
        There is none, or the GeoJSON cannot be read.
    """
    import shapely
    from shapely.geometry import shape

    try:
        features = data.get("features") or [data]
        shapes = [shape(item.get("geometry") or item) for item in features]
    except (shapely.errors.ShapelyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"it is no GeoJSON polygon ({type(error).__name__}: {error})") from error
    whole = shapely.union_all(shapely.make_valid(np.array(shapes, dtype=object)))
    if whole.is_empty or whole.geom_type not in ("Polygon", "MultiPolygon"):
        raise _invalid(f"it is {whole.geom_type}, not a polygon")
    return whole


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


def _by_code(tables: CountyTables, column: str, params: GisExportParams) -> Bools:
    """Properties whose `column` is one of the values; case is ignored."""
    codes = pc.utf8_upper(pc.utf8_trim_whitespace(tables.column(ROLL, column)))
    wanted = sorted({value.strip().upper() for value in params.area_values})
    known = set(pc.unique(codes).to_pylist()) - {None}
    absent = [value for value in wanted if value not in known]
    if absent:
        close = nearest(absent[0], sorted(known))
        raise ExportError(
            f"No property has that {params.area}",
            reason_code=AREA_UNKNOWN,
            county=tables.context.county_id,
            column=column,
            examples=absent,
            hint=f"did you mean {close[0]}?" if close else None,
        )
    inside = pc.is_in(codes, value_set=pa.array(wanted, pa.string()))
    return np.asarray(inside.to_numpy(zero_copy_only=False), dtype=bool)


def _by_place(tables: CountyTables, area: "BaseGeometry", roll_of_shape: Ints) -> Selection:
    import shapely

    shapely.prepare(area)
    touching = [np.zeros(0, dtype=bool)]
    wkb = tables.column(SHAPES, "geometry")
    for start in range(0, len(wkb), BATCH):
        shapes = shapely.from_wkb(objects(wkb.slice(start, BATCH)))
        touching.append(shapely.intersects(area, shapes))
    shapes_in = np.concatenate(touching)
    count = tables[ROLL].num_rows
    longitude, latitude = (numbers(tables.column(ROLL, n)) for n in ("longitude", "latitude"))
    inside = shapely.intersects_xy(area, longitude, latitude)
    linked = roll_of_shape >= 0
    has_shape = np.bincount(roll_of_shape[linked], minlength=count) > 0
    selected = np.bincount(roll_of_shape[linked & shapes_in], minlength=count) > 0
    return Selection(np.where(has_shape, selected, inside), shapes_in & linked, roll_of_shape)


def shape_of_roll(selection: Selection) -> Ints:
    """Row of each property's first shape; −1 where it has none."""
    count = selection.properties.size
    first = np.full(count, -1, dtype=np.int64)
    linked = np.flatnonzero(selection.roll_of_shape >= 0)[::-1]
    first[follow(linked, selection.roll_of_shape)] = linked
    return first
