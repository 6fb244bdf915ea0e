"""Export formats: their definition and registry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.registry import Registry
from terrafusion_lib.plugins.gis_export.errors import (
    FAIL_FORMAT_SIM,
    SIMULATED_FORMAT_FAILURE,
    UNKNOWN_FORMAT,
    ExportError,
)
from terrafusion_lib.plugins.gis_export.select.field_names import ANY_NAME, NameRule
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer

SYNONYMS = {
    "gpkg": "geopackage",
    "fgb": "flatgeobuf",
    "parquet": "geoparquet",
    "geojsonl": "geojson_sequence",
    "geojsonseq": "geojson_sequence",
    "shp": "shapefile",
    "esri_shapefile": "shapefile",
    "gdb": "file_geodatabase",
    "filegdb": "file_geodatabase",
    "csv": "csv_wkt",
    "vector_tiles": "pmtiles",
}


class Styles(StrEnum):
    """Where a format's styles go."""

    INSIDE = "inside"
    BESIDE = "beside"
    NONE = "none"


@dataclass(frozen=True)
class ExportFormat:
    """One format: ``formats/<name>.py`` holds an instance named ``FORMAT``.

    Attributes
    ----------
    write : callable
        Writes layers to a path that does not exist yet: several when `several_layers`, else one.
        Raises `ExportError`.
    crs : str, optional
        Coordinate system that the format requires; None: any.
    size_factor : float
        Bytes on disk per byte of the records in memory, for estimates.
    grid : callable, optional
        Coordinates that it can hold in a system; None: any double.
    names : NameRule
        Valid field names; default: any printable name.
    """

    title: str
    suffix: str
    write: Callable[[Sequence[ExportLayer], Path], None]
    size_factor: float
    names: NameRule = ANY_NAME
    grid: Callable[[str], Grid] | None = None
    several_layers: bool = False
    crs: str | None = None
    styles: Styles = Styles.BESIDE


FORMATS = Registry(
    "export format",
    "terrafusion.export_formats",
    "plugins/gis_export/formats",
    "{name}.py",
    "FORMAT",
)


def format_name(name: str) -> str:
    """The name of a format, ignoring case and blanks and accepting common short names.

    Raises
    ------
    ExportError
        The simulated failure was requested, or there is no such format (the closest is suggested).
    """
    if name == FAIL_FORMAT_SIM:
        raise ExportError(
            f"Export failed on purpose: the format was {FAIL_FORMAT_SIM}",
            reason_code=SIMULATED_FORMAT_FAILURE,
        )
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    plain = SYNONYMS.get(plain, plain)
    known = FORMATS.names()
    if plain in known:
        return plain
    raise ExportError(
        f"There is no export format {name!r}: there are {', '.join(known)}",
        reason_code=UNKNOWN_FORMAT,
        hint=did_you_mean(plain, known),
    )


def load_format(name: str) -> ExportFormat:
    """The format with a name from `format_name`.

    Raises
    ------
    PluginError
        Its module cannot be imported.
    """
    return cast("ExportFormat", FORMATS.load(name))
