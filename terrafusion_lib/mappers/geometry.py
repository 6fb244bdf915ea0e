"""Shapes and points measured in the county's projected system, batch by batch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terrafusion_lib.core.errors import ConfigError, MappingError
from terrafusion_lib.core.read_ahead import map_ahead
from terrafusion_lib.core.sql import literal
from terrafusion_lib.geo.crs import WGS84, moved, mover, projected_system, square_feet_per_unit
from terrafusion_lib.geo.curves import TOLERANCE_METERS, curve_tolerance, linearized
from terrafusion_lib.geo.repair import MULTIPOLYGON, POLYGON, made_valid
from terrafusion_lib.mappers import pieces
from terrafusion_lib.mappers.bound import BoundRelation
from terrafusion_lib.mappers.model import Geometry, Points
from terrafusion_lib.mappers.session import RawFailure, Session

if TYPE_CHECKING:
    from pyproj import CRS

BATCH_ROWS = 20_000
UNREADABLE, CURVED = "unreadable", "curved"
"""Columns that mark a row whose shape or coordinates cannot be read, or whose shape was curved."""
SHAPE = pa.schema(
    [
        ("area_sqft", pa.float64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("part_count", pa.int64()),
        ("geometry", pa.binary()),
        (UNREADABLE, pa.bool_()),
        (CURVED, pa.bool_()),
    ]
)
POINT = pa.schema(
    [("latitude", pa.float64()), ("longitude", pa.float64()), (UNREADABLE, pa.bool_())]
)

STRAIGHTENED = (
    f"'curves drawn with straight pieces within {TOLERANCE_METERS * 100:.0f} centimeter (kept)'"
)

Measure = Callable[[pa.RecordBatch], dict[str, pa.Array]]


def add_measured(session: Session, relation: BoundRelation) -> None:
    """Make a relation of shapes or points: its base's columns and the measures.

    Raises
    ------
    MappingError
        The county's system is unknown or not projected.
    """
    name, base = relation.rows.name, relation.reads.base
    if relation.geometry:
        column, reason = relation.geometry.column, "'not a readable shape'"
        measure: Measure = partial(_shapes, spec=relation.geometry, county=session.crs)
        schema = SHAPE
    elif relation.points:
        column = relation.points.x
        reason = "'coordinates are neither degrees nor in the projected system of the county'"
        measure, schema = partial(_points, spec=relation.points, county=session.crs), POINT
    else:
        raise MappingError("The relation has nothing to measure", table=name)
    path = session.work_dir / f"{name}.parquet"
    _write(session, relation, schema, measure, path)
    scan = f"read_parquet({literal(str(path))})"
    session.run(f"CREATE VIEW {relation.rows.sql} AS FROM {scan}", where=name)
    session.failures.append(RawFailure(base, column, scan, UNREADABLE, reason))
    if relation.geometry:
        named = f"""(SELECT * REPLACE ('a curved shape' AS "{column}") FROM {scan})"""
        session.failures.append(RawFailure(base, column, named, CURVED, STRAIGHTENED))


def _write(
    session: Session, relation: BoundRelation, schema: pa.Schema, measure: Measure, path: Path
) -> None:
    """Stream the base through `measure` into Parquet, rows in the order of their key."""
    base, needed = relation.reads.base, relation.reads_of_base()
    listed = pieces.columns(name for name in base.columns if name in needed)
    query = f"SELECT {listed} FROM {base.sql} ORDER BY {pieces.columns(base.key)}"
    reader = session.reader(query, BATCH_ROWS, where=base.name)
    target = pa.schema(
        [*(item for item in reader.schema if item.name not in schema.names), *schema]
    )
    with (
        session.fitting(base.name),
        pq.ParquetWriter(path, target, compression="zstd") as writer,
    ):
        measured = map_ahead(
            lambda batch: (batch, measure(batch)),
            reader,
            threads=session.threads,
            ahead=2 * session.threads - 1,
        )
        for batch, measures in measured:
            arrays = [measures.get(item.name) or batch[item.name] for item in target]
            writer.write_batch(pa.record_batch(arrays, schema=target))


def _shapes(batch: pa.RecordBatch, *, spec: Geometry, county: str) -> dict[str, pa.Array]:
    """Measures of the shapes as they are published: of an invalid one, of its repair."""
    import shapely

    system = county_system(county)
    source = batch[spec.column]
    wkb, curved = linearized(source, curve_tolerance(spec.crs))
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    shapes = np.where(shapely.is_empty(shapes), None, shapes)
    present = ~shapely.is_missing(shapes)
    degrees = moved(shapes, spec.crs, WGS84)
    projected = moved(shapes, spec.crs, system.to_string())
    inside = moved(shapely.point_on_surface(shapes), spec.crs, WGS84)
    parts = shapely.get_num_geometries(shapes)
    unfit = _unfit(degrees)
    if unfit.size:
        mended = made_valid(degrees[unfit])
        projected = projected.copy()
        projected[unfit] = moved(mended, WGS84, system.to_string())
        parts[unfit] = shapely.get_num_geometries(mended)
        covers = ~shapely.is_empty(mended)
        inside[unfit[covers]] = shapely.point_on_surface(mended[covers])
    with np.errstate(invalid="ignore"):  # a shape outside the system has coordinates of infinity
        area = shapely.area(projected)
    scale = square_feet_per_unit(system)
    same = source if degrees is shapes and not curved.any() else None
    return {
        "area_sqft": _or_null(area * scale, present),
        "latitude": _or_null(shapely.get_y(inside), present),
        "longitude": _or_null(shapely.get_x(inside), present),
        "part_count": _or_null(parts.astype(np.int64), present),
        "geometry": _wkb(degrees, same, present),
        UNREADABLE: pa.array(np.asarray(source.is_valid()) & ~present),
        CURVED: pa.array(curved),
    }


def _unfit(degrees: Any) -> NDArray[np.int64]:
    """Places of invalid polygons: they are published repaired, and their rings measure nothing."""
    import shapely

    polygonal = np.isin(shapely.get_type_id(degrees), (POLYGON, MULTIPOLYGON))
    invalid = np.flatnonzero(polygonal & ~shapely.is_valid(degrees))
    finite: NDArray[np.bool_] = np.isfinite(shapely.bounds(degrees[invalid])).all(axis=-1)
    return invalid[finite]


def _wkb(shapes: Any, same: pa.Array | None, present: NDArray[np.bool_]) -> pa.Array:
    """WKB of shapes, taken over from the source where it is the `same`."""
    import shapely

    written = pa.array(shapely.to_wkb(shapes), pa.binary()) if same is None else same
    return pc.if_else(pa.array(present), written, None)


def county_system(crs: str) -> "CRS":
    """The county's projected system.

    Raises
    ------
    MappingError
        It is unknown or geographic, so that areas cannot be measured.
    """
    try:
        return projected_system(crs)
    except ConfigError as error:
        raise MappingError(f"The county's crs: {error.what}", hint=error.hint) from error


def _points(batch: pa.RecordBatch, *, spec: Points, county: str) -> dict[str, pa.Array]:
    """Degrees are taken as they are; anything else must be of the county's system and in its area.

    PACS's GIS coordinates are one or the other, by county and by age of the row.
    """
    x, y = (batch[name].to_numpy(zero_copy_only=False).astype(float) for name in (spec.x, spec.y))
    system = county_system(county)
    given = ~(np.isnan(x) | np.isnan(y)) & ((x != 0) | (y != 0))
    degrees = (np.abs(x) <= 180) & (np.abs(y) <= 90)
    to_degrees = mover(system.to_string(), WGS84)
    projected = to_degrees(np.column_stack([np.where(degrees, np.nan, x), y]))
    longitude = np.where(degrees, x, projected[:, 0])
    latitude = np.where(degrees, y, projected[:, 1])
    area = system.area_of_use
    valid = given & np.isfinite(longitude) & np.isfinite(latitude)
    if area is not None:
        valid &= (longitude >= area.west) & (longitude <= area.east)
        valid &= (latitude >= area.south) & (latitude <= area.north)
    return {
        "latitude": _or_null(latitude, valid),
        "longitude": _or_null(longitude, valid),
        UNREADABLE: pa.array(given & ~valid),
    }


def _or_null(values: Any, present: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~(present & np.isfinite(values)))
