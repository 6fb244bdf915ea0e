"""Shapes as WKB in Arrow: checked, converted to multi, reprojected."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.geo.crs import WGS84, Floats, mover
from terrafusion_lib.geo.crs import system as crs_system
from terrafusion_lib.plugins.gis_export.errors import (
    CRS_REFUSED,
    GEOMETRY_COLLECTION,
    GEOMETRY_TYPE,
    OUTSIDE_SYSTEM,
    ExportError,
)
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid, valid_at
from terrafusion_lib.plugins.gis_export.select.wkb_coordinates import moved

if TYPE_CHECKING:
    from pyproj import CRS

POINT, POLYGON = "Point", "MultiPolygon"

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HEADER = 5
"""Bytes of a WKB that say its byte order and type."""
PLAIN = {
    POINT: pa.array([b"\x01\x01\x00\x00\x00"], pa.binary()),
    POLYGON: pa.array([b"\x01\x03\x00\x00\x00", b"\x01\x06\x00\x00\x00"], pa.binary()),
}
"""Headers of two-dimensional, little-endian WKB without a system: written as they are."""
SINGLE = pa.scalar(b"\x01\x03\x00\x00\x00", pa.binary())
MULTI_OF_ONE = pa.scalar(b"\x01\x06\x00\x00\x00\x01\x00\x00\x00", pa.binary())
TYPE_IDS = {POINT: {0}, POLYGON: {3, 6}}
COLLECTION = 7


@dataclass(frozen=True)
class Shapes:
    """Geometry of a layer's records.

    Attributes
    ----------
    wkb : pa.Array
        Binary; row `rows[i]` is the geometry of record i.
    rows : pa.Array
        int64, without nulls.
    crs : str
        System of the coordinates, x first.
    kind : str
        ``Point`` or ``MultiPolygon`` (which also takes polygons).
    """

    wkb: pa.Array
    rows: pa.Array
    crs: str
    kind: str

    def __len__(self) -> int:
        return len(self.rows)

    def part(
        self, start: int, length: int, target: str, *, multi: bool, grid: Grid | None = None
    ) -> pa.Array:
        """WKB of some records in the system `target` and on `grid`, valid there.

        Every polygon is a multi-polygon when `multi`.
        """
        wkb = self.wkb.take(self.rows.slice(start, length))
        plain = bool(pc.all(_plain(wkb, self.kind)).as_py())
        if not plain or target != self.crs:
            wkb = reproject(wkb, self.crs, target, plain=plain)
        if self.kind == POLYGON and (grid is not None or target != self.crs):
            wkb = valid_at(wkb, grid)
        return promote(wkb) if multi and self.kind == POLYGON else wkb


def points(longitude: Floats, latitude: Floats) -> Shapes:
    """Points of WGS 84 degrees."""
    count = len(longitude)
    cells = np.zeros(count, dtype=[("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    cells["order"], cells["type"], cells["x"], cells["y"] = 1, 1, longitude, latitude
    fixed = pa.Array.from_buffers(pa.binary(cells.itemsize), count, [None, pa.py_buffer(cells)])
    return Shapes(fixed.cast(pa.binary()), pa.array(np.arange(count)), WGS84, POINT)


def check(shapes: Shapes, keys: pa.Array, *, layer: str) -> Shapes:
    """The shapes, if all match the layer's type.

    Raises
    ------
    ExportError
        Some are collections or of another type; the error gives five keys.
    """
    wkb = shapes.wkb.take(shapes.rows)
    odd = np.flatnonzero(~_bools(_plain(wkb, shapes.kind)))
    if odd.size == 0:
        return shapes
    import shapely

    types = shapely.get_type_id(shapely.from_wkb(objects(wkb.take(pa.array(odd)))))
    wrong = odd[~np.isin(types, list(TYPE_IDS[shapes.kind]))]
    if wrong.size == 0:
        return shapes
    collection = bool((types == COLLECTION).any())
    raise ExportError(
        "Geometry collections cannot be exported"
        if collection
        else f"Shapes do not match the layer's type, {shapes.kind}",
        reason_code=GEOMETRY_COLLECTION if collection else GEOMETRY_TYPE,
        table=layer,
        count=wrong.size,
        examples=keys.take(pa.array(wrong[:5])).to_pylist(),
        cause="the parcel layer mixes polygons with lines or points",
        hint="repair them in the parcel layer and load it again",
    )


def promote(wkb: pa.Array) -> pa.Array:
    """Polygons as multi-polygons of one; others unchanged."""
    single = pc.equal(pc.binary_slice(wkb, 0, HEADER), SINGLE)
    wrapped = pc.binary_join_element_wise(MULTI_OF_ONE, wkb, b"")
    return pc.if_else(single, wrapped, wkb)


def reproject(wkb: pa.Array, source: str, target: str, *, plain: bool) -> pa.Array:
    """Plain two-dimensional WKB in another system (x first in both); `plain`: already so."""
    reprojected = moved(wkb, transformer(source, target)) if plain else None
    if reprojected is not None:
        return reprojected
    import shapely

    shapes = shapely.force_2d(shapely.from_wkb(objects(wkb)))
    if source != target:
        shapes = shapely.transform(shapes, transformer(source, target))
    return as_wkb(shapes)


def as_wkb(shapes: Any) -> pa.Array:
    """Shapely geometries as WKB without a system."""
    import shapely

    return pa.array(shapely.to_wkb(shapes, include_srid=False, byte_order=1), pa.binary())


def objects(wkb: pa.Array) -> Any:
    """WKB as an array of Python bytes, as shapely takes it."""
    return wkb.to_numpy(zero_copy_only=False)


@lru_cache(maxsize=8)
def transformer(source: str, target: str) -> Callable[[Floats], Floats]:
    """Function that transforms an (n, 2) array of x and y from one system to another.

    It raises `ExportError` if a location has no coordinates in the target system.

    Raises
    ------
    ExportError
        No transformation exists, for example between planets.
    """
    try:
        change = mover(source, target)
    except ConfigError as error:
        raise _refused(error) from error

    def transform(coordinates: Floats) -> Floats:
        transformed = change(coordinates)
        if not np.isfinite(transformed).all():
            _check_finite(coordinates, transformed, target)
        return transformed

    return transform


def _check_finite(before: Floats, after: Floats, target: str) -> None:
    """Reject coordinates that became infinite; those of empty points already were."""
    lost = np.isfinite(before).all(axis=1) & ~np.isfinite(after).all(axis=1)
    if lost.any():
        raise ExportError(
            f"Parts of the county have no coordinates in {target}",
            reason_code=OUTSIDE_SYSTEM,
            count=int(lost.sum()),
            examples=[tuple(pair) for pair in np.round(before[lost][:3], 5).tolist()],
            cause="the coordinate system does not cover the county",
            hint="choose a coordinate system for the region, such as EPSG:2927",
        )


def horizontal(crs: str) -> "CRS":
    """The coordinate system given by `crs`, if shapes can be written in it.

    Raises
    ------
    ExportError
        It is unknown, or not a horizontal two-dimensional system on Earth, for example vertical or
        geocentric.
    """
    projection = system(crs)
    flat = (projection.is_geographic or projection.is_projected) and len(projection.axis_info) == 2
    if not flat or not _of_the_earth(projection):
        raise ExportError(
            f"Shapes cannot be written in {crs} ({projection.name}): it is "
            + (
                "a coordinate system of another planet"
                if flat
                else "not a horizontal, two-dimensional coordinate system"
            ),
            reason_code=CRS_REFUSED,
            hint="choose a projected or geographic coordinate system, such as EPSG:2927 or "
            "EPSG:4326",
        )
    return projection


def _of_the_earth(crs: "CRS") -> bool:
    """Whether PROJ can transform WGS 84 to the system."""
    try:
        transformer(WGS84, crs.to_wkt())
    except ExportError:
        return False
    return True


def system(crs: str) -> "CRS":
    """The coordinate system given by `crs`.

    Raises
    ------
    ExportError
        It is unknown.
    """
    try:
        return crs_system(crs)
    except ConfigError as error:
        raise _refused(error) from error


def _refused(error: ConfigError) -> ExportError:
    return ExportError(error.what, reason_code=CRS_REFUSED, hint=error.hint)


def _plain(wkb: pa.Array, kind: str) -> pa.Array:
    return pc.is_in(pc.binary_slice(wkb, 0, HEADER), value_set=PLAIN[kind])


def _bools(values: pa.Array) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)
