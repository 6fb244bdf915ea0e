"""GeoJSON (RFC 7946): WGS 84, seven decimals."""

import json
from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.features import features
from terrafusion_lib.plugins.gis_export.write.shape_text import degree_grid
from terrafusion_lib.plugins.gis_export.write.text_file import write_text


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer as one feature collection.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    (layer,) = layers
    head = f'{{\n"type": "FeatureCollection",\n"name": {json.dumps(layer.name)},\n"features": [\n'
    write_text(layer, path, features, head=head, between=",\n", tail="\n]\n}\n")


FORMAT = ExportFormat(
    title="GeoJSON",
    suffix=".geojson",
    write=write,
    size_factor=4.0,
    crs="EPSG:4326",
    grid=degree_grid,
)
