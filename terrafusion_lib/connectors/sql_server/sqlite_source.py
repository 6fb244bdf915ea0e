"""SQLite as a source: the demo county's PACS tables, read like those of SQL Server."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from terrafusion_lib.connectors.arrow_batches import raw_batch
from terrafusion_lib.connectors.protocol import CheckItem, SourceColumn, TransientError
from terrafusion_lib.connectors.sql_server.sql_select import (
    compiled,
    count_select,
    extraction_select,
)
from terrafusion_lib.core.errors import ConnectError, TerraFusionError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.read_ahead import read_ahead

DIALECT = sqlite.dialect()
MISMATCH = re.compile(r"Type mismatch in column (\d+): expected (\S+) but got (\S+)")

SAMPLE: dict[RawType, str] = {
    RawType.TEXT: "''",
    RawType.INTEGER: "0",
    RawType.NUMBER: "0.0",
    RawType.DATE: "''",
    RawType.TIMESTAMP: "''",
    RawType.BOOLEAN: "0",
    RawType.GEOMETRY: "x''",
}


class SqliteSource:
    """One SQLite file, opened read-only."""

    schema: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def label(self) -> str:
        return self.path.name

    def check(self) -> list[CheckItem]:
        """Whether the file exists and is a database."""
        try:
            count = len(self.tables())
        except TerraFusionError as error:
            return [CheckItem("database", False, error.what, error.hint or "")]
        return [CheckItem("database", True, f"{self.path}: {count} tables")]

    def tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
        return [name for (name,) in self._rows(sql)]

    def columns(self, table: str) -> list[SourceColumn]:
        rows = self._rows('SELECT name, type, "notnull" FROM pragma_table_xinfo(?)', table)
        return [SourceColumn(name, kind, not required) for name, kind, required in rows]

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:
        """The exact number of rows."""
        [(count,)] = self._rows(compiled(count_select(table, years, schema=None), DIALECT))
        return int(count)

    def freshness(self, table: str) -> str:  # noqa: ARG002 - one mark for the whole file
        """Size and modification time of the file and its write-ahead log."""
        self._require()
        files = [self.path, self.path.with_name(f"{self.path.name}-wal")]
        states = [path.stat() for path in files if path.is_file()]
        return ";".join(f"{state.st_size} bytes at {state.st_mtime_ns}" for state in states)

    def batches(
        self,
        table: SourceTable,
        years: Sequence[int],
        columns: Mapping[str, SourceColumn],
        batch_rows: int,
    ) -> Iterator[pa.RecordBatch]:
        """Rows in key order. ADBC infers each column's type from the first rows and stops at a
        later value of another type. A first row of sample values therefore sets the mapping's
        types and is then dropped.
        """
        names = {name: column.name for name, column in columns.items()}
        sql = _with_sample(extraction_select(table, years, schema=None, names=names), table)
        return read_ahead(lambda: self._stream(sql, table, batch_rows))

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _stream(self, sql: str, table: SourceTable, batch_rows: int) -> Iterator[pa.RecordBatch]:
        from adbc_driver_sqlite import dbapi

        self._require()
        skip = 1
        try:
            with dbapi.connect(self._uri()) as connection, connection.cursor() as cursor:
                options = {"adbc.sqlite.query.batch_rows": str(batch_rows)}
                cursor.adbc_statement.set_options(**options)
                cursor.execute(sql)
                for batch in cursor.fetch_record_batch():
                    rows = batch.slice(skip)
                    skip = 0
                    if rows.num_rows:
                        yield raw_batch(rows.columns, table)
        except (dbapi.Error, OSError) as error:
            raise self._stream_error(str(error), table) from error

    def _stream_error(self, message: str, table: SourceTable) -> ConnectError:
        mismatch = MISMATCH.search(message)
        if not mismatch:
            return self._error(message, table=table.table)
        name = list(table.columns)[int(mismatch[1])]
        return ConnectError(
            f"A value of {table.table} cannot be read as {table.columns[name].value}",
            table=table.table,
            column=name,
            examples=[f"a value of type {mismatch[3].lower()}"],
            cause="the column's type changed at the source, or the mapping declares the wrong type",
            hint="declare the column as text in the mapping and convert it there",
        )

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        self._require()
        try:
            with closing(sqlite3.connect(self._uri(), uri=True)) as connection:
                return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(str(error)) from error

    def _error(self, message: str, table: str | None = None) -> ConnectError:
        kind = TransientError if "locked" in message else ConnectError
        return kind(f"{self.path} cannot be read: {message}", table=table)

    def _uri(self) -> str:
        return f"{self.path.resolve().as_uri()}?mode=ro"

    def _require(self) -> None:
        if not self.path.is_file():
            raise ConnectError(
                f"The database {self.path} does not exist",
                hint="correct url in county.yaml; terrafusion demo generate creates the demo's "
                "database",
            )


def value_of(column: sa.ColumnElement[Any], kind: RawType) -> sa.ColumnElement[Any]:
    """The expression that yields `kind` in every row, or the original value if it has the wrong
    type.

    SQLite stores any value in any column. Values that can be converted to `kind` without loss are;
    all others pass unchanged, so that the reader stops instead of reading 'abc' as 0.
    """
    if kind is RawType.NUMBER:
        is_text = sa.func.typeof(column) == sa.literal_column("'text'")
        return sa.case((is_text, column), else_=sa.cast(column, sa.REAL()))
    if kind in (RawType.TEXT, RawType.DATE, RawType.TIMESTAMP):
        return sa.cast(column, sa.Text())
    return column


def _with_sample(rows: sa.Select[Any], table: SourceTable) -> str:
    """SQL of one row of samples, then `rows` with each column as the mapping's type."""
    inner = rows.subquery("selected")
    values = [value_of(inner.c[name], kind) for name, kind in table.columns.items()]
    samples = ", ".join(SAMPLE[kind] for kind in table.columns.values())
    return f"SELECT {samples} UNION ALL {compiled(sa.select(*values), DIALECT)}"
