"""Areas of interest on the command line."""

from pathlib import Path
from typing import Any

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.plugins.gis_export.errors import AREA_INVALID, ExportError
from terrafusion_lib.plugins.gis_export.select.area_shape import feature_of


def box(text: str) -> tuple[float, ...]:
    """A box of four numbers: west,south,east,north.

    Raises
    ------
    ConfigError
        The text is not four numbers.
    """
    try:
        edges = tuple(float(edge) for edge in text.split(","))
    except ValueError:
        edges = ()
    if len(edges) != 4:
        raise ConfigError(f"{text} is not a box", hint="--bbox west,south,east,north, in degrees")
    return edges


def read_area(path: str | Path) -> dict[str, Any]:
    """The polygons of a file (any format that GDAL reads) as one GeoJSON feature in WGS 84.

    Invalid polygons (self-crossing rings) are repaired; ``polygons_repaired`` counts them.

    Raises
    ------
    ExportError
        The file cannot be read, has no coordinate system, or is empty.
    """
    import pyogrio

    try:
        frame = pyogrio.read_dataframe(path)
    except (RuntimeError, OSError) as error:
        raise ExportError(
            f"{path} cannot be read as an area of interest: {error}", reason_code=AREA_INVALID
        ) from error
    if len(frame) == 0 or frame.crs is None:
        raise ExportError(
            f"{path} has no polygon" if frame.crs else f"{path} has no coordinate system",
            reason_code=AREA_INVALID,
            hint="save it with its coordinate system, for example as GeoPackage or GeoJSON",
        )
    shapes = frame.geometry[frame.geometry.notna()].to_crs("EPSG:4326").to_numpy()
    return feature_of(shapes)
