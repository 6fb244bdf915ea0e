"""KML for Google Earth and the like: WGS 84."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportField, ExportLayer
from terrafusion_lib.plugins.gis_export.write.shape_text import (
    Nested,
    Notation,
    degree_grid,
    shape_texts,
)
from terrafusion_lib.plugins.gis_export.write.text_file import write_text

TYPES = {pa.int32(): "int", pa.int64(): "int", pa.float64(): "float", pa.bool_(): "bool"}
"""Types of KML's schema; all others are text."""
FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"
"""Characters not allowed in XML."""
ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))

_NOTATION = Notation(
    pair=Nested("", ",", ""),
    outer=Nested(
        "<outerBoundaryIs><LinearRing><coordinates>",
        " ",
        "</coordinates></LinearRing></outerBoundaryIs>",
    ),
    inner=Nested(
        "<innerBoundaryIs><LinearRing><coordinates>",
        " ",
        "</coordinates></LinearRing></innerBoundaryIs>",
    ),
    polygon=Nested("<Polygon>", "", "</Polygon>"),
    alone=Nested("", "", ""),
    several=Nested("<MultiGeometry>", "", "</MultiGeometry>"),
    point=Nested("<Point><coordinates>", "", "</coordinates></Point>"),
)


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer in a folder of its document.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    (layer,) = layers
    name = escape(layer.name)
    write_document(layer, path, opens=f"<Folder><name>{name}</name>\n", closes="</Folder>")


def write_document(layer: ExportLayer, path: Path, *, opens: str = "", closes: str = "") -> None:
    """Write the layer's placemarks into a document, between `opens` and `closes`."""
    names = [item.name for item in layer.fields]
    label = names.index(_label(layer).name)
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document id="root_doc">\n'
        f"{_schema(layer)}{opens}"
    )
    placemarks = partial(_placemarks, schema_url=quoteattr(f"#{layer.name}"), label=label)
    write_text(layer, path, placemarks, head=head, tail=f"\n{closes}</Document></kml>\n")


def _schema(layer: ExportLayer) -> str:
    fields = "".join(
        f'<SimpleField name={quoteattr(item.name)} type="{TYPES.get(item.type, "string")}">'
        "</SimpleField>\n"
        for item in layer.fields
    )
    name = quoteattr(layer.name)
    return f"<Schema name={name} id={name}>\n{fields}</Schema>\n"


def _placemarks(batch: pa.RecordBatch, *, schema_url: str, label: int) -> pa.Array:
    texts = [_text(values) for values in batch.drop_columns([GEOMETRY]).columns]
    data = [
        pc.binary_join_element_wise(
            f"<SimpleData name={quoteattr(name)}>", text, "</SimpleData>", ""
        )
        for name, text in zip(batch.schema.names, texts, strict=False)
    ]
    return pc.binary_join_element_wise(
        "<Placemark>",
        pc.binary_join_element_wise("<name>", texts[label], "</name>", ""),
        f"<ExtendedData><SchemaData schemaUrl={schema_url}>",
        *data,
        "</SchemaData></ExtendedData>",
        shape_texts(batch[GEOMETRY], _NOTATION),
        "</Placemark>",
        "",
        null_handling="skip",
    )


def _text(values: pa.Array) -> pa.Array:
    """Values as XML text; null stays null."""
    if not pa.types.is_string(values.type):
        return values.cast(pa.string())
    for mark, entity in ENTITIES:
        values = pc.replace_substring(values, mark, entity)
    return pc.replace_substring_regex(values, FORBIDDEN, "")


def _label(layer: ExportLayer) -> ExportField:
    """Name of the placemarks: the parcel number, or the first part of the key."""
    by_attribute = {item.attribute: item for item in layer.fields}
    by_name = {item.name: item for item in layer.fields}
    return by_attribute.get("parcel_number", by_name[layer.key[0]])


FORMAT = ExportFormat(
    title="KML",
    suffix=".kml",
    write=write,
    size_factor=6.0,
    crs="EPSG:4326",
    grid=degree_grid,
    styles=Styles.NONE,
)
