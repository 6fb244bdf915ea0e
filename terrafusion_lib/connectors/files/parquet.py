"""Parquet and GeoParquet files; geometry is WKB, struct members are named like ``bbox.xmin``."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.connectors.files.shape_systems import transformed
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError


class ParquetFile:
    """One Parquet file; columns keep the file's types.

    Parameters
    ----------
    crs : str
        Coordinate system for the shapes of a GeoParquet file; empty: the file's own.
    """

    def __init__(self, path: Path, *, crs: str = "") -> None:
        self.path = path
        self._crs = crs

    def columns(self) -> list[SourceColumn]:
        with self._open() as file:
            flat = _flat(file.schema_arrow.empty_table())
        return [SourceColumn(field.name, str(field.type), field.nullable) for field in flat.schema]

    def row_count(self) -> int:
        with self._open() as file:
            return int(file.metadata.num_rows)

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[list[pa.Array]]:
        """The named columns, in the file's own types."""
        with self._open() as file:
            systems = _systems(file.schema_arrow.metadata or {})
            for batch in file.iter_batches(batch_size=batch_rows, columns=list(names)):
                flat = _flat(pa.Table.from_batches([batch]))
                yield [
                    self._column(flat[name].combine_chunks(), systems.get(name)) for name in names
                ]

    def _column(self, column: pa.Array, system: str | None) -> pa.Array:
        if system is None:
            return column
        return transformed(column.cast(pa.binary()), system, self._crs, source=self.path)

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise ConnectError(
                f"{self.path} is not a readable Parquet file: {error}",
                table=self.path.name,
            ) from error


def _systems(metadata: dict[bytes, bytes]) -> dict[str, str]:
    """Coordinate system of each shape column; without one it is OGC:CRS84 (GeoParquet 1.1)."""
    geo = json.loads(metadata.get(b"geo", b"{}"))
    columns = {
        name: column
        for name, column in geo.get("columns", {}).items()
        if column.get("encoding") == "WKB" and column.get("crs", True) is not None
    }
    return {
        name: json.dumps(column["crs"]) if "crs" in column else "OGC:CRS84"
        for name, column in columns.items()
    }


def _flat(table: pa.Table) -> pa.Table:
    """`table` with struct columns replaced by their members."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table
