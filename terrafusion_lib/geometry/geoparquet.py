"""Layers as GeoParquet 1.1 files: spatially sorted, with covering bounding boxes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.locks import replacing
from terrafusion_lib.geo.repair import GEOMETRY
from terrafusion_lib.geometry.parcel_layer import (
    HASH,
    SHAPES,
    ParcelLayer,
    check_key,
    differences,
    hashed,
)
from terrafusion_lib.geometry.parcel_totals import (
    LayerLoad,
    check_layer,
    check_not_emptied,
    layer_totals,
)

BOX = "bbox"
EDGES = ("xmin", "ymin", "xmax", "ymax")
GROUP_ROWS = 5_000
"""Rows per row group; a reader with a bounding box reads only intersecting groups."""
LAYER = b"terrafusion"


class GeoParquetStore:
    """``<data>/<county>/geometry/<layer>.parquet``, replaced by renaming."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def path(self, county_id: str, name: str = "parcels") -> Path:
        """File of a layer."""
        return self._data / county_id / "geometry" / f"{name}.parquet"

    def publish(self, layer: ParcelLayer) -> LayerLoad:
        """Make the file equal to the layer; an unchanged layer is not written.

        Raises
        ------
        LoadError
            The key is not unique, the disk is full, the layer is empty but the stored one is not,
            or the written file does not match the layer.
        """
        check_key(layer)
        path = self.path(layer.county_id, layer.name)
        stored = self.row_count(layer.county_id, layer.name)
        check_not_emptied(layer, stored, remove=f"remove {path}")
        source = layer_totals(layer.table)
        rows = hashed(layer)
        new, gone, inserted = differences(rows, self._stored_hashes(layer), layer.key)
        if new.num_rows or gone or not self._same_kind(path, layer):
            try:
                with replacing(path) as temporary:
                    write_geoparquet(layer.sorted_by_place(), temporary)
                    written = pq.read_table(temporary, columns=layer.table.column_names)
                    check_layer(layer, source, layer_totals(written))
            except OSError as error:
                raise LoadError(
                    f"{path} cannot be written: {error}",
                    county=layer.county_id,
                    cause="the disk is full, or the folder is not writable",
                    hint="the last good layer remains",
                ) from error
        updated = new.num_rows - inserted
        unchanged = rows.num_rows - new.num_rows
        return LayerLoad(rows.num_rows, inserted, updated, unchanged, len(gone), source)

    def row_count(self, county_id: str, name: str = "parcels") -> int | None:
        """Rows of a stored layer; None when there is none."""
        path = self.path(county_id, name)
        return int(pq.read_metadata(path).num_rows) if path.is_file() else None

    def is_intact(self, county_id: str, name: str = "parcels") -> bool:
        """Whether the file exists; it is only ever replaced as a whole."""
        return self.path(county_id, name).is_file()

    def read(
        self,
        county_id: str,
        name: str = "parcels",
        *,
        columns: Sequence[str] | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> ParcelLayer:
        """A stored layer in key order; with `box`, only rows whose bounds intersect it.

        Raises
        ------
        LoadError
            There is no such layer or column.
        """
        path = self.path(county_id, name)
        if not path.is_file():
            raise LoadError(
                f"{path} does not exist", county=county_id, hint=f"terrafusion run {county_id}"
            )
        schema = pq.read_schema(path)
        key = json.loads(schema.metadata[LAYER])["key"]
        known = [column for column in schema.names if column != BOX]
        wanted = list(columns or known)
        missing = [column for column in wanted if column not in known]
        if missing:
            raise LoadError("The layer lacks columns", table=name, examples=missing)
        chosen = list(dict.fromkeys([*wanted, key]))
        table = pq.read_table(path, columns=chosen, filters=_meets(box))
        table = table.sort_by(key).select(wanted).replace_schema_metadata(None)
        return ParcelLayer(county_id, table.combine_chunks(), _crs(schema), key, name)

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _stored_hashes(self, layer: ParcelLayer) -> pa.Table:
        """Key and hash of the stored rows; none if the columns differ."""
        path = self.path(layer.county_id, layer.name)
        names = layer.table.column_names
        if path.is_file() and pq.read_schema(path).names == [*names, BOX]:
            stored = self.read(layer.county_id, layer.name, columns=names)
        else:
            stored = ParcelLayer(layer.county_id, layer.table.slice(0, 0), layer.crs, layer.key)
        return hashed(stored).select([layer.key, HASH])

    @staticmethod
    def _same_kind(path: Path, layer: ParcelLayer) -> bool:
        if not path.is_file():
            return False
        schema = pq.read_schema(path)
        return schema.names[:-1] == layer.table.column_names and _crs(schema) == layer.crs


def write_geoparquet(layer: ParcelLayer, path: Path) -> None:
    """Write a layer as GeoParquet 1.1 with the covering column ``bbox``."""
    import shapely

    bounds = shapely.bounds(shapely.from_wkb(layer.table[GEOMETRY].to_numpy()))
    edges = [pa.array(bounds[:, place]) for place in range(len(EDGES))]
    table = layer.table.append_column(BOX, pa.StructArray.from_arrays(edges, names=EDGES))
    metadata = {b"geo": json.dumps(_geo(layer, bounds)), LAYER: json.dumps(_own(layer))}
    pq.write_table(
        table.replace_schema_metadata(metadata),
        path,
        compression="zstd",
        row_group_size=GROUP_ROWS,
    )


def _own(layer: ParcelLayer) -> dict[str, str]:
    return {"key": layer.key, "crs": layer.crs}


def _crs(schema: pa.Schema) -> str:
    return str(json.loads(schema.metadata[LAYER])["crs"])


def _geo(layer: ParcelLayer, bounds: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    """The file's ``geo`` metadata, by the GeoParquet specification 1.1."""
    system = layer.system.to_json_dict()
    column: dict[str, Any] = {"encoding": "WKB", "crs": system}
    main = column | {
        "geometry_types": ["MultiPolygon"],
        "covering": {BOX: {edge: [BOX, edge] for edge in EDGES}},
    }
    if len(bounds):
        main["bbox"] = [*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)]
    columns = {GEOMETRY: main}
    columns |= {
        name: column | {"geometry_types": ["Point"]}
        for name in SHAPES
        if name != GEOMETRY and name in layer.table.column_names
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": columns}


def _meets(box: tuple[float, float, float, float] | None) -> pc.Expression | None:
    if box is None:
        return None
    xmin, ymin, xmax, ymax = box
    return (
        (pc.field(BOX, "xmin") <= xmax)
        & (pc.field(BOX, "xmax") >= xmin)
        & (pc.field(BOX, "ymin") <= ymax)
        & (pc.field(BOX, "ymax") >= ymin)
    )
