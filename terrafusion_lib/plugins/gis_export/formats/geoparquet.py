"""GeoParquet 1.1: columns, WKB, and each record's box for readers that filter by place."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.plugins.gis_export.errors import write_error
from terrafusion_lib.plugins.gis_export.export_layer import GEOMETRY, ExportLayer
from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.shapes import POLYGON, objects, system

BOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer with the metadata that the specification asks for.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    (layer,) = layers
    fields = [
        pa.field(item.name, item.type, metadata={"description": item.meaning})
        for item in layer.fields
    ]
    schema = pa.schema([*fields, pa.field(GEOMETRY, pa.binary()), pa.field("bbox", BOX)])
    whole = [np.inf, np.inf, -np.inf, -np.inf]
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in _boxed(layer, schema, whole):
                writer.write_batch(batch)
            writer.add_key_value_metadata({"geo": json.dumps(_geo(layer, whole))})
    except OSError as error:
        raise write_error(error, path, table=layer.name) from error


def _boxed(layer: ExportLayer, schema: pa.Schema, whole: list[float]) -> Iterator[pa.RecordBatch]:
    """The batches with each record's box; `whole` grows to hold them all."""
    import shapely

    for batch in layer.batches(multi=False):
        edges = shapely.bounds(shapely.from_wkb(objects(batch[GEOMETRY])))
        whole[:2] = np.fmin(whole[:2], np.nanmin(edges[:, :2], axis=0)).tolist()
        whole[2:] = np.fmax(whole[2:], np.nanmax(edges[:, 2:], axis=0)).tolist()
        boxes = pa.StructArray.from_arrays(
            [pa.array(np.ascontiguousarray(edges[:, i])) for i in range(4)], fields=list(BOX)
        )
        yield pa.record_batch([*batch.columns, boxes], schema=schema)


def _geo(layer: ExportLayer, whole: list[float]) -> dict[str, Any]:
    types = ["Polygon", "MultiPolygon"] if layer.shapes.kind == POLYGON else ["Point"]
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": types,
        "crs": system(layer.crs).to_json_dict(),
        "covering": {"bbox": {name: ["bbox", name] for name in ("xmin", "ymin", "xmax", "ymax")}},
    }
    if np.isfinite(whole).all():
        column["bbox"] = whole
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


FORMAT = ExportFormat(title="GeoParquet", suffix=".parquet", write=write, size_factor=0.6)
