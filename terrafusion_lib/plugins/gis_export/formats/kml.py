"""KML for Google Earth and the like: WGS 84."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from terrafusion_lib.plugins.gis_export.completeness import check_text
from terrafusion_lib.plugins.gis_export.export_layer import ExportField, ExportLayer
from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.gdal import write_layer

LABEL = "Name"
"""Field that GDAL's driver writes as the name of a placemark."""


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer by GDAL's plain KML driver, several times faster than LIBKML."""
    (layer,) = layers
    named = replace(layer, fields=(_label(layer), *layer.fields))
    write_layer(named, path, driver="KML", name=layer.name, multi=False)
    check_text(path, end=b"</kml>\n", mark=b"<Placemark ", count=layer.records)


def _label(layer: ExportLayer) -> ExportField:
    """What names the placemarks: the parcel number, else the first part of the key."""
    by_attribute = {item.attribute: item for item in layer.fields}
    by_name = {item.name: item for item in layer.fields}
    return replace(by_attribute.get("parcel_number", by_name[layer.key[0]]), name=LABEL)


FORMAT = ExportFormat(
    title="KML",
    suffix=".kml",
    write=write,
    size_factor=6.0,
    crs="EPSG:4326",
    styles=Styles.NONE,
)
