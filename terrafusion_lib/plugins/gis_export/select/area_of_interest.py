"""Selects the parcels and properties in the requested area."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.plugins.gis_export.errors import AREA_EMPTY, AREA_UNKNOWN, ExportError
from terrafusion_lib.plugins.gis_export.params import Area, GisExportParams
from terrafusion_lib.plugins.gis_export.select.area_shape import area_shape
from terrafusion_lib.plugins.gis_export.select.county_tables import (
    ROLL,
    SHAPES,
    CountyTables,
    numbers,
    positions,
)
from terrafusion_lib.plugins.gis_export.select.shapes import Bools, Ints, objects

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

BATCH = 50_000
CODES_NAMED = 12
"""Codes to list when the requested one is unknown."""
COLUMNS = {
    Area.NEIGHBORHOOD: "neighborhood_code",
    Area.TAX_AREA: "tax_area",
    Area.CITY: "situs_city",
}
"""Column of the roll by kind of area."""


@dataclass(frozen=True)
class Selection:
    """Rows in the area: `properties` of the roll (mask), `shapes` of the parcel layer.

    `roll_of_shape` is each shape's row of the roll, −1 where it is linked to none; `unlinked` are
    those in the area (mask): features of streets or water, or of parcels that are not on the roll.
    """

    properties: Bools
    shapes: Bools
    roll_of_shape: Ints
    unlinked: Bools


def select(tables: CountyTables, params: GisExportParams) -> Selection:
    """The area's properties and shapes.

    A shape is in a box or polygon if it touches it (parcels are never cut). A property is in it if
    one of its shapes is, or, without shapes, if its point is.

    Raises
    ------
    ExportError
        The area is malformed, too large, unknown or empty.
    """
    roll_of_shape = positions(
        tables.column(SHAPES, "property_id"), tables.column(ROLL, "property_id")
    )
    if params.area is Area.COUNTY:
        everything = np.ones(tables[ROLL].num_rows, dtype=bool)
        linked = roll_of_shape >= 0
        selection = Selection(everything, linked, roll_of_shape, ~linked)
    elif params.area in COLUMNS:
        inside = _by_code(tables, COLUMNS[params.area], params)
        padded = np.append(inside, False)
        none = np.zeros(roll_of_shape.size, dtype=bool)
        selection = Selection(inside, padded[roll_of_shape], roll_of_shape, none)
    else:
        selection = _by_place(tables, area_shape(params), roll_of_shape)
    if not (selection.properties.any() or selection.shapes.any()):
        raise ExportError(
            "The area of interest has no properties",
            reason_code=AREA_EMPTY,
            county=tables.context.county_id,
            cause="the coordinates are not longitude, latitude in degrees"
            if params.area in (Area.BBOX, Area.POLYGON)
            else "the properties have not been loaded",
        )
    return selection


def _by_code(tables: CountyTables, column: str, params: GisExportParams) -> Bools:
    """Properties whose `column` is one of the values; case is ignored."""
    codes = pc.utf8_upper(pc.utf8_trim_whitespace(tables.column(ROLL, column)))
    wanted = sorted({value.strip().upper() for value in params.area_values})
    known = set(pc.unique(codes).to_pylist()) - {None}
    absent = [value for value in wanted if value not in known]
    if absent:
        listed = sorted(known)[:CODES_NAMED]
        raise ExportError(
            f"No property has that {params.area}: there are "
            f"{', '.join(listed)}{' …' if len(known) > len(listed) else ''}",
            reason_code=AREA_UNKNOWN,
            county=tables.context.county_id,
            column=column,
            examples=absent,
            hint=did_you_mean(absent[0], sorted(known)),
        )
    inside = pc.is_in(codes, value_set=pa.array(wanted, pa.string()))
    return np.asarray(inside.to_numpy(zero_copy_only=False), dtype=bool)


def _by_place(tables: CountyTables, area: "BaseGeometry", roll_of_shape: Ints) -> Selection:
    import shapely

    shapely.prepare(area)
    touching = [np.zeros(0, dtype=bool)]
    wkb = tables.column(SHAPES, "geometry")
    for start in range(0, len(wkb), BATCH):
        shapes = shapely.from_wkb(objects(wkb.slice(start, BATCH)), on_invalid="ignore")
        touching.append(shapely.intersects(area, shapes))
    shapes_in = np.concatenate(touching)
    count = tables[ROLL].num_rows
    longitude, latitude = (numbers(tables.column(ROLL, n)) for n in ("longitude", "latitude"))
    inside = shapely.intersects_xy(area, longitude, latitude)
    linked = roll_of_shape >= 0
    has_shape = np.bincount(roll_of_shape[linked], minlength=count) > 0
    selected = np.bincount(roll_of_shape[linked & shapes_in], minlength=count) > 0
    properties = np.where(has_shape, selected, inside)
    return Selection(properties, shapes_in & linked, roll_of_shape, shapes_in & ~linked)
