"""Arrow batches into a table as fast as each database takes them."""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa


def insert_batches(connection: sa.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append all batches to `table` inside the connection's transaction; returns the row count.

    PostgreSQL: binary COPY. SQLite: one prepared statement over columns turned into rows.
    """
    if connection.dialect.name == "sqlite":
        return _insert_sqlite(connection, table, batches)
    return _copy_postgres(connection, table, batches)


def sqlite_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches with dates as ISO text and booleans as 0 and 1, which is how SQLite keeps them."""
    for batch in batches:
        columns = [_sqlite_column(column) for column in batch.columns]
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _sqlite_column(column: pa.Array) -> pa.Array:
    if pa.types.is_date(column.type):
        return pc.cast(column, pa.string())
    if pa.types.is_boolean(column.type):
        return pc.cast(column, pa.int8())
    return column


def _insert_sqlite(connection: sa.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    cursor = connection.connection.cursor()
    rows = 0
    for batch in batches:
        names = ", ".join(batch.schema.names)
        marks = ", ".join("?" * batch.num_columns)
        # Rows are made one by one while they are inserted: a list of them would cost as much again.
        values: Any = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        rows += batch.num_rows
    cursor.close()
    return rows


def _copy_postgres(connection: sa.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    stream = _BinaryCopy(batches)
    first = stream.schema
    if first is None:
        return 0
    cursor = connection.connection.cursor()
    columns = ", ".join(first.names)
    cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)", stream)
    cursor.close()
    return stream.rows


class _BinaryCopy(io.RawIOBase):
    """A readable stream of PostgreSQL's binary COPY format, one batch encoded at a time."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self._next = next(self._batches, None)
        self.schema = self._next.schema if self._next is not None else None
        self.rows = 0
        self._chunks = self._encode()
        self._buffer = memoryview(b"")

    def _encode(self) -> Iterator[bytes]:
        from pgpq import ArrowToPostgresBinaryEncoder

        encoder = ArrowToPostgresBinaryEncoder(self.schema)
        yield encoder.write_header()
        while self._next is not None:
            yield encoder.write_batch(self._next)
            self.rows += self._next.num_rows
            self._next = next(self._batches, None)
        yield encoder.finish()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._buffer:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._buffer = memoryview(chunk)
        piece = self._buffer if size < 0 else self._buffer[:size]
        self._buffer = self._buffer[len(piece) :]
        return bytes(piece)
