"""The bulk writer: Parquet to tables, set-based, in one transaction, idempotent by key.

Rows are compared by a hash of their canonical columns, computed while they are read. A county's
first load is copied straight into the tables; a later one is staged in a temporary table and
merged, so that unchanged rows are not written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import sqlalchemy as sa

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.schema import TABLES, Kind
from terrafusion_lib.store import models
from terrafusion_lib.store.copying import insert_batches, sqlite_batches

BATCH_ROWS = 50_000
LOCK_SECONDS = 60


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
    with _transaction(engine, county_id) as connection:
        for name, path in tables.items():
            batches = _hashed_batches(engine, name, path, run_id, now)
            shown = _shown(batches, f"load {name}", path, progress)
            done[name] = _load_table(connection, models.CANONICAL[name], county_id, shown)
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


def replace_results(
    engine: sa.Engine, name: str, table: pa.Table, *, county_id: str, run_id: str
) -> TableLoad:
    """See `Store.save_results`."""
    target = models.RESULTS[name]
    with _transaction(engine, county_id) as connection:
        same = (target.c.county_id == county_id) & (target.c.run_id == run_id)
        connection.execute(target.delete().where(same))
        batches = table.to_batches(max_chunksize=BATCH_ROWS)
        if connection.dialect.name == "sqlite":
            batches = sqlite_batches(batches)
        rows = insert_batches(connection, target.name, batches)
    return TableLoad(read=rows, inserted=rows)


def _check_files(tables: Mapping[str, Path]) -> None:
    for name, path in tables.items():
        if name not in TABLES:
            raise LoadError(f"{name} is no canonical table", examples=list(TABLES))
        if not path.is_file():
            raise LoadError(f"{path} does not exist", table=name)
        found = set(pa.parquet.read_schema(path).names)
        missing = [column for column in TABLES[name].column_names if column not in found]
        if missing:
            raise LoadError(f"{path.name} lacks columns", table=name, examples=missing)


@contextmanager
def _transaction(engine: sa.Engine, county_id: str) -> Iterator[sa.Connection]:
    """One writing transaction that no other load of the county interleaves with."""
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))")
            connection.execute(lock, {"name": f"terrafusion load {county_id}"})
        yield connection


def _hashed_batches(
    engine: sa.Engine, name: str, path: Path, run_id: str, now: datetime
) -> Iterator[pa.RecordBatch]:
    """The file's rows with their housekeeping columns, as the database takes them.

    The hash is MD5 over the columns as text, null and empty text apart, so it does not depend on
    the database.
    """
    spec = TABLES[name]
    on_sqlite = engine.dialect.name == "sqlite"
    plain = {Kind.DATE: "CAST({0} AS VARCHAR)", Kind.BOOLEAN: "CAST({0} AS INTEGER)"}
    columns = [
        f"{plain.get(c.kind, '{0}').format(c.name) if on_sqlite else c.name} AS {c.name}"
        for c in spec.columns
    ]
    text = ", ".join(f"coalesce(CAST({c} AS VARCHAR), chr(0))" for c in spec.column_names)
    query = f"""
        SELECT {", ".join(columns)}, md5(concat_ws(chr(31), {text})) AS row_hash
        FROM read_parquet($path)"""
    moment = pa.scalar(now.astimezone(UTC), pa.timestamp("us", "UTC"))
    housekeeping = {
        "is_active": pa.scalar(1) if on_sqlite else pa.scalar(True),
        "last_sync_id": pa.scalar(run_id),
        "loaded_at": pa.scalar(f"{now.astimezone(UTC):%F %T.%f}") if on_sqlite else moment,
    }
    with duckdb.connect(config={"threads": 2}) as database:
        for batch in database.sql(query, params={"path": str(path)}).to_arrow_reader(BATCH_ROWS):
            filled = [pa.repeat(value, batch.num_rows) for value in housekeeping.values()]
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, *filled], names=[*batch.schema.names, *housekeeping]
            )


def _shown(
    batches: Iterator[pa.RecordBatch], task: str, path: Path, progress: Progress
) -> Iterator[pa.RecordBatch]:
    total = pa.parquet.read_metadata(path).num_rows
    done = 0
    for batch in batches:
        yield batch
        done += batch.num_rows
        progress(task, done, total)


def _load_table(
    connection: sa.Connection, target: sa.Table, county_id: str, batches: Iterable[pa.RecordBatch]
) -> TableLoad:
    known = sa.select(sa.literal(1)).where(target.c.county_id == county_id).limit(1)
    if connection.scalar(known) is None:
        rows = insert_batches(connection, target.name, batches)
        return TableLoad(read=rows, inserted=rows)
    staging = f"staging_{target.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {staging} AS SELECT * FROM {target.name} WHERE 1 = 0"
    )
    rows = insert_batches(connection, staging, batches)
    keys = ", ".join(target.primary_key.columns.keys())
    connection.exec_driver_sql(f"CREATE UNIQUE INDEX {staging}_key ON {staging} ({keys})")
    result = _merge(connection, target, staging, county_id, rows)
    connection.exec_driver_sql(f"DROP TABLE {staging}")
    return result


def _merge(
    connection: sa.Connection, target: sa.Table, staging: str, county_id: str, rows: int
) -> TableLoad:
    """Make the county's rows equal to the staged ones; writes only what differs."""
    name, keys = target.name, target.primary_key.columns.keys()
    same = " AND ".join(f"t.{key} = s.{key}" for key in keys)
    counts = connection.exec_driver_sql(
        f"""SELECT count(*) - count(t.row_hash),
                   coalesce(sum(CASE WHEN t.is_active AND t.row_hash <> s.row_hash
                                     THEN 1 ELSE 0 END), 0),
                   coalesce(sum(CASE WHEN NOT t.is_active THEN 1 ELSE 0 END), 0)
            FROM {staging} s LEFT JOIN {name} t ON {same}"""
    ).one()
    inserted, updated, reactivated = (int(count) for count in counts)
    others = [column.name for column in target.columns if column.name not in keys]
    changes = ", ".join(f"{column} = excluded.{column}" for column in others)
    columns = ", ".join(target.columns.keys())
    if inserted or updated or reactivated:
        connection.exec_driver_sql(
            f"""INSERT INTO {name} AS t ({columns}) SELECT {columns} FROM {staging} WHERE true
                ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {changes}
                WHERE t.row_hash <> excluded.row_hash OR NOT t.is_active"""
        )
    gone = connection.execute(
        sa.text(
            f"""UPDATE {name} AS t SET is_active = false WHERE county_id = :county_id AND is_active
                AND NOT EXISTS (SELECT 1 FROM {staging} s WHERE {same})"""
        ),
        {"county_id": county_id},
    )
    unchanged = rows - inserted - updated - reactivated
    return TableLoad(rows, inserted, updated, unchanged, reactivated, gone.rowcount)


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
