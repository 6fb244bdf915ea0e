"""A canonical table at work: staged in the engine, checked, written to Parquet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.mappers.bound import BoundTable
from terrafusion_lib.mappers.pieces import columns
from terrafusion_lib.mappers.relations import prepare, require_unique
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.stage import DROP, Stage, key_text, stage_table, staged

BATCH_ROWS = 65_536
SAME_ROW = "the same as another row"
KEPT, LEFT_OUT = f'"{DROP}" IS NULL', f'"{DROP}" IS NOT NULL'


@dataclass(frozen=True)
class MappedTable:
    """One canonical table: its file and counts; ``read == sum(filtered) + mapped``."""

    path: Path
    read: int
    filtered: dict[str, int]
    mapped: int


def make_stage(session: Session, table: BoundTable) -> Stage:
    """Stage a canonical table, rows to drop still in it; rows must be those of its base.

    Raises
    ------
    MappingError
        A join lost or multiplied rows, or a required value is null.
    """
    name = table.spec.name
    prepare(session, table.reads)
    stage = stage_table(session, table)
    create = f"CREATE TABLE {staged(name)} AS"
    for query in stage.selects:
        session.run(f"{create} {query}", where=name)
        create = f"INSERT INTO {staged(name)}"
    _check_count(session, table)
    _collapse(session, table)
    _check_required(session, table)
    return stage


def _check_count(session: Session, table: BoundTable) -> None:
    name, base_rows = table.spec.name, session.count(table.reads.base)
    rows = session.rows(f"SELECT count(*) FROM {staged(name)}", where=name)[0][0]
    if rows != base_rows:
        for join in table.reads.joins:
            require_unique(session, join, where=name)
        raise MappingError(f"{base_rows:,} rows became {rows:,}", table=name)


def _collapse(session: Session, table: BoundTable) -> None:
    """Leave out rows that are the same as another in every column: one of them says it all.

    Rows that share a key and differ stay: validation refuses them, for no one may guess which is
    right.
    """
    name, spec = staged(table.spec.name), table.spec
    keys = columns(spec.key)
    twice = f"SELECT {keys} FROM {name} WHERE {KEPT} GROUP BY ALL HAVING count(*) > 1"
    number = f"row_number() OVER (PARTITION BY {columns(spec.column_names)} ORDER BY rowid)"
    rows = (
        f"SELECT rowid AS place, {number} AS number FROM {name} SEMI JOIN ({twice}) USING ({keys})"
    )
    session.run(
        f'UPDATE {name} SET "{DROP}" = {literal(SAME_ROW)} '
        f"WHERE {KEPT} AND rowid IN (SELECT place FROM ({rows}) WHERE number > 1)",
        where=spec.name,
    )


def _check_required(session: Session, table: BoundTable) -> None:
    name, key = table.spec.name, key_text(table.spec)
    for column in (column for column, bound in table.columns.items() if bound.required):
        nulls = session.rows(
            f"SELECT {key}, count(*) OVER () FROM {staged(name)} "
            f"WHERE {KEPT} AND {identifier(column)} IS NULL ORDER BY 1 LIMIT 5",
            where=name,
        )
        if nulls:
            raise MappingError(
                "A required value is null",
                table=name,
                column=column,
                count=nulls[0][1],
                examples=[row[0] for row in nulls],
                hint="map it, give a default, or drop these rows with a reason",
            )


def write_stage(
    session: Session, table: BoundTable, out_dir: Path, progress: Progress
) -> MappedTable:
    """Write a staged table and the keys left out, then drop it; later tables read the file."""
    name = table.spec.name
    path = out_dir / f"{name}.parquet"
    mapped = _write_kept(session, table, path, progress)
    left_out = _write_left_out(session, table, out_dir / "filtered" / path.name)
    filtered = session.rows(
        f'SELECT "{DROP}", count(*) FROM {staged(name)} WHERE {LEFT_OUT} GROUP BY 1 ORDER BY 1',
        where=name,
    )
    session.run(f"DROP TABLE {staged(name)}", where=name)
    view = f"CREATE VIEW {table.rows.sql} AS FROM read_parquet({literal(str(path))})"
    session.run(view, where=name)
    return MappedTable(path, mapped + left_out, dict(filtered), mapped)


def _write_kept(session: Session, table: BoundTable, path: Path, progress: Progress) -> int:
    """Write the canonical rows in the order of their key; returns how many."""
    spec, task = table.spec, f"map {table.spec.name}"
    listed = columns(spec.column_names)
    query = (
        f"SELECT {listed} FROM {staged(spec.name)} WHERE {KEPT} "
        f"ORDER BY {columns(spec.key)}, hash({listed})"
    )
    rows = _stream(
        session, query, spec.arrow_schema(), path, lambda written: progress(task, written, None)
    )
    progress(task, rows, rows)
    return rows


def _write_left_out(session: Session, table: BoundTable, path: Path) -> int:
    """Write keys and reasons of the rows that are left out; returns how many."""
    spec, schema = table.spec, table.spec.arrow_schema()
    fields = [pa.field(key, schema.field(key).type) for key in spec.key]
    query = (
        f'SELECT {columns(spec.key)}, "{DROP}" FROM {staged(spec.name)} '
        f"WHERE {LEFT_OUT} ORDER BY ALL"
    )
    reason = pa.field("reason", pa.string(), nullable=False)
    return _stream(session, query, pa.schema([*fields, reason]), path)


def _stream(
    session: Session,
    query: str,
    schema: pa.Schema,
    path: Path,
    report: Callable[[int], object] | None = None,
) -> int:
    """Write a query to Parquet with exactly this schema, batch by batch; returns the rows."""
    rows = 0
    reader = session.reader(query, BATCH_ROWS, where=path.stem)
    with session.fitting(path.stem), pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            arrays = [batch.column(i).cast(item.type) for i, item in enumerate(schema)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            rows += batch.num_rows
            if report:
                report(rows)
    return rows
