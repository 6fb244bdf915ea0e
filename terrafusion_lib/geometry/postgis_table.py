"""One layer's table in PostGIS: columns, indexes, and changes by a load."""

import re
from typing import Any

import pyarrow as pa

from terrafusion_lib.core.copy_stream import copy_in
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.geo.repair import CENTROID, GEOMETRY
from terrafusion_lib.geometry.parcel_layer import (
    HASH,
    ParcelLayer,
    differences,
)

BATCH_ROWS = 10_000
TYPES = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.date32(): "date",
}


def place(layer: ParcelLayer) -> str:
    """Schema (the county) and table, quoted."""
    return f'"{layer.county_id}"."{layer.name}"'


def column_types(layer: ParcelLayer) -> dict[str, str]:
    """PostgreSQL type of each column; shapes include the SRID."""
    shapes = {
        GEOMETRY: f"geometry(MultiPolygon,{layer.srid})",
        CENTROID: f"geometry(Point,{layer.srid})",
    }
    types = {
        field.name: shapes.get(field.name) or TYPES[field.type] for field in layer.table.schema
    }
    return types | {HASH: "bigint"}


def describe(cursor: Any, county_id: str, name: str) -> tuple[pa.Schema, int, str]:
    """Arrow schema, SRID and key of a stored layer.

    Raises
    ------
    LoadError
        There is no such layer.
    """
    cursor.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(i.indisprimary, false) "
        "FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid "
        "AND i.indisprimary AND a.attnum = ANY(i.indkey) "
        "WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        (f'"{county_id}"."{name}"',),
    )
    columns = [row for row in cursor.fetchall() if row[0] != HASH]
    if not columns:
        raise LoadError(
            "PostGIS has no such layer",
            county=county_id,
            table=name,
            hint=f"terrafusion run {county_id}",
        )
    arrow = {kind: known for known, kind in TYPES.items()}
    schema = pa.schema([(column, arrow.get(kind, pa.binary())) for column, kind, _ in columns])
    srid = next(re.search(r"(\d+)\)", kind) for column, kind, _ in columns if column == GEOMETRY)
    key = next(column for column, _, is_key in columns if is_key)
    return schema, int(srid[1]) if srid else 0, key


def row_count(cursor: Any, county_id: str, name: str) -> int | None:
    """Rows of a stored layer; None if there is none."""
    table = f'"{county_id}"."{name}"'
    cursor.execute("SELECT to_regclass(%s)", (table,))
    if cursor.fetchone()[0] is None:
        return None
    cursor.execute(f"SELECT count(*) FROM {table}")
    return int(cursor.fetchone()[0])


def create(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> None:
    """Recreate the table and fill it; readers see the old one until the transaction ends.

    Raises
    ------
    LoadError
        Views or keys of other tables depend on the old table.
    """
    table = place(layer)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(layer).items())
    _refuse_dependents(cursor, layer)
    cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{layer.county_id}"')
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} ({columns})")
    copy_in(cursor, table, rows.to_batches(BATCH_ROWS), options="FREEZE")
    ensure_indexes(cursor, layer)


def _refuse_dependents(cursor: Any, layer: ParcelLayer) -> None:
    """Refuse to drop a table used by a view or a foreign key."""
    cursor.execute(
        "SELECT DISTINCT coalesce(r.ev_class, c.conrelid)::regclass::text FROM pg_depend d "
        "LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid "
        "LEFT JOIN pg_constraint c "
        "ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype = 'f' "
        "WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(%s) "
        "AND coalesce(r.ev_class, c.conrelid) <> d.refobjid ORDER BY 1",
        (place(layer),),
    )
    dependents = [row[0] for row in cursor.fetchall()]
    if dependents:
        raise LoadError(
            "The layer's columns have changed, and the table cannot be recreated",
            county=layer.county_id,
            table=layer.name,
            count=len(dependents),
            examples=dependents,
            cause="views or tables depend on it",
            hint="save their definitions, drop them, run again, and recreate them",
        )


def ensure_indexes(cursor: Any, layer: ParcelLayer) -> None:
    """Create the primary key and the spatial index if missing."""
    table = place(layer)
    cursor.execute(
        "SELECT coalesce(bool_or(i.indisprimary), false), coalesce(bool_or(i.indisvalid "
        "AND i.indpred IS NULL AND m.amname = 'gist' AND i.indkey[0] = a.attnum), false) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = %s "
        "WHERE i.indrelid = to_regclass(%s)",
        (GEOMETRY, table),
    )
    has_key, has_index = cursor.fetchone()
    if not has_key:
        cursor.execute(f'ALTER TABLE {table} ADD PRIMARY KEY ("{layer.key}")')
    if not has_index:
        cursor.execute(f"CREATE INDEX ON {table} USING gist ({GEOMETRY})")


def refill(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> tuple[int, int, int]:
    """Rewrite all rows in place, so that views and privileges remain; returns the counts.

    Returns
    -------
    inserted, updated, deleted : int
    """
    table, key = place(layer), layer.key
    cursor.execute(f'DELETE FROM {table} RETURNING "{key}"')
    old = {row[0] for row in cursor.fetchall()}
    copy_in(cursor, table, rows.to_batches(BATCH_ROWS))
    new = set(rows[key].to_pylist())
    return len(new - old), len(new & old), len(old - new)


def change(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> tuple[int, int, int]:
    """Send changed rows and delete removed ones; returns the counts.

    Returns
    -------
    inserted, updated, deleted : int
    """
    table, key = place(layer), layer.key
    old = _old_hashes(cursor, table, key)
    new, gone, inserted = differences(rows, old, key)
    if new.num_rows:
        cursor.execute(f"CREATE TEMP TABLE arriving (LIKE {table}) ON COMMIT DROP")
        copy_in(cursor, "arriving", new.to_batches(BATCH_ROWS))
        names = [f'"{name}"' for name in rows.column_names]
        values = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(names)} FROM arriving "
            f'ON CONFLICT ("{key}") DO UPDATE SET {values}'
        )
    if gone:
        cursor.execute(f'DELETE FROM {table} WHERE "{key}" = ANY(%s)', (gone,))
    return inserted, new.num_rows - inserted, len(gone)


def _old_hashes(cursor: Any, table: str, key: str) -> pa.Table:
    cursor.execute(f'SELECT "{key}", {HASH} FROM {table}')
    rows = cursor.fetchall()
    keys, hashes = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({key: pa.array(keys, pa.string()), HASH: pa.array(hashes, pa.int64())})
