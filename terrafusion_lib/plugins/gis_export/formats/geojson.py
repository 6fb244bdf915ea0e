"""GeoJSON (RFC 7946): WGS 84, seven decimals."""

from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.plugins.gis_export.completeness import check_text
from terrafusion_lib.plugins.gis_export.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.gdal import write_layer


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer as one feature collection."""
    (layer,) = layers
    options = {"RFC7946": "YES", "COORDINATE_PRECISION": "7"}
    write_layer(layer, path, driver="GeoJSON", name=layer.name, multi=False, options=options)
    check_text(path, end=b"]\n}\n", mark=b'{ "type": "Feature", ', count=layer.records)


FORMAT = ExportFormat(
    title="GeoJSON", suffix=".geojson", write=write, size_factor=4.0, crs="EPSG:4326"
)
