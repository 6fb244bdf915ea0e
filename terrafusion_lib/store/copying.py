"""Arrow batches into a table, as fast as each database allows."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from terrafusion_lib.core.copy_stream import copy_in


def insert_batches(connection: sa.Connection, table: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Append all batches to `table` inside the connection's transaction; returns the row count.

    PostgreSQL: binary COPY. SQLite: one prepared statement over columns turned into rows.
    """
    if connection.dialect.name == "sqlite":
        return _insert_sqlite(connection, table, batches)
    with closing(connection.connection.cursor()) as cursor:
        return copy_in(cursor, table, batches)


def sqlite_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches with dates as ISO text and booleans as 0 and 1, as SQLite stores them."""
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
        # Rows are produced one by one during the insert, because a list would double the memory.
        values: Any = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        rows += batch.num_rows
    cursor.close()
    return rows
