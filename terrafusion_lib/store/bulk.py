"""The bulk writer: Parquet to tables, set-based, in one transaction, idempotent by key.

Rows are compared by a hash of their canonical columns, computed while they are read. A county's
first load is copied straight into the tables; later loads send only rows that differ.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.read_ahead import read_ahead
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.store import models
from terrafusion_lib.store.copying import insert_batches, sqlite_batches
from terrafusion_lib.store.plugin_tables import results_of
from terrafusion_lib.store.reading import record_batches

BATCH_ROWS = 50_000
LOCK_SECONDS = 60
THREADS = 2
INTEGER_KEYS = ("assessment_year",)


@dataclass(frozen=True)
class TableLoad:
    """What a load did to one table; read = inserted + updated + reactivated + unchanged."""

    read: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    reactivated: int = 0
    deactivated: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


@dataclass(frozen=True)
class LoadResult:
    """Counts by table of one load."""

    tables: dict[str, TableLoad] = field(default_factory=dict)


def load_tables(
    engine: sa.Engine,
    county_id: str,
    tables: Mapping[str, Path],
    *,
    run_id: str,
    fingerprint: str,
    quarantine: Path | None,
    now: datetime,
    progress: Progress,
) -> LoadResult:
    """See `Store.load`."""
    _check_files(tables)
    done: dict[str, TableLoad] = {}
    with county_transaction(engine, county_id) as connection:
        for name, path in tables.items():
            target = models.CANONICAL[name]
            work = _TableWork(connection, target, path, county_id, run_id, now, progress)
            done[name] = work.run()
        if quarantine is not None:
            _replace_quarantine(connection, quarantine, county_id, run_id)
        counts = {name: result.as_dict() for name, result in done.items()}
        connection.execute(
            models.load_runs.insert().values(
                run_id=run_id,
                county_id=county_id,
                fingerprint=fingerprint,
                loaded_at=now,
                counts_json=json.dumps(counts),
            )
        )
    return LoadResult(done)


def put_results(
    connection: sa.Connection, name: str, table: pa.Table, *, county_id: str, run_id: str
) -> int:
    """Replace the rows of a result table for a county and run; returns their number."""
    target = results_of(name)
    same = (target.c.county_id == county_id) & (target.c.run_id == run_id)
    connection.execute(target.delete().where(same))
    batches = table.to_batches(max_chunksize=BATCH_ROWS)
    if connection.dialect.name == "sqlite":
        batches = sqlite_batches(batches)
    return insert_batches(connection, target.name, batches)


def _check_files(tables: Mapping[str, Path]) -> None:
    for name, path in tables.items():
        if name not in TABLES:
            raise LoadError(f"{name} is not a canonical table", examples=list(TABLES))
        if not path.is_file():
            raise LoadError(f"{path} does not exist", table=name)
        columns = set(pq.read_schema(path).names)
        missing = [column for column in TABLES[name].column_names if column not in columns]
        if missing:
            raise LoadError(f"{path.name} lacks columns", table=name, examples=missing)


@contextmanager
def county_transaction(engine: sa.Engine, county_id: str) -> Iterator[sa.Connection]:
    """One write transaction that excludes other loads of the county."""
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))")
            connection.execute(lock, {"name": f"terrafusion load {county_id}"})
        yield connection


@dataclass
class _TableWork:
    """One table of a load: compares the file's rows with the database's by key and hash. DuckDB
    compares only keys and hashes, so that only rows that differ go to the database.
    """

    connection: sa.Connection
    target: sa.Table
    path: Path
    county_id: str
    run_id: str
    now: datetime
    progress: Progress

    @property
    def sqlite(self) -> bool:
        return self.connection.dialect.name == "sqlite"

    @property
    def keys(self) -> list[str]:
        return list(self.target.primary_key.columns.keys())

    def run(self) -> TableLoad:
        county = self.target.c.county_id
        known = sa.select(sa.literal(1)).where(county == self.county_id).limit(1)
        if self.connection.scalar(known) is None:
            return self._first_load()
        with duckdb.connect(config={"threads": THREADS}) as database:
            result = self._compare(database)
            if result.inserted or result.updated or result.reactivated:
                self._upsert(database)
            if result.deactivated:
                self._deactivate(database)
        return result

    def _first_load(self) -> TableLoad:
        """Copy straight into the table; an empty table gets its indexes afterward."""
        empty = self.connection.scalar(sa.select(sa.literal(1)).select_from(self.target).limit(1))
        indexes = sorted(self.target.indexes, key=lambda index: str(index.name))
        for index in indexes if empty is None else ():
            index.drop(self.connection)
        with duckdb.connect(config={"threads": THREADS}) as database:
            rows = self._insert(self.target.name, self._batches(database, "true"))
        for index in indexes if empty is None else ():
            index.create(self.connection)
        return TableLoad(read=rows, inserted=rows)

    def _compare(self, database: duckdb.DuckDBPyConnection) -> TableLoad:
        """Create DuckDB's tables `known`, `incoming` and `writes`; returns the counts."""
        keys = ", ".join(self.keys)
        columns = ", ".join(f"{key} VARCHAR" for key in self.keys if key not in INTEGER_KEYS)
        columns += "".join(f", {key} BIGINT" for key in self.keys if key in INTEGER_KEYS)
        database.execute(f"CREATE TABLE known ({columns}, row_hash VARCHAR, is_active BOOLEAN)")
        names = [key for key in self.keys if key not in INTEGER_KEYS]
        names += [key for key in self.keys if key in INTEGER_KEYS]
        chosen = [*(self.target.c[name] for name in names), self.target.c.row_hash]
        query = sa.select(*chosen, self.target.c.is_active)
        same_county = query.where(self.target.c.county_id == self.county_id)
        for batch in record_batches(self.connection, same_county):
            database.register("batch", batch)
            database.execute("INSERT INTO known SELECT * FROM batch")
            database.unregister("batch")
        database.execute(
            f"""CREATE TABLE incoming AS SELECT {keys}, file_row_number, {self._hash} AS row_hash
                FROM read_parquet($path, file_row_number = true)""",
            {"path": str(self.path)},
        )
        self._refuse_doubles(database)
        database.execute(
            f"""CREATE TABLE writes AS
                SELECT file_row_number, k.row_hash IS NULL AS is_new, NOT k.is_active AS returned
                FROM incoming i LEFT JOIN known k USING ({keys})
                WHERE k.row_hash IS NULL OR k.row_hash <> i.row_hash OR NOT k.is_active"""
        )
        counts = database.execute(
            f"""SELECT (SELECT count(*) FROM incoming),
                       count(*) FILTER (is_new), count(*) FILTER (NOT is_new AND NOT returned),
                       count(*) FILTER (NOT is_new AND returned),
                       (SELECT count(*) FROM known k ANTI JOIN incoming USING ({keys})
                        WHERE k.is_active)
                FROM writes"""
        ).fetchall()[0]
        read, inserted, updated, reactivated, gone = (int(count) for count in counts)
        unchanged = read - inserted - updated - reactivated
        return TableLoad(read, inserted, updated, unchanged, reactivated, gone)

    def _refuse_doubles(self, database: duckdb.DuckDBPyConnection) -> None:
        keys = ", ".join(self.keys)
        query = f"SELECT concat_ws('/', {keys}) FROM incoming GROUP BY {keys} HAVING count(*) > 1"
        doubles = [row[0] for row in database.execute(query + " ORDER BY 1").fetchall()]
        if doubles:
            raise LoadError(
                "The operational database rejected the load: rows share a key",
                county=self.county_id,
                table=self.target.name,
                count=len(doubles),
                examples=doubles,
            )

    def _upsert(self, database: duckdb.DuckDBPyConnection) -> None:
        name, keys = self.target.name, ", ".join(self.keys)
        columns = ", ".join(column.name for column in self.target.columns)
        changed = [c.name for c in self.target.columns if c.name not in self.keys]
        changes = ", ".join(f"{column} = excluded.{column}" for column in changed)
        with self._staging(f"SELECT * FROM {name}") as staging:
            differing = "file_row_number IN (SELECT file_row_number FROM writes)"
            self._insert(staging, self._batches(database, differing))
            self.connection.exec_driver_sql(
                f"""INSERT INTO {name} ({columns}) SELECT {columns} FROM {staging} WHERE true
                    ON CONFLICT ({keys}) DO UPDATE SET {changes}"""
            )

    def _deactivate(self, database: duckdb.DuckDBPyConnection) -> None:
        """Mark rows inactive that are no longer in the file."""
        name, keys = self.target.name, ", ".join(self.keys)
        gone = database.sql(
            f"SELECT {keys} FROM known k ANTI JOIN incoming USING ({keys}) WHERE k.is_active"
        )
        with self._staging(f"SELECT {keys} FROM {name}") as staging:
            insert_batches(self.connection, staging, gone.to_arrow_reader(BATCH_ROWS))
            same = " AND ".join(f"{name}.{key} = {staging}.{key}" for key in self.keys)
            self.connection.exec_driver_sql(
                f"UPDATE {name} SET is_active = false FROM {staging} WHERE {same}"
            )

    @contextmanager
    def _staging(self, shape: str) -> Iterator[str]:
        """A temporary table with the columns of a query."""
        staging = f"staging_{self.target.name}"
        create = f"CREATE TEMPORARY TABLE {staging} AS {shape} WHERE 1 = 0"
        self.connection.exec_driver_sql(create)
        yield staging
        self.connection.exec_driver_sql(f"DROP TABLE {staging}")

    @property
    def _hash(self) -> str:
        """MD5 of the columns as text, distinguishing null and empty; the same on every database."""
        names = TABLES[self.target.name].column_names
        text = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(0))" for name in names)
        return f"md5(concat_ws(chr(31), {text}))"

    def _batches(
        self, database: duckdb.DuckDBPyConnection, condition: str
    ) -> Iterator[pa.RecordBatch]:
        """The file's rows with their housekeeping columns, in the database's types."""
        plain = {Kind.DATE: "CAST({0} AS VARCHAR)", Kind.BOOLEAN: "CAST({0} AS INTEGER)"}
        columns = [
            f"{plain.get(c.kind, '{0}').format(c.name) if self.sqlite else c.name} AS {c.name}"
            for c in TABLES[self.target.name].columns
        ]
        query = f"""SELECT {", ".join(columns)}, {self._hash} AS row_hash
                    FROM read_parquet($path, file_row_number = true) WHERE {condition}"""
        moment = pa.scalar(self.now.astimezone(UTC), pa.timestamp("us", "UTC"))
        housekeeping = {
            "is_active": pa.scalar(1) if self.sqlite else pa.scalar(True),
            "last_sync_id": pa.scalar(self.run_id),
            "loaded_at": pa.scalar(f"{self.now.astimezone(UTC):%F %T.%f}")
            if self.sqlite
            else moment,
        }
        relation = database.sql(query, params={"path": str(self.path)})
        for batch in relation.to_arrow_reader(BATCH_ROWS):
            filled = [pa.repeat(value, batch.num_rows) for value in housekeeping.values()]
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, *filled], names=[*batch.schema.names, *housekeeping]
            )

    def _insert(self, table: str, batches: Iterator[pa.RecordBatch]) -> int:
        total = pq.read_metadata(self.path).num_rows

        def shown() -> Iterator[pa.RecordBatch]:
            inserted = 0
            for batch in batches:
                yield batch
                inserted += batch.num_rows
                self.progress(f"load {self.target.name}", inserted, total)

        # Closed here, because DuckDB cannot be closed while another thread reads from it.
        with closing(read_ahead(shown, count=2)) as coming:
            return insert_batches(self.connection, table, coming)


def _replace_quarantine(connection: sa.Connection, path: Path, county_id: str, run_id: str) -> None:
    target = models.quarantine
    same = (target.c.county_id == county_id) & (target.c.run_id == run_id)
    connection.execute(target.delete().where(same))
    query = """
        SELECT $run_id AS run_id, $county_id AS county_id,
               row_number() OVER (ORDER BY table_name, rule, source_key) AS number,
               table_name, rule, reason, severity, source_key, row_json
        FROM read_parquet($path) ORDER BY number"""
    values: dict[str, Any] = {"path": str(path), "county_id": county_id, "run_id": run_id}
    with duckdb.connect() as database:
        reader = database.sql(query, params=values).to_arrow_reader(BATCH_ROWS)
        insert_batches(connection, target.name, reader)
