"""The current state of a layer's PostGIS table: totals and content hash.

The content hash covers every stored value and is computed by the server. A load stores it in the
table's comment; if the rows give a different hash, someone else has changed the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from terrafusion_lib.geo.repair import CENTROID, GEOMETRY
from terrafusion_lib.geometry.parcel_layer import (
    HASH,
)
from terrafusion_lib.geometry.parcel_totals import (
    CORNERS,
    HUNDREDTHS,
    LARGEST,
    MILLIONTHS,
    LayerTotals,
)

COMMENT = "Parcels published by TerraFusion; rows changed by hand are replaced. Content: "
WHOLE = ("bigint", "integer")
NUMBER = "double precision"


@dataclass(frozen=True)
class StoredLayer:
    """Totals of the stored rows, their content hash, and the sum of their row hashes."""

    totals: LayerTotals
    mark: str
    hashes: int


def found_types(cursor: Any, place: str) -> dict[str, str]:
    """PostgreSQL type of each column of a table; empty if there is no table."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        (place,),
    )
    return dict(cursor.fetchall())


def read_state(cursor: Any, place: str, types: Mapping[str, str]) -> StoredLayer:
    """Totals and content hash of the table's rows, in one pass.

    Parameters
    ----------
    types : mapping
        PostgreSQL type by column.
    """
    names = [name for name in types if name != HASH]
    numbers = [name for name in names if types[name] in (*WHOLE, NUMBER)]
    corners = [f"ST_{edge}({GEOMETRY})" for edge in ("XMin", "YMin", "XMax", "YMax")]
    corners += [f"ST_X({CENTROID})", f"ST_Y({CENTROID})"]
    chosen = ["count(*)", _mark(types), f"coalesce(sum({HASH}), 0)"]
    chosen.append(f"coalesce(sum(ST_Area({GEOMETRY})), 0)")
    chosen += [f'count("{name}")' for name in names]
    chosen += [_sum(name, types[name]) for name in numbers]
    chosen += [f"sum({_whole(edge, MILLIONTHS)})" for edge in corners]
    cursor.execute(f"SELECT {', '.join(chosen)} FROM {place}")
    rows, mark, hashes, area, *rest = cursor.fetchone()
    counts, rest = dict(zip(names, rest, strict=False)), rest[len(names) :]
    exact = [None if value is None else int(value) for value in rest]
    sums = dict(zip(numbers, exact, strict=False))
    edges = dict(zip(CORNERS, exact[len(numbers) :], strict=True))
    return StoredLayer(LayerTotals(rows, area, counts, sums, edges), mark, int(hashes))


def is_intact(cursor: Any, place: str) -> bool:
    """Whether the table's rows are unchanged since its last load."""
    types = found_types(cursor, place)
    if not {GEOMETRY, HASH} <= types.keys():
        return False
    cursor.execute(f"SELECT {_mark(types)} FROM {place}")
    return bool(cursor.fetchone()[0] == signed_mark(cursor, place))


def signed_mark(cursor: Any, place: str) -> str:
    """The content hash stored by the last load; empty if none."""
    cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", (place,))
    return str(cursor.fetchone()[0] or "").rpartition(COMMENT)[2]


def sign(cursor: Any, place: str, mark: str) -> None:
    """Store the content hash of the table's rows."""
    cursor.execute(f"COMMENT ON TABLE {place} IS %s", (COMMENT + mark,))


def _mark(types: Mapping[str, str]) -> str:
    """Expression for the content hash, independent of row and column order.

    A record's hash is linear in the hashes of its values, so it is hashed again; otherwise values
    swapped between rows would go unnoticed.
    """
    values = [
        f'md5("{name}"::bytea)' if types[name].startswith("geometry") else f'"{name}"'
        for name in sorted(types)
    ]
    of_row = f"hashint8extended(hash_record_extended(ROW({', '.join(values)}), 0), 1)"
    return f"count(*) || ' rows, ' || coalesce(sum({of_row}), 0)"


def _sum(name: str, kind: str) -> str:
    if kind in WHOLE:
        return f'sum("{name}")'
    small = f"""CASE WHEN abs("{name}") < {LARGEST!r} THEN {_whole(f'"{name}"', HUNDREDTHS)} END"""
    return f"sum({small})"


def _whole(value: str, parts: int) -> str:
    return f"floor({value} * {parts} + 0.5)::bigint"
