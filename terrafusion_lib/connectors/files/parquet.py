"""Parquet and GeoParquet files; shapes become WKB, members of structs are named ``bbox.xmin``."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.native_shapes import native_columns, native_wkb
from terrafusion_lib.connectors.files.shape_systems import transformed
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType


class ParquetFile:
    """One Parquet file; columns keep the file's types.

    Parameters
    ----------
    crs : str
        Coordinate system for the shapes of a GeoParquet file; empty: the file's own.
    """

    def __init__(self, path: Path, *, crs: str = "") -> None:
        self.path = path
        self.name = path.name
        self.account = FileAccount()
        self._crs = crs

    def columns(self) -> list[SourceColumn]:
        with self._open() as file:
            native = native_columns(_shape_columns(file.schema_arrow.metadata or {}))
            flat = _flat(file.schema_arrow.empty_table(), native)
        return [SourceColumn(field.name, str(field.type), field.nullable) for field in flat.schema]

    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG002 - a schema holds the names
        """No row holds names."""
        return iter(())

    def row_count(self) -> int:
        with self._open() as file:
            return int(file.metadata.num_rows)

    def batches(
        self,
        names: Sequence[str],
        batch_rows: int,
        kinds: Sequence[RawType] = (),  # noqa: ARG002 - types are those of the file
    ) -> Iterator[list[pa.Array]]:
        """The named columns, in the file's own types."""
        self.account = FileAccount()
        with self._open() as file:
            self.account.records = file.metadata.num_rows
            shapes = _shape_columns(file.schema_arrow.metadata or {})
            systems, native = _systems(shapes), native_columns(shapes)
            for batch in file.iter_batches(batch_size=batch_rows, columns=list(names)):
                flat = _flat(pa.Table.from_batches([batch]), native)
                yield [
                    self._column(flat[name].combine_chunks(), systems.get(name), native.get(name))
                    for name in names
                ]

    def _column(self, column: pa.Array, system: str | None, encoding: str | None) -> pa.Array:
        if encoding:
            column = native_wkb(column, encoding)
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


def _shape_columns(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """What the file says of each shape column."""
    columns: dict[str, dict[str, Any]] = json.loads(metadata.get(b"geo", b"{}")).get("columns", {})
    return columns


def _systems(columns: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Coordinate system of each shape column; without one it is OGC:CRS84 (GeoParquet 1.1)."""
    return {
        name: json.dumps(column["crs"]) if "crs" in column else "OGC:CRS84"
        for name, column in columns.items()
        if column.get("crs", True) is not None
    }


def _flat(table: pa.Table, native: Collection[str]) -> pa.Table:
    """`table` with struct columns replaced by their members, but for `native` points."""
    while structs := [
        field.name
        for field in table.schema
        if pa.types.is_struct(field.type) and field.name not in native
    ]:
        first = table.column_names.index(structs[0])
        members = table.select([structs[0]]).flatten()
        table = table.remove_column(first)
        for place, field in enumerate(members.schema, start=first):
            table = table.add_column(place, field, members[field.name])
    return table
