"""Reads and compares coordinate systems and transforms between them; x or longitude comes first."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError

if TYPE_CHECKING:
    from pyproj import CRS

WGS84 = "EPSG:4326"
USUAL = (WGS84, "EPSG:2926", "EPSG:2927", "EPSG:3857")
"""Degrees, Washington's two state planes in US survey feet, web maps."""
METERS_PER_FOOT = 0.3048
_NAME_IT = "set crs in county.yaml, such as EPSG:2927 (Washington South, US survey feet)"

Floats = NDArray[np.float64]


def system(crs: str) -> "CRS":
    """The coordinate system given by `crs`: a code, WKT or PROJJSON.

    Raises
    ------
    ConfigError
        It is unknown or empty; the closest common one is suggested.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not crs:
        raise ConfigError("No coordinate system is named", hint=_NAME_IT)
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        raise ConfigError(
            f"The coordinate system {crs[:60]!r} is unknown: {error}",
            hint=did_you_mean(crs, USUAL) or "give its code, such as EPSG:2927",
        ) from error


def projected_system(crs: str) -> "CRS":
    """The coordinate system given by `crs`, provided that areas can be measured in it.

    Raises
    ------
    ConfigError
        It is unknown or geographic.
    """
    projected = system(crs)
    if not projected.is_projected:
        raise ConfigError(
            f"The coordinate system {crs} is not projected, so areas cannot be measured",
            hint=_NAME_IT,
        )
    return projected


def square_feet_per_unit(projected: "CRS") -> float:
    """Square feet per square unit; every kind of foot counts as a foot, as in deeds."""
    axis = projected.axis_info[0]
    if "foot" in axis.unit_name.lower():
        return 1.0
    return float((axis.unit_conversion_factor / METERS_PER_FOOT) ** 2)


@cache
def same(one: str, other: str) -> bool:
    """Whether both systems give the same coordinates, x first.

    Raises
    ------
    ConfigError
        One is unknown.
    """
    if one.upper() == other.upper():
        return True
    first, second = system(one), system(other)
    if first.equals(second, ignore_axis_order=True):
        return True
    degrees = {("EPSG", "4326"), ("OGC", "CRS84")}  # two names of WGS 84
    return {first.to_authority(), second.to_authority()} <= degrees


@lru_cache(maxsize=16)
def mover(source: str, target: str) -> Callable[[Floats], Floats]:
    """Function that transforms an (n, 2) array of x and y from one system to another.

    Locations without coordinates in the target system become infinite.

    Raises
    ------
    ConfigError
        A system is unknown, or no transformation exists, for example between planets.
    """
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        change = Transformer.from_crs(system(source), system(target), always_xy=True)
    except ProjError as error:
        raise ConfigError(
            f"Shapes cannot be reprojected from {source} to {target}: {error}",
            hint="choose a coordinate system for the region, such as EPSG:2927",
        ) from error

    def move(coordinates: Floats) -> Floats:
        x, y = np.array(coordinates.T, dtype=float, order="C")
        change.transform(x, y, inplace=True)
        return np.column_stack([x, y])

    return move


def moved(shapes: Any, source: str, target: str) -> Any:
    """Shapely shapes in another system; unchanged if the system is the same.

    Raises
    ------
    ConfigError
        See `mover`.
    """
    import shapely

    return shapes if same(source, target) else shapely.transform(shapes, mover(source, target))
