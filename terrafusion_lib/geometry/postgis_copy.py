"""Arrow in and out of PostgreSQL by binary COPY."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from terrafusion_lib.geometry.postgis_binary import BinaryRows

BATCH_ROWS = 10_000
BUFFER = 1 << 20


def copy_in(cursor: Any, table: str, rows: pa.Table, *, options: str = "") -> None:
    """Append rows; binary columns may go into geometry columns, which set their SRID."""
    from pgpq import ArrowToPostgresBinaryEncoder

    encoder = ArrowToPostgresBinaryEncoder(rows.schema)

    def chunks() -> Iterator[bytes]:
        yield encoder.write_header()
        for batch in rows.to_batches(max_chunksize=BATCH_ROWS):
            yield encoder.write_batch(batch)
        yield encoder.finish()

    columns = ", ".join(f'"{name}"' for name in rows.column_names)
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT binary{options})"
    cursor.copy_expert(statement, _Chunks(chunks()), BUFFER)


def copy_out(cursor: Any, query: str, schema: pa.Schema) -> pa.Table:
    """Rows of a query whose columns have the types of `schema`."""
    with ThreadPoolExecutor(1) as decoder:
        rows = BinaryRows(schema, decoder)
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", rows)
        return rows.table()


class _Chunks(io.RawIOBase):
    """A readable stream of chunks made when they are needed."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        piece = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(piece) :]
        return bytes(piece)
