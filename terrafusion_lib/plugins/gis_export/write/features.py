"""Records as GeoJSON features, shared by GeoJSON and its text sequence."""

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY
from terrafusion_lib.plugins.gis_export.write.shape_text import Nested, Notation, shape_texts

_LIST = Nested("[", ", ", "]")
_NOTATION = Notation(
    pair=_LIST,
    outer=_LIST,
    inner=_LIST,
    polygon=_LIST,
    alone=Nested('{ "type": "Polygon", "coordinates": ', "", " }"),
    several=Nested('{ "type": "MultiPolygon", "coordinates": [', ", ", "] }"),
    point=Nested('{ "type": "Point", "coordinates": ', "", " }"),
)


def features(batch: pa.RecordBatch) -> pa.Array:
    """A GeoJSON feature (RFC 7946) of each record, without a line end."""
    return pc.binary_join_element_wise(
        '{ "type": "Feature", "properties": ',
        _properties(batch.drop_columns([GEOMETRY])),
        ', "geometry": ',
        shape_texts(batch[GEOMETRY], _NOTATION),
        " }",
        "",
    )


def _properties(batch: pa.RecordBatch) -> pa.Array:
    """Each record as a JSON object; numbers not allowed in JSON become null."""
    import duckdb

    columns = [
        pc.if_else(pc.is_finite(values), values, None)
        if pa.types.is_floating(values.type)
        else values
        for values in batch.columns
    ]
    whole = "whole"  # a column of that name would shadow the record
    while whole in {name.casefold() for name in batch.schema.names}:
        whole += "_"
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.register("records", pa.table(columns, names=batch.schema.names))
        objects = engine.sql(f"SELECT CAST(to_json({whole}) AS VARCHAR) FROM records AS {whole}")
        return objects.to_arrow_table().column(0).combine_chunks()
