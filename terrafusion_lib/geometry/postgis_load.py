"""A load of one layer into PostGIS: sends differences and repairs changes made by others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.geometry import postgis_table
from terrafusion_lib.geometry.parcel_layer import HASH, ParcelLayer
from terrafusion_lib.geometry.parcel_totals import (
    LayerLoad,
    LayerTotals,
    check_layer,
    check_not_emptied,
    exact_sum,
)
from terrafusion_lib.geometry.postgis_state import (
    StoredLayer,
    found_types,
    read_state,
    sign,
    signed_mark,
)


@dataclass(frozen=True)
class Changes:
    """Rows written and deleted."""

    inserted: int
    updated: int
    deleted: int


NOTHING = Changes(0, 0, 0)


def load_layer(
    cursor: Any, layer: ParcelLayer, rows: pa.Table, source: Callable[[], LayerTotals]
) -> LayerLoad:
    """Make the table equal to the layer, within the transaction of `cursor`.

    If someone else changed rows, or rows do not match what was sent, all rows are rewritten; if
    they still differ, the load fails.

    Parameters
    ----------
    rows : pa.Table
        The layer's rows with their hashes.
    source : callable
        Returns the totals of the layer.

    Raises
    ------
    LoadError
        The stored rows do not match, views prevent a change of columns, or the layer is empty but
        the stored one is not.
    """
    place, types = postgis_table.place(layer), postgis_table.column_types(layer)
    if found_types(cursor, place) == types:
        changes, state = _renew(cursor, layer, rows)
    else:
        _check_rows(cursor, layer)
        postgis_table.create(cursor, layer, rows)
        changes, state = Changes(rows.num_rows, 0, 0), read_state(cursor, place, types)
    if source().differences(state.totals):
        postgis_table.refill(cursor, layer, rows)
        state = read_state(cursor, place, types)
    check_layer(layer, source(), state.totals)
    if signed_mark(cursor, place) != state.mark:
        sign(cursor, place, state.mark)
    unchanged = rows.num_rows - changes.inserted - changes.updated
    return LayerLoad(
        rows.num_rows,
        changes.inserted,
        changes.updated,
        unchanged,
        changes.deleted,
        state.totals,
    )


def _renew(cursor: Any, layer: ParcelLayer, rows: pa.Table) -> tuple[Changes, StoredLayer]:
    """Write differences to a table with the layer's columns; all rows if it was changed."""
    place, types = postgis_table.place(layer), postgis_table.column_types(layer)
    state = read_state(cursor, place, types)
    check_not_emptied(layer, state.totals.rows, remove=f"DROP TABLE {place}")
    if state.mark != signed_mark(cursor, place):
        changes = Changes(*postgis_table.refill(cursor, layer, rows))
    elif (state.totals.rows, state.hashes) == (rows.num_rows, _sum_of_hashes(rows)):
        changes = NOTHING
    else:
        postgis_table.ensure_indexes(cursor, layer)
        changes = Changes(*postgis_table.change(cursor, layer, rows))
    postgis_table.ensure_indexes(cursor, layer)
    return changes, state if changes == NOTHING else read_state(cursor, place, types)


def _check_rows(cursor: Any, layer: ParcelLayer) -> None:
    place = postgis_table.place(layer)
    stored = postgis_table.row_count(cursor, layer.county_id, layer.name)
    check_not_emptied(layer, stored, remove=f"DROP TABLE {place}")


def _sum_of_hashes(rows: pa.Table) -> int:
    return exact_sum(pc.fill_null(rows[HASH], 0).to_numpy()) or 0
