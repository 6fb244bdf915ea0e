"""Rows of one SELECT as Arrow columns, through arrow-odbc or pyodbc."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.connectors.source_types import base_type
from terrafusion_lib.core.raw import RawType, SourceTable

BUFFER_BYTES = 64 << 20
UNBOUNDED = {"text", "ntext", "image", "xml", "sql_variant", "geometry", "geography", "hierarchyid"}
LONGEST_EXACT_INT = 18


def arrow_serves(columns: Iterable[SourceColumn]) -> bool:
    """Whether arrow-odbc can read these columns: it binds buffers of the longest value."""
    return not any(
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
    """Columns of the SELECT, batch by batch, filled in native code.

    A batch is smaller than `batch_rows` where the longest possible rows would exceed the buffer.
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
        # Both drivers give UTF-16 as it is; narrow text would be in the encoding of the locale.
        payload_text_encoding=arrow_odbc.TextEncoding.UTF16,
    )
    for batch in reader:
        yield batch.columns


def cursor_batches(cursor: Any, sql: str, batch_rows: int) -> Iterator[list[pa.Array]]:
    """The same through pyodbc's cursor, for columns of unbounded length."""
    cursor.execute(sql)
    while rows := cursor.fetchmany(batch_rows):
        yield [pa.array(values) for values in zip(*rows, strict=True)]


def _bound_types(schema: pa.Schema, table: SourceTable) -> pa.Schema:
    """Types that the driver fills directly, where it can do so without loss."""
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
