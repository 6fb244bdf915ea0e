"""Esri File Geodatabase, zipped: one feature class per layer."""

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.select.field_names import NameRule
from terrafusion_lib.plugins.gis_export.write.archive import zip_folder
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import write_layer

TYPES = {pa.date32(): pa.timestamp("ms", "UTC"), pa.bool_(): pa.int16()}
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


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the geodatabase and pack its folder into one file, as it is."""
    name = path.name.removesuffix(FORMAT.suffix)
    folder = path.with_name(f"{name}.gdb")
    try:
        for layer in layers:
            write_layer(
                layer, folder, driver="OpenFileGDB", name=layer.name, multi=True, types=TYPES
            )
        zip_folder(folder, path, method=zipfile.ZIP_STORED)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


FORMAT = ExportFormat(
    title="File Geodatabase",
    suffix=".gdb.zip",
    write=write,
    size_factor=0.5,
    names=NAMES,
    several_layers=True,
)
