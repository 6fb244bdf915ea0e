"""Shapes of GeoParquet in its native encodings (GeoArrow: lists of coordinates) as WKB."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from terrafusion_lib.core.errors import ConnectError

ENCODINGS = {
    "point": ("POINT", 0),
    "linestring": ("LINESTRING", 1),
    "polygon": ("POLYGON", 2),
    "multipoint": ("MULTIPOINT", 1),
    "multilinestring": ("MULTILINESTRING", 2),
    "multipolygon": ("MULTIPOLYGON", 3),
}
"""Kind of shape, and how deep its lists are."""


def native_columns(columns: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Encoding of the shape columns that are no WKB.

    Raises
    ------
    ConnectError
        An encoding is unknown.
    """
    encodings = {name: str(column.get("encoding", "WKB")) for name, column in columns.items()}
    unknown = [name for name, item in encodings.items() if item not in ("WKB", *ENCODINGS)]
    if unknown:
        raise ConnectError(
            f"Shapes in the encoding {encodings[unknown[0]]} cannot be read",
            column=", ".join(unknown),
            hint="convert the file to WKB: ogr2ogr -lco GEOMETRY_ENCODING=WKB new.parquet old",
        )
    return {name: item for name, item in encodings.items() if item in ENCODINGS}


def native_wkb(column: pa.Array, encoding: str) -> pa.Array:
    """Two-dimensional WKB of a column in a native encoding; null stays null."""
    import shapely

    kind, depth = ENCODINGS[encoding]
    values = column.drop_null()
    offsets: list[NDArray[np.int64]] = []
    for _ in range(depth):
        lengths = pc.list_value_length(values).to_numpy(zero_copy_only=False)
        offsets.insert(0, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
        values = values.flatten()
    x, y = (pc.struct_field(values, axis).to_numpy(zero_copy_only=False) for axis in ("x", "y"))
    pairs = np.column_stack([x, y]).astype(np.float64)
    shapes = shapely.from_ragged_array(shapely.GeometryType[kind], pairs, tuple(offsets) or None)
    wkb = np.full(len(column), None, dtype=object)
    wkb[np.asarray(column.is_valid())] = shapely.to_wkb(shapes)
    return pa.array(wkb, pa.binary())
