"""SQL Server, and SQLite files with the same tables, with the same extraction definitions."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from terrafusion_lib.connectors.protocol import (
    BATCH_ROWS,
    Capabilities,
    CheckItem,
    SourceColumn,
    find_columns,
    find_table,
)
from terrafusion_lib.connectors.sql_server.options import SQLITE, SqlServerOptions
from terrafusion_lib.connectors.sql_server.source_types import check_types
from terrafusion_lib.connectors.sql_server.sql_select import filter_columns, split_name
from terrafusion_lib.connectors.sql_server.sqlite_source import SqliteSource
from terrafusion_lib.core.raw import SourceTable


class SqlSource(Protocol):
    """What the connector needs of a database: SQL Server or SQLite."""

    schema: str | None

    @property
    def label(self) -> str: ...
    def check(self) -> list[CheckItem]: ...
    def tables(self) -> list[str]: ...
    def columns(self, table: str) -> list[SourceColumn]: ...
    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None: ...
    def freshness(self, table: str) -> str: ...
    def batches(
        self,
        table: SourceTable,
        years: Sequence[int],
        columns: Mapping[str, SourceColumn],
        batch_rows: int,
    ) -> Iterator[pa.RecordBatch]: ...
    def close(self) -> None: ...


class SqlServerConnector:
    """PACS and other CAMA databases on SQL Server; nothing is ever written.

    Table names are ``schema.table`` or bare; a SQLite file has no schemas, so the schema is
    dropped there.
    """

    name = "sql_server"
    Options = SqlServerOptions

    def __init__(self, options: SqlServerOptions, folder: Path) -> None:
        self.options = options
        self.capabilities = Capabilities(
            pushdown=True,
            row_estimate=True,
            freshness=True,
            cancel=True,
            retries=options.retries,
        )
        self._source = self._open(options, folder)
        self._tables: list[str] | None = None
        self._columns: dict[str, list[SourceColumn]] = {}

    @staticmethod
    def _open(options: SqlServerOptions, folder: Path) -> SqlSource:
        if options.url:
            return SqliteSource(folder / Path(options.url.removeprefix(SQLITE)))
        from terrafusion_lib.connectors.sql_server.source import MssqlSource

        return MssqlSource(options)

    def check(self) -> list[CheckItem]:
        return self._source.check()

    def tables(self) -> list[str]:
        if self._tables is None:
            self._tables = self._source.tables()
        return self._tables

    def columns(self, table: str) -> list[SourceColumn]:
        table_name = self._find(table)
        if table_name not in self._columns:
            self._columns[table_name] = self._source.columns(table_name)
        return self._columns[table_name]

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:
        return 0 if self._absent(table) else self._source.row_estimate(self._spelled(table), years)

    def freshness(self, table: SourceTable) -> str:
        return "absent" if self._absent(table) else self._source.freshness(self._find(table.table))

    def read(
        self, table: SourceTable, years: Sequence[int], *, batch_rows: int = BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        if self._absent(table):
            return
        columns = self._checked(table)
        yield from self._source.batches(self._spelled(table), years, columns, batch_rows)

    def verify(self, table: SourceTable) -> None:
        if not self._absent(table):
            self._checked(table)

    def close(self) -> None:
        self._source.close()
        self._tables = None
        self._columns.clear()

    def _checked(self, table: SourceTable) -> dict[str, SourceColumn]:
        """The source's columns by the mapping's names, filter columns too, with types checked."""
        wanted = [*table.columns, *filter_columns(table)]
        columns = find_columns(wanted, self.columns(table.table), table=table.table)
        check_types(table, columns)
        for item in table.filters:
            if item.association:
                theirs = self.columns(item.association)
                find_columns(list(item.on.values()), theirs, table=item.association)
        return columns

    def _name(self, table: str) -> str:
        schema, bare = split_name(table, self.options.db_schema)
        return bare if self._source.schema is None else f"{schema}.{bare}"

    def _find(self, table: str) -> str:
        """The source's spelling of a table's name."""
        return find_table(self._name(table), self.tables(), source=self._source.label)

    def _absent(self, table: SourceTable) -> bool:
        names = {name.casefold() for name in self.tables()} if table.optional else set()
        return table.optional and self._name(table.table).casefold() not in names

    def _spelled(self, table: SourceTable) -> SourceTable:
        return table.model_copy(update={"table": self._find(table.table)})
