"""Shapes in the coordinate system that a mapping expects."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrafusion_lib.core.errors import ConfigError, ConnectError


def transformed(shapes: pa.Array, source_crs: str | None, crs: str, *, source: Path) -> pa.Array:
    """WKB in the system `crs`; as it is when `crs` is empty or the same.

    A shape that cannot be read stays as it is, for the mapping to count.

    Raises
    ------
    ConnectError
        The source does not say in which system its shapes are.
    ConfigError
        A system is unknown.
    """
    if not crs:
        return shapes
    if not source_crs:
        raise ConnectError(
            f"{source} does not say its coordinate system",
            table=source.name,
            cause="a Shapefile without its .prj file, for example",
            hint="put the .prj beside it, or set crs: '' in options and the system in the mapping",
        )
    change = _change(source_crs, crs)
    if change is None:
        return shapes
    import shapely

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(change.transform(points[:, 0], points[:, 1]))

    found = shapely.from_wkb(shapes.to_numpy(zero_copy_only=False), on_invalid="ignore")
    moved = pa.array(shapely.to_wkb(shapely.transform(found, move)), pa.binary())
    return pc.if_else(pc.is_valid(moved), moved, shapes)


@cache
def _change(source: str, target: str) -> Any:
    """Transformer between two systems; None when they are the same."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    try:
        first, second = CRS.from_user_input(source), CRS.from_user_input(target)
    except CRSError as error:
        raise ConfigError(f"A coordinate system is unknown: {error}") from error
    if first.equals(second, ignore_axis_order=True) or _degrees(first) == _degrees(second) != "":
        return None
    return Transformer.from_crs(first, second, always_xy=True)


def _degrees(system: Any) -> str:
    """``WGS 84`` for its several names (EPSG:4326, OGC:CRS84), else empty."""
    code = system.to_authority()
    return "WGS 84" if code in (("EPSG", "4326"), ("OGC", "CRS84")) else ""
