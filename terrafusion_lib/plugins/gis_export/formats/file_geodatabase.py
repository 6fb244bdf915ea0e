"""Esri File Geodatabase, zipped: one feature class per layer."""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.select.field_names import NameRule
from terrafusion_lib.plugins.gis_export.select.shapes import system
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid
from terrafusion_lib.plugins.gis_export.write.archive import zip_folder
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import write_layer

TYPES = {pa.date32(): pa.timestamp("ms"), pa.bool_(): pa.int16()}
"""Types missing from the format version that every ArcGIS since 10 reads."""


SQL_WORDS = """
add alter and between by column create delete drop exists for from group in insert into is like not
null or order select set table update values where
"""
NAMES = NameRule(
    pattern=r"[^\W\d]\w{0,63}",
    says="at most 64 letters, digits and _, does not start with a digit, and is not an SQL keyword",
    reserved=frozenset(SQL_WORDS.split()),
)
"""Names that GDAL and Esri software leave unchanged."""


def grid(crs: str) -> Grid:
    """Coordinates that a geodatabase holds: whole steps of 1e-9 degrees, or 1e-4 feet or meters."""
    return Grid(1e9, -400.0) if system(crs).is_geographic else Grid(1e4, -(2.0**31) + 1)


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the geodatabase and pack its folder into one file, as it is."""
    name = path.name.removesuffix(FORMAT.suffix)
    folder = path.with_name(f"{name}.gdb")
    try:
        for layer in layers:
            write_layer(
                layer,
                folder,
                driver="OpenFileGDB",
                name=layer.name,
                multi=True,
                types=TYPES,
                options=_options(layer.grid or grid(layer.crs)),
            )
        zip_folder(folder, path, method=zipfile.ZIP_STORED)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options(found: Grid) -> dict[str, str]:
    """What tells GDAL the grid, and that dates are of the county's own clock, not of UTC.

    Places nearer than ten steps of the grid are one to Esri's software.
    """
    origin = repr(found.origin)
    tolerance = repr(10 / found.scale)
    return {
        "XORIGIN": origin,
        "YORIGIN": origin,
        "XYSCALE": repr(found.scale),
        "XYTOLERANCE": tolerance,
        "TIME_IN_UTC": "NO",
    }


FORMAT = ExportFormat(
    title="File Geodatabase",
    suffix=".gdb.zip",
    write=write,
    size_factor=0.5,
    grid=grid,
    names=NAMES,
    several_layers=True,
)
