"""GeoJSON text sequence (RFC 8142): one feature a record, for streams and logs."""

from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.plugins.gis_export.completeness import check_text
from terrafusion_lib.plugins.gis_export.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.gdal import write_layer


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer, each feature behind the record separator that RFC 8142 asks for."""
    (layer,) = layers
    options = {"RS": "YES", "COORDINATE_PRECISION": "7"}
    write_layer(layer, path, driver="GeoJSONSeq", name=layer.name, multi=False, options=options)
    check_text(path, end=b"}\n", mark=b"\x1e", count=layer.records)


FORMAT = ExportFormat(
    title="GeoJSON text sequence",
    suffix=".geojsons",
    write=write,
    size_factor=4.0,
    crs="EPSG:4326",
)
