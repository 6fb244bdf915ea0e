"""GeoJSON text sequence (RFC 8142): one feature a record, for streams and logs."""

from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.features import features
from terrafusion_lib.plugins.gis_export.write.shape_text import degree_grid
from terrafusion_lib.plugins.gis_export.write.text_file import write_text

SEPARATOR = "\x1e"
"""Record separator of RFC 8142."""


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer, each feature behind the record separator.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    (layer,) = layers
    some = layer.records > 0
    ends = {"head": SEPARATOR, "tail": "\n"} if some else {}
    write_text(layer, path, features, between=f"\n{SEPARATOR}", **ends)


FORMAT = ExportFormat(
    title="GeoJSON text sequence",
    suffix=".geojsons",
    write=write,
    size_factor=4.0,
    crs="EPSG:4326",
    grid=degree_grid,
)
