"""The engine that a mapping runs in, and the raw layer as typed views inside it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.raw import RawManifest, RawType, SourceTable, read_manifest
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.mappers.conversions import RIGHT_TRIMMED, Conversion, convert
from terrafusion_lib.mappers.mapping import MAPPED, Mapping
from terrafusion_lib.mappers.parties import add_party_relation
from terrafusion_lib.mappers.usage import row_key, used_columns

RAW, RELATION, RESULT = "raw", "relation", "mapped"
WORK = ".work"
ENGINE_SHARE = 0.7
RAW_KINDS = {
    RawType.INTEGER: Kind.INTEGER,
    RawType.NUMBER: Kind.NUMBER,
    RawType.BOOLEAN: Kind.BOOLEAN,
    RawType.DATE: Kind.DATE,
}
SQL_TYPES = {
    RawType.TEXT: "VARCHAR",
    RawType.INTEGER: "BIGINT",
    RawType.NUMBER: "DOUBLE",
    RawType.DATE: "DATE",
    RawType.TIMESTAMP: "TIMESTAMP",
    RawType.BOOLEAN: "BOOLEAN",
    RawType.GEOMETRY: "BLOB",
}


@dataclass(frozen=True)
class RawFailure:
    """A raw column that is not of its declared type, and where its values could not be read."""

    table: str
    column: str
    scan: str
    failed: str
    reason: str


@dataclass
class Session:
    """One mapping at work on one raw layer."""

    mapping: Mapping
    manifest: RawManifest
    raw_dir: Path
    work_dir: Path
    parameters: dict[str, object]
    crs: str
    threads: int
    used: dict[str, set[str]]
    connection: duckdb.DuckDBPyConnection
    failures: list[RawFailure] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    unique: set[tuple[str, frozenset[str]]] = field(default_factory=set)

    def run(self, sql: str, *, where: str) -> duckdb.DuckDBPyConnection:
        """Execute one statement.

        Raises
        ------
        MappingError
            The engine refused it; `where` (a table or relation) is named.
        """
        with self.fitting(where):
            return self.connection.execute(sql)

    @contextmanager
    def fitting(self, where: str) -> Iterator[None]:
        """Turn the engine's errors into one that names the table or relation."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException) as error:
            cause = str(error).split("\n", maxsplit=1)[0]
            if self.retyped:
                cause += f"; not of the declared type: {', '.join(self.retyped[:5])}"
            raise MappingError(
                "The mapping does not fit the data", table=where, cause=cause
            ) from error

    def reader(self, sql: str, size: int, *, where: str) -> Any:
        """A large query as a reader of Arrow batches; iterate it inside `fitting`."""
        with self.fitting(where):
            return self.connection.sql(sql).to_arrow_reader(size)

    def rows(self, sql: str, *, where: str) -> list[tuple[Any, ...]]:
        """All rows of a small query."""
        return self.run(sql, where=where).fetchall()

    def count(self, name: str) -> int:
        """Rows of a raw table, relation or mapped table."""
        if name not in self.counts:
            query = f"SELECT count(*) FROM {self.identifier(name)}"
            self.counts[name] = int(self.rows(query, where=name)[0][0])
        return self.counts[name]

    def identifier(self, name: str) -> str:
        """SQL identifier of a raw table, relation or mapped table."""
        if name.startswith(MAPPED):
            return f'{RESULT}."{name.removeprefix(MAPPED)}"'
        schema = RAW if name in self.mapping.file.sources else RELATION
        return f'{schema}."{name}"'

    def row_key(self, name: str) -> tuple[str, ...]:
        """Columns that tell the rows of a raw table or relation apart."""
        return row_key(self.mapping, name)

    def types(self, select: str, *, where: str) -> dict[str, str]:
        """Column types of a query."""
        described = self.rows(f"DESCRIBE {select}", where=where)
        return {str(row[0]): str(row[1]) for row in described}


@contextmanager
def open_session(
    mapping: Mapping,
    raw_dir: Path,
    out_dir: Path,
    *,
    county_id: str,
    assessment_year: int,
    crs: str,
    settings: Settings,
) -> Iterator[Session]:
    """Open the engine over an extract; its working files lie in `out_dir` and go when it closes.

    Raises
    ------
    ConfigError, MappingError
        The folder holds no finished extract, or not this year, or lacks a table or column.
    """
    manifest = read_manifest(raw_dir)
    if manifest.years and assessment_year not in manifest.years:
        raise MappingError(
            f"The extract has no rows of {assessment_year}",
            county=county_id,
            examples=manifest.years,
            hint=f"terrafusion run {county_id} --year {assessment_year}",
        )
    parameters: dict[str, object] = {
        "county_id": county_id,
        "assessment_year": assessment_year,
        "first_year": min(manifest.years, default=assessment_year),
    }
    work = out_dir / WORK
    work.mkdir(parents=True, exist_ok=True)
    connection = _connect(work, settings)
    try:
        session = Session(
            mapping,
            manifest,
            raw_dir,
            work,
            parameters,
            crs,
            settings.threads,
            used_columns(mapping),
            connection,
        )
        for name, table in mapping.source_tables().items():
            _add_raw_view(session, name, table)
        yield session
    finally:
        connection.close()
        shutil.rmtree(work, ignore_errors=True)


def _connect(work: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        str(work / "mapping.duckdb"),
        config={
            "memory_limit": settings.duckdb_memory_limit,
            "threads": settings.threads,
            "temp_directory": str(work),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    _leave_room(connection)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    for schema in (RAW, RELATION, RESULT):
        connection.execute(f"CREATE SCHEMA {schema}")
    add_party_relation(connection)
    return connection


def _leave_room(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep a part of the memory for what lies outside the engine: Arrow batches and their files."""
    limit = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    amount, unit = str(limit[0] if limit else "1 GiB").split()
    connection.execute(f"SET memory_limit = '{float(amount) * ENGINE_SHARE:.1f} {unit}'")


def _add_raw_view(session: Session, name: str, table: SourceTable) -> None:
    """A raw table with its declared types.

    Text loses blanks at its end, as SQL Server compares it: char(n) codes come padded. A column
    of a file that is not of its declared type was kept as text: it is converted here, and what
    cannot be is counted.
    """
    if name not in session.manifest.tables:
        _add_empty_view(session, name, table)
        return
    path = session.manifest.path(session.raw_dir, name)
    if not path.is_file():
        raise MappingError("A file of the raw layer is missing", table=name, examples=[path])
    scan = f"SELECT * FROM read_parquet({literal(str(path))})"
    actual = {key.casefold(): (key, kind) for key, kind in session.types(scan, where=name).items()}
    parts = []
    for column, raw_type in table.columns.items():
        if column.casefold() not in actual:
            known = [key for key, _ in actual.values()]
            close = nearest(column, known)
            raise MappingError(
                "The raw layer lacks a column that the mapping reads",
                table=name,
                column=column,
                examples=close or known,
                cause="the extract was made with another mapping",
                hint="terrafusion run <county> --from connect",
            )
        found, sql_type = actual[column.casefold()]
        conversion = _typed(raw_type, sql_type)
        if conversion.failed:
            failed = conversion.failed.replace("{x}", f'"{found}"')
            reason = conversion.reason.replace("{raw}", f'"{found}"')
            scan = f"read_parquet({literal(str(path))})"
            session.failures.append(RawFailure(name, found, scan, failed, reason))
            session.retyped.append(f"{name}.{found}")
        value = conversion.value.replace("{x}", f'"{found}"')
        parts.append(f'{value} AS "{column}"')
    session.run(
        f'CREATE VIEW {RAW}."{name}" AS SELECT {", ".join(parts)} '
        f"FROM read_parquet({literal(str(path))})",
        where=name,
    )


def _typed(raw_type: RawType, sql_type: str) -> Conversion:
    """How a raw column of `sql_type` becomes its declared type."""
    if raw_type is RawType.TEXT:
        return Conversion(RIGHT_TRIMMED if sql_type == "VARCHAR" else "CAST({x} AS VARCHAR)")
    if sql_type.startswith(SQL_TYPES[raw_type]) or sql_type != "VARCHAR":
        return Conversion("{x}")
    if raw_type in RAW_KINDS:
        return convert(RAW_KINDS[raw_type], sql_type)
    value = f"TRY_CAST({{x}} AS {SQL_TYPES[raw_type]})"
    failed = f"{value} IS NULL AND trim({{x}}) <> ''"
    return Conversion(value, failed, f"'not a {raw_type.value}'")


def _add_empty_view(session: Session, name: str, table: SourceTable) -> None:
    if not table.optional:
        close = nearest(name, session.manifest.tables)
        raise MappingError(
            "The raw layer lacks a table that the mapping reads",
            table=name,
            examples=close or sorted(session.manifest.tables),
            cause="the extract was made with another mapping",
            hint="terrafusion run <county> --from connect",
        )
    nulls = ", ".join(
        f'CAST(NULL AS {SQL_TYPES[kind]}) AS "{column}"' for column, kind in table.columns.items()
    )
    session.run(f'CREATE VIEW {RAW}."{name}" AS SELECT {nulls} WHERE false', where=name)
