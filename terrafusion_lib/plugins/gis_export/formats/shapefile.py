"""Esri Shapefile, zipped: UTF-8 code page, ten-byte field names and a field name map."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from terrafusion_lib.plugins.gis_export.errors import FILE_TOO_LARGE, ExportError
from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.select.field_names import cut, short_names
from terrafusion_lib.plugins.gis_export.write.archive import zip_files
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportField, ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import WIDTH, stream_batches
from terrafusion_lib.plugins.gis_export.write.shapefile_parts import check_whole

LONGEST_TEXT = 254
LARGEST_FILE = 2**31 - 1
"""Bytes of a .shp or .dbf: offsets are signed 32-bit numbers in most software."""


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write every layer as a shapefile with style and field map, and pack them.

    Raises
    ------
    ExportError
        A .shp or .dbf would grow beyond two gigabytes, or could not be written.
    """
    folder = path.with_name(f"{path.stem}.tmp")
    try:
        folder.mkdir()
        for layer in layers:
            _write_layer(layer, folder)
        zip_files({item.name: item for item in folder.iterdir()}, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_layer(layer: ExportLayer, folder: Path) -> None:
    names = short_names([item.name for item in layer.fields])
    schema = pa.schema([_field(item, names[item.name]) for item in layer.fields])
    schema = schema.append(pa.field(GEOMETRY, pa.binary()))
    lost = dict.fromkeys(names, 0)
    stream_batches(
        schema,
        _fitted(layer, schema, folder, lost),
        folder / f"{layer.name}.shp",
        driver="ESRI Shapefile",
        name=layer.name,
        geometry_type="Point" if layer.shapes.kind == "Point" else "Polygon",
        crs=layer.crs,
        options={"2GB_LIMIT": "YES"},
    )
    _check_size(folder, layer.name)
    check_whole(folder / f"{layer.name}.shp", layer.records, names.values())
    _field_map(layer, names, lost, folder / f"{layer.name}_fields.csv")
    if layer.style:
        style = layer.style.renamed(names[layer.style.field])
        (folder / f"{layer.name}.qml").write_text(style.qml(), encoding="utf-8")
        (folder / f"{layer.name}.sld").write_text(style.sld(layer.name), encoding="utf-8")


def _field(item: ExportField, name: str) -> pa.Field:
    """The field in dBase form: fixed-width text, booleans as 1 and 0."""
    if pa.types.is_string(item.type):
        width = min(item.longest(), LONGEST_TEXT)
        return pa.field(name, pa.string(), metadata={WIDTH: str(width).encode()})
    return pa.field(name, pa.int16() if pa.types.is_boolean(item.type) else item.type)


def _fitted(
    layer: ExportLayer, schema: pa.Schema, folder: Path, lost: dict[str, int]
) -> Iterator[pa.RecordBatch]:
    """Batches in dBase form; `lost` counts truncated texts, by field."""
    for batch in layer.batches(multi=False):
        _check_size(folder, layer.name)
        columns = []
        for name, values, field in zip(batch.schema.names, batch.columns, schema, strict=True):
            if pa.types.is_string(field.type):
                fitted, count = shortened(values, LONGEST_TEXT)
                lost[name] += count
                columns.append(fitted)
            else:
                columns.append(values)
        yield pa.record_batch(columns, names=schema.names)


def shortened(values: pa.Array, most: int) -> tuple[pa.Array, int]:
    """Texts truncated to `most` bytes of UTF-8 at character boundaries, and how many."""
    long = pc.fill_null(pc.greater(pc.binary_length(values), most), False)
    count = int(pc.sum(long).as_py() or 0)
    if not count:
        return values, 0
    texts = values.filter(long).to_pylist()
    return pc.replace_with_mask(
        values, long, pa.array([cut(text, most) for text in texts], pa.string())
    ), count


def _check_size(folder: Path, name: str) -> None:
    """Reject shapefiles that most software cannot read.

    Raises
    ------
    ExportError
        A part of the shapefile is larger than two gigabytes.
    """
    for suffix in (".shp", ".dbf"):
        part = folder / f"{name}{suffix}"
        if part.exists() and part.stat().st_size > LARGEST_FILE:
            raise ExportError(
                f"{part.name} exceeds two gigabytes, the limit of a shapefile",
                reason_code=FILE_TOO_LARGE,
                table=name,
                hint="export as geopackage or file_geodatabase, a smaller area, or fewer "
                "attributes",
            )


def _field_map(layer: ExportLayer, names: dict[str, str], lost: dict[str, int], path: Path) -> None:
    """The table that gives each field its full name and meaning."""
    table = pa.table(
        {
            "field": [names[item.name] for item in layer.fields],
            "attribute": [item.name for item in layer.fields],
            "meaning": [item.meaning for item in layer.fields],
            "texts_cut": [lost[item.name] for item in layer.fields],
        }
    )
    pa_csv.write_csv(table, path)


FORMAT = ExportFormat(
    title="Shapefile",
    suffix=".shp.zip",
    write=write,
    size_factor=0.7,
    several_layers=True,
    styles=Styles.INSIDE,
)
