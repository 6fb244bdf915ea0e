"""GeoPackage: one file, a table per layer, styles inside."""

from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import write_layer, write_table
from terrafusion_lib.plugins.gis_export.write.layer_styles import GEOMETRY_COLUMN, layer_styles
from terrafusion_lib.plugins.gis_export.write.whole_file import incomplete


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write every layer, then QGIS's table of default styles."""
    for layer in layers:
        write_layer(layer, path, driver="GPKG", name=layer.name, multi=True)
    styles = layer_styles(layers)
    if styles.num_rows:
        write_table(styles, path, driver="GPKG", name="layer_styles")
    for layer in layers:
        _check(path, layer)


def _check(path: Path, layer: ExportLayer) -> None:
    """Check that every record is in the spatial index, which GDAL creates when closing the file.

    Raises
    ------
    ExportError
        Some are not.
    """
    from pyogrio.raw import read_arrow

    count = f'SELECT count(*) AS n FROM "rtree_{layer.name}_{GEOMETRY_COLUMN}"'
    try:
        indexed = read_arrow(path, sql=count)[1]["n"][0].as_py()
    except RuntimeError as error:
        raise incomplete(path) from error
    if indexed != layer.records:
        raise incomplete(path)


FORMAT = ExportFormat(
    title="GeoPackage",
    suffix=".gpkg",
    write=write,
    size_factor=1.5,
    several_layers=True,
    styles=Styles.INSIDE,
)
