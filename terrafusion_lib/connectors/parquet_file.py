"""Parquet and GeoParquet files; geometry is WKB, members of structs are named ``bbox.xmin``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError


class ParquetFile:
    """One Parquet file; columns keep the types that it declares."""

    def __init__(self, path: Path) -> None:
        self.path = path

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
            for batch in file.iter_batches(batch_size=batch_rows, columns=list(names)):
                flat = _flat(pa.Table.from_batches([batch]))
                yield [flat[name].combine_chunks() for name in names]

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise ConnectError(
                f"{self.path} is not a Parquet file that can be read: {error}",
                table=self.path.name,
            ) from error


def _flat(table: pa.Table) -> pa.Table:
    """`table` with struct columns replaced by their members."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table
