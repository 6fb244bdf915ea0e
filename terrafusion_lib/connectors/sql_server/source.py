"""SQL Server as a source: the catalog by SQLAlchemy, rows by ODBC streams."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import pyarrow as pa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect

from terrafusion_lib.connectors.arrow_batches import raw_batch
from terrafusion_lib.connectors.protocol import CheckItem, SourceColumn
from terrafusion_lib.connectors.sql_server import catalog
from terrafusion_lib.connectors.sql_server.check import check_server
from terrafusion_lib.connectors.sql_server.odbc_errors import NotPermittedError
from terrafusion_lib.connectors.sql_server.odbc_session import OdbcSession
from terrafusion_lib.connectors.sql_server.odbc_stream import (
    CursorStream,
    arrow_batches,
    arrow_serves,
)
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server.sql_select import compiled, extraction_select, split_name
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.read_ahead import read_ahead

DIALECT: Dialect = mssql.dialect()  # type: ignore[no-untyped-call]


class MssqlSource:
    """One SQL Server database."""

    def __init__(self, options: SqlServerOptions) -> None:
        self.schema: str | None = options.db_schema
        self.options = options
        self._session = OdbcSession(options)

    @property
    def label(self) -> str:
        return f"{self._session.login.server}/{self._session.login.database}"

    def check(self) -> list[CheckItem]:
        return check_server(self._session)

    def tables(self) -> list[str]:
        return [f"{owner}.{name}" for owner, name in self._session.rows(catalog.TABLES)]

    def columns(self, table: str) -> list[SourceColumn]:
        owner, name = split_name(table, self.options.db_schema)
        rows = self._session.rows(catalog.COLUMNS, owner=owner, name=name)
        return [
            SourceColumn(column, catalog.type_text(kind, *size), nullable == "YES")
            for column, kind, nullable, *size in rows
        ]

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:  # noqa: ARG002
        """Rows of the whole table, ignoring filters; None for a view."""
        [(rows,)] = self._session.rows(catalog.ROWS, table=table.table)
        return None if rows is None else int(rows)

    def freshness(self, table: str) -> str:
        """Row count, last write and server start; empty if the server does not say."""
        try:
            [(rows, updated, started, state)] = self._session.rows(catalog.FRESHNESS, table=table)
        except NotPermittedError:
            return ""
        if rows is None or state != "READ_WRITE":
            return ""
        return f"{rows} rows; written {updated or 'never'}; server started {started}"

    def batches(
        self,
        table: SourceTable,
        years: Sequence[int],
        columns: Mapping[str, SourceColumn],
        batch_rows: int,
    ) -> Iterator[pa.RecordBatch]:
        """Rows in key order. On interruption, pyodbc's query is cancelled on the server
        immediately; arrow-odbc cannot cancel and stops after the current batch or at
        `query_timeout`.
        """
        names = {name: column.name for name, column in columns.items()}
        select = extraction_select(table, years, schema=self.schema, names=names)
        sql = compiled(select, DIALECT)
        used = [columns[name] for name in table.columns]
        if self.options.arrow and arrow_serves(self._session.driver, used):
            return read_ahead(lambda: self._arrow(sql, table, batch_rows), cancel=None)
        return self._cursor(sql, table, batch_rows)

    def close(self) -> None:
        self._session.close()

    def _arrow(self, sql: str, table: SourceTable, batch_rows: int) -> Iterator[pa.RecordBatch]:
        with self._session.translated(table.table):
            for columns in arrow_batches(
                sql,
                table,
                connection_string=self._session.connection_string(),
                batch_rows=batch_rows,
                login_timeout=self.options.login_timeout,
                query_timeout=self.options.query_timeout,
            ):
                yield raw_batch(columns, table)

    def _cursor(self, sql: str, table: SourceTable, batch_rows: int) -> Iterator[pa.RecordBatch]:
        opened: list[CursorStream] = []

        def rows() -> Iterator[pa.RecordBatch]:
            with (
                self._session.translated(table.table),
                closing(self._session.engine.raw_connection()) as connection,
                closing(CursorStream(connection.cursor())) as stream,
            ):
                opened.append(stream)
                for columns in stream.batches(sql, batch_rows):
                    yield raw_batch(columns, table)

        def cancel() -> None:
            for stream in opened:
                stream.cancel()

        return read_ahead(rows, cancel=cancel)
