"""GeoParquet 1.1: columns, WKB, and each record's bounding box for spatial filters."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.select.shapes import (
    POLYGON,
    objects,
    system,
)
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportLayer
from terrafusion_lib.plugins.write_errors import write_error

BOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer with the metadata required by the specification.

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
    # Numbers and shapes rarely repeat, so a dictionary costs time and saves nothing.
    repeating = [field.name for field in fields if pa.types.is_string(field.type)]
    whole = np.array([np.inf, np.inf, -np.inf, -np.inf])
    try:
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeating) as writer:
            for batch, edges in layer.made_from_batches(partial(_boxed, schema), multi=False):
                whole[:2], whole[2:] = np.fmin(whole[:2], edges[:2]), np.fmax(whole[2:], edges[2:])
                writer.write_batch(batch)
            writer.add_key_value_metadata({"geo": json.dumps(_geo(layer, whole.tolist()))})
    except OSError as error:
        raise write_error(error, path, table=layer.name) from error


def _boxed(schema: pa.Schema, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Floats]:
    """The batch with each record's bounding box, and the box of all."""
    import shapely

    edges = shapely.bounds(shapely.from_wkb(objects(batch[GEOMETRY])))
    boxes = pa.StructArray.from_arrays(
        [pa.array(np.ascontiguousarray(edges[:, i])) for i in range(4)], fields=list(BOX)
    )
    whole = np.concatenate([np.nanmin(edges[:, :2], axis=0), np.nanmax(edges[:, 2:], axis=0)])
    return pa.record_batch([*batch.columns, boxes], schema=schema), whole


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
