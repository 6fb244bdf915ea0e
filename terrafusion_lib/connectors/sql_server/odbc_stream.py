"""Rows of one SELECT as Arrow columns, through arrow-odbc or pyodbc."""

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.connectors.sql_server.odbc_drivers import Dialect, Driver
from terrafusion_lib.connectors.sql_server.source_types import base_type
from terrafusion_lib.core.raw import RawType, SourceTable

BUFFER_BYTES = 64 << 20
UNBOUNDED = {"text", "ntext", "image", "xml", "sql_variant", "geometry", "geography", "hierarchyid"}
LONGEST_EXACT_INT = 18


def arrow_serves(driver: Driver, columns: Iterable[SourceColumn]) -> bool:
    """Whether arrow-odbc can read these columns; logs the reason if not.

    It binds buffers for the longest possible value, so every column needs a limit. It also fetches
    many rows at a time; if the server stops with an error, FreeTDS returns a short last block, and
    rows would be lost silently. FreeTDS is therefore read with pyodbc.
    """
    return driver.dialect is Dialect.MICROSOFT and not any(
        "(max)" in column.type.lower() or base_type(column.type) in UNBOUNDED for column in columns
    )


def arrow_batches(
    sql: str,
    table: SourceTable,
    *,
    connection_string: str,
    batch_rows: int,
    login_timeout: int,
    query_timeout: int,
) -> Iterator[list[pa.Array]]:
    """Columns of the SELECT, batch by batch, filled in native code. A batch has fewer than
    `batch_rows` rows if the longest possible rows would exceed the buffer.
    """
    import arrow_odbc

    reader = arrow_odbc.read_arrow_batches_from_odbc(
        query=sql,
        connection_string=connection_string,
        batch_size=batch_rows,
        max_bytes_per_batch=BUFFER_BYTES,
        login_timeout_sec=login_timeout,
        query_timeout_sec=query_timeout,
        map_schema=lambda schema: _bound_types(schema, table),
        # Narrow text would arrive in the locale's encoding.
        payload_text_encoding=arrow_odbc.TextEncoding.UTF16,
    )
    for batch in reader:
        yield batch.columns


class CursorStream:
    """The same with a pyodbc cursor: any column, and the query can be cancelled.

    `cancel` may be called from another thread at any time; the lock keeps it away from a cursor
    that is being closed, which would crash the driver manager.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._lock = threading.Lock()
        self._closed = False

    def batches(self, sql: str, batch_rows: int) -> Iterator[list[pa.Array]]:
        """Columns of the SELECT, batch by batch."""
        self._cursor.execute(sql)
        while rows := self._cursor.fetchmany(batch_rows):
            yield [pa.array(values) for values in zip(*rows, strict=True)]

    def cancel(self) -> None:
        """Tell the server to stop."""
        with self._lock:
            if not self._closed:
                self._cursor.cancel()

    def close(self) -> None:
        """Free the cursor."""
        with self._lock:
            self._closed = True
            self._cursor.close()


def _bound_types(schema: pa.Schema, table: SourceTable) -> pa.Schema:
    """Types that the driver can fill directly without loss."""
    fields = [
        pa.field(field.name, _bound(field.type, kind), nullable=True)
        for field, kind in zip(schema, table.columns.values(), strict=True)
    ]
    return pa.schema(fields)


def _bound(found: pa.DataType, kind: RawType) -> pa.DataType:
    if pa.types.is_timestamp(found):
        return pa.timestamp("us")
    if not pa.types.is_decimal(found):
        return found
    if kind is RawType.NUMBER:
        return pa.float64()
    whole = found.scale == 0 and found.precision <= LONGEST_EXACT_INT
    return pa.int64() if whole and kind is RawType.INTEGER else found
