"""CSV with the geometry as WKT; types in a .csvt file, the coordinate system in a .prj file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.select.shapes import objects, system
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportLayer
from terrafusion_lib.plugins.write_errors import write_error

WKT = "WKT"
DECIMALS = 9
LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds; it cuts longer ones without a word."""
TYPES = {
    pa.string(): "String",
    pa.int32(): "Integer",
    pa.float64(): "Real",
    pa.bool_(): "Integer(Boolean)",
    pa.date32(): "Date",
}
"""Words of a .csvt by type; true and false are written as 1 and 0."""


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer in UTF-8; the first column holds the geometry.

    Shapes whose text is longer than a cell of a spreadsheet are listed in ``…_long_shapes.csv``.

    Raises
    ------
    ExportError
        A file could not be written.
    """
    (layer,) = layers
    fields = [
        pa.field(item.name, pa.int8() if pa.types.is_boolean(item.type) else item.type)
        for item in layer.fields
    ]
    schema = pa.schema([pa.field(WKT, pa.string()), *fields])
    long_shapes = []
    try:
        with pa_csv.CSVWriter(path, schema) as writer:
            for batch in layer.batches(multi=False):
                texts = _texts(batch, schema)
                writer.write_batch(texts)
                long_shapes.append(_long_shapes(texts, layer.key))
        listed = pa.Table.from_batches(long_shapes) if long_shapes else None
        if listed:
            pa_csv.write_csv(listed, path.with_name(f"{path.stem}_long_shapes.csv"))
        words = ",".join([WKT, *(TYPES[item.type] for item in layer.fields)])
        path.with_suffix(".csvt").write_text(words + "\n", encoding="utf-8")
        prj = system(layer.crs).to_wkt("WKT1_GDAL")
        path.with_suffix(".prj").write_text(prj, encoding="utf-8")
    except OSError as error:
        raise write_error(error, path, table=layer.name) from error


def _texts(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import shapely

    shapes = shapely.from_wkb(objects(batch[GEOMETRY]))
    wkt = np.asarray(shapely.to_wkt(shapes, rounding_precision=DECIMALS), dtype=object)
    columns = [pa.array(wkt, pa.string()), *batch.columns[:-1]]
    return pa.record_batch(
        [values.cast(field.type) for values, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _long_shapes(texts: pa.RecordBatch, key: Sequence[str]) -> pa.RecordBatch:
    """Key and length of the shapes that a spreadsheet would cut."""
    lengths = pc.utf8_length(texts[WKT])
    long_texts = texts.select(list(key)).append_column("characters", lengths)
    return long_texts.filter(pc.greater(lengths, LONGEST_CELL))


def grid(_crs: str) -> Grid:
    """Coordinates that the text holds."""
    return Grid(10.0**DECIMALS)


FORMAT = ExportFormat(
    title="CSV with WKT",
    suffix=".csv",
    write=write,
    size_factor=2.5,
    grid=grid,
    styles=Styles.NONE,
)
