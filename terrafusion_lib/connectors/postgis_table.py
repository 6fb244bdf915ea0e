"""One layer's table in PostGIS: its columns, its indexes, and how a load changes it."""

import re
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.parcel_layer import (
    AREA,
    CENTROID,
    GEOMETRY,
    HASH,
    LayerTotals,
    ParcelLayer,
    differences,
)
from terrafusion_lib.connectors.postgis_copy import copy_in
from terrafusion_lib.core.errors import LoadError

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
    """PostgreSQL type of each column, that of shapes with their SRID."""
    shapes = {
        GEOMETRY: f"geometry(MultiPolygon,{layer.srid})",
        CENTROID: f"geometry(Point,{layer.srid})",
    }
    types = {
        field.name: shapes.get(field.name) or TYPES[field.type] for field in layer.table.schema
    }
    return types | {HASH: "bigint"}


def found_types(cursor: Any, layer: ParcelLayer) -> dict[str, str]:
    """Types of the table as it is; empty when there is none."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        (place(layer),),
    )
    return dict(cursor.fetchall())


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
    found = [row for row in cursor.fetchall() if row[0] != HASH]
    if not found:
        raise LoadError(
            "PostGIS holds no such layer",
            county=county_id,
            table=name,
            hint="terrafusion run <county>",
        )
    arrow = {kind: known for known, kind in TYPES.items()}
    schema = pa.schema([(column, arrow.get(kind, pa.binary())) for column, kind, _ in found])
    srid = next(re.search(r"(\d+)\)", kind) for column, kind, _ in found if column == GEOMETRY)
    key = next(column for column, _, is_key in found if is_key)
    return schema, int(srid[1]) if srid else 0, key


def create(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> None:
    """Make the table anew and fill it; readers see the old one until the transaction ends."""
    table = place(layer)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in column_types(layer).items())
    cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{layer.county_id}"')
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} ({columns})")
    copy_in(cursor, table, rows, options=", FREEZE")
    cursor.execute(f'ALTER TABLE {table} ADD PRIMARY KEY ("{layer.key}")')
    cursor.execute(f"CREATE INDEX ON {table} USING gist ({GEOMETRY})")


def change(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> tuple[int, int, int]:
    """Send the rows that differ and delete those that are gone; counts of each.

    Returns
    -------
    inserted, updated, deleted : int
    """
    table, key = place(layer), layer.key
    old = _old_hashes(cursor, table, key)
    new, gone, inserted = differences(rows, old, key)
    if new.num_rows:
        cursor.execute(f"CREATE TEMP TABLE arriving (LIKE {table}) ON COMMIT DROP")
        copy_in(cursor, "arriving", new)
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
    found = cursor.fetchall()
    keys, hashes = zip(*found, strict=True) if found else ((), ())
    return pa.table({key: pa.array(keys, pa.string()), HASH: pa.array(hashes, pa.int64())})


def read_totals(cursor: Any, layer: ParcelLayer) -> LayerTotals:
    """Totals of what the table holds now."""
    cursor.execute(
        f"SELECT count(*), coalesce(sum(ST_Area({GEOMETRY})), 0), "
        f"sum(floor({AREA} * 100 + 0.5)::bigint) FROM {place(layer)}"
    )
    rows, area, area_sqft = cursor.fetchone()
    return LayerTotals(rows, area, None if area_sqft is None else int(area_sqft))
