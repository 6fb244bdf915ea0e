"""The engine that a mapping runs in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.raw import RawManifest, read_manifest
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.bound import RAW, RELATION, RESULT, Mapping, Rows
from terrafusion_lib.mappers.expressions import Expression
from terrafusion_lib.mappers.parties import add_party_relation

WORK = ".work"
ENGINE_SHARE = 0.7


@dataclass(frozen=True)
class RawFailure:
    """A raw column that is not of its declared type, and where its values could not be read."""

    rows: Rows
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
    connection: duckdb.DuckDBPyConnection
    failures: list[RawFailure] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    ready: set[str] = field(default_factory=set)
    unique: set[tuple[str, frozenset[str]]] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)
    _texts: dict[Expression, str] = field(default_factory=dict)

    def sql(self, expression: Expression) -> str:
        """SQL of an expression of the mapping, with this run's parameters."""
        if expression not in self._texts:
            self._texts[expression] = expression.sql(self.parameters)
        return self._texts[expression]

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

    def count(self, rows: Rows) -> int:
        """How many there are."""
        if rows.name not in self._counts:
            query = f"SELECT count(*) FROM {rows.sql}"
            self._counts[rows.name] = int(self.rows(query, where=rows.name)[0][0])
        return self._counts[rows.name]

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
        The folder holds no finished extract, or not this year.
    """
    manifest = read_manifest(raw_dir)
    parameters = _parameters(manifest, county_id, assessment_year)
    work = out_dir / WORK
    work.mkdir(parents=True, exist_ok=True)
    connection = _connect(work, settings)
    try:
        yield Session(
            mapping, manifest, raw_dir, work, parameters, crs, settings.threads, connection
        )
    finally:
        connection.close()
        shutil.rmtree(work, ignore_errors=True)


def _parameters(manifest: RawManifest, county_id: str, assessment_year: int) -> dict[str, object]:
    """Values of the parameters that expressions may use."""
    if manifest.years and assessment_year not in manifest.years:
        raise MappingError(
            f"The extract has no rows of {assessment_year}",
            county=county_id,
            examples=manifest.years,
            hint=f"terrafusion run {county_id} --year {assessment_year}",
        )
    return {
        "county_id": county_id,
        "assessment_year": assessment_year,
        "first_year": min(manifest.years, default=assessment_year),
    }


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
