"""The engine that checks rows: DuckDB over Parquet, with bounded memory and one caller."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import ConfigError, GateError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.validation.base import ACCEPTED, CHECKED, FAILURES

WORK = ".work"
ROW = "file_row_number"
FAILURE_COLUMNS = ("table_name", "column_name", "source_key", "raw_value", "reason")


@dataclass(frozen=True)
class Session:
    """One validation in progress: views of tables to check and of rows accepted so far."""

    connection: duckdb.DuckDBPyConnection
    paths: Mapping[str, Path]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small query."""
        return self.connection.execute(sql).fetchall()

    def accept(self, table: str, path: Path) -> None:
        """Make this table's accepted rows available to later tables."""
        self.connection.execute(f'CREATE VIEW {ACCEPTED}."{table}" AS {_scan(path)}')

    def row_count(self, table: str) -> int:
        """Rows of a table to check."""
        return int(self.rows(f'SELECT count(*) FROM {CHECKED}."{table}"')[0][0])


@contextmanager
def open_session(
    tables: Mapping[str, Path], failures: Path | None, out_dir: Path, settings: Settings
) -> Iterator[Session]:
    """Open the engine over canonical Parquet files; working files are deleted on close.

    Raises
    ------
    ConfigError
        A table is not canonical.
    GateError
        A file is missing, unreadable, or does not have exactly the canonical columns and types.
    """
    work = out_dir / WORK
    work.mkdir(parents=True, exist_ok=True)
    connection = _connect(work, settings)
    try:
        for schema in (CHECKED, ACCEPTED, FAILURES.split(".", maxsplit=1)[0]):
            connection.execute(f"CREATE SCHEMA {schema}")
        _add_failures(connection, failures)
        for name, path in tables.items():
            if name not in TABLES:
                raise ConfigError(f"{name!r} is not a canonical table", examples=list(TABLES))
            check_schema(TABLES[name], path)
            connection.execute(
                f'CREATE VIEW {CHECKED}."{name}" AS {_scan(path, "file_row_number = true")}'
            )
        yield Session(connection, tables)
    finally:
        connection.close()
        shutil.rmtree(work, ignore_errors=True)


def _connect(work: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": settings.duckdb_memory_limit,
            "threads": settings.threads,
            "temp_directory": str(work),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET enable_external_file_cache = false")
    return connection


def _scan(path: Path, options: str = "") -> str:
    extra = f", {options}" if options else ""
    return f"SELECT * FROM read_parquet({literal(str(path))}{extra})"


def _add_failures(connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
    columns = ", ".join(f"'' AS {name}" for name in FAILURE_COLUMNS)
    query = _scan(path) if path else f"SELECT {columns} WHERE false"
    try:
        connection.execute(f"CREATE VIEW {FAILURES} AS {query}")
        connection.execute(f"SELECT {', '.join(FAILURE_COLUMNS)} FROM {FAILURES} LIMIT 0")
    except duckdb.Error as error:
        raise GateError(
            f"The mapping's failed conversions cannot be read from {path}",
            cause=str(error).split("\n", maxsplit=1)[0],
            hint="run the map step again",
        ) from error


def check_schema(table: TableSpec, path: Path) -> None:
    """Reject a file without the canonical columns in their order and types."""
    try:
        actual = pq.read_schema(path)
    except FileNotFoundError as error:
        raise GateError(f"{path} does not exist", table=table.name) from error
    except pa.ArrowException as error:
        raise GateError(f"{path} is not a readable Parquet file", table=table.name) from error
    expected = table.arrow_schema()
    wrong = [
        f"{name} is missing" for name in expected.names if actual.get_field_index(name) < 0
    ] + [f"{name} is unknown" for name in actual.names if name not in expected.names]
    wrong += [
        f"{item.name} is {actual.field(item.name).type}, not {item.type}"
        for item in expected
        if actual.get_field_index(item.name) >= 0 and actual.field(item.name).type != item.type
    ]
    if not wrong and actual.names != expected.names:
        wrong = ["the columns are in a different order"]
    if wrong:
        raise GateError(
            "The table does not have the canonical columns: " + "; ".join(wrong[:5]),
            table=table.name,
            count=len(wrong),
            cause="it was mapped by another version, or changed afterward",
            hint="run the map step again",
        )
