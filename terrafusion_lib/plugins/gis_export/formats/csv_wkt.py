"""CSV with the geometry as WKT; types in a .csvt file, the coordinate system in a .prj file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.select.shapes import objects, system
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportLayer
from terrafusion_lib.plugins.write_errors import write_error

WKT = "WKT"
DECIMALS = 9
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
    try:
        with pa_csv.CSVWriter(path, schema) as writer:
            for batch in layer.batches(multi=False):
                writer.write_batch(_texts(batch, schema))
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


FORMAT = ExportFormat(
    title="CSV with WKT", suffix=".csv", write=write, size_factor=2.5, styles=Styles.NONE
)
