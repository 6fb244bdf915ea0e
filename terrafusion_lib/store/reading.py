"""Rows of the operational database as Arrow tables."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

BATCH_ROWS = 50_000


def read_arrow(engine: sa.Engine, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    """The query's rows, typed by the columns of the same name in `schema`."""
    names = [column.name for column in query.selected_columns]
    wanted = pa.schema([schema.field(name) for name in names])
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    if engine.dialect.name == "sqlite":
        return _read_sqlite(engine, text, wanted)
    return _read_postgres(engine, text, wanted)


def record_batches(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[pa.RecordBatch]:
    """Rows of a query with text, integer and boolean columns, one batch at a time."""
    result = connection.execute(query.execution_options(stream_results=True))
    names = [column.name for column in query.selected_columns]
    for rows in result.partitions(BATCH_ROWS):
        columns = [pa.array(column) for column in zip(*rows, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, names=names)


def _read_sqlite(engine: sa.Engine, query: str, schema: pa.Schema) -> pa.Table:
    """Rows read with Python's own SQLite. A second SQLite library in the process, such as ADBC's,
    must not open the same file: the two do not see each other's locks and have read stale pages.
    """
    batches = []
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(query)
        while rows := cursor.fetchmany(BATCH_ROWS):
            columns = zip(*rows, strict=True)
            filled = [_typed(list(c), f.type) for c, f in zip(columns, schema, strict=True)]
            batches.append(pa.RecordBatch.from_arrays(filled, schema=schema))
        cursor.close()
    return pa.Table.from_batches(batches, schema=schema).combine_chunks()


def _typed(values: list[Any], target: pa.DataType) -> pa.Array:
    """Converts a column from SQLite's few types to the canonical type."""
    if pa.types.is_date(target):
        return pa.array(values, pa.string()).cast(target)
    if pa.types.is_boolean(target):
        return pa.array(values, pa.int8()).cast(target)
    return pa.array(values, target)


def _read_postgres(engine: sa.Engine, query: str, schema: pa.Schema) -> pa.Table:
    from pyarrow import csv

    buffer = io.BytesIO()
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", buffer)
        cursor.close()
    if not buffer.tell():
        return schema.empty_table()
    buffer.seek(0)
    plain = {
        field.name: pa.string() if pa.types.is_binary(field.type) else field.type
        for field in schema
    }
    table = csv.read_csv(
        buffer,
        read_options=csv.ReadOptions(column_names=schema.names),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=plain,
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    columns = [
        _unhex(table.column(field.name)) if pa.types.is_binary(field.type) else table[field.name]
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _unhex(column: pa.ChunkedArray) -> pa.Array:
    """PostgreSQL writes bytes as hexadecimal text after a two-character prefix."""
    return pa.array(
        [None if text is None else bytes.fromhex(text[2:]) for text in column.to_pylist()],
        pa.binary(),
    )
