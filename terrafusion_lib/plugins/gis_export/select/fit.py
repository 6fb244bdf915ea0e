"""Prepares the parcel layer's shapes for export, by the county's policy for invalid ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.geo.repair import MULTIPOLYGON, POLYGON, REASON, fit_shapes
from terrafusion_lib.plugins.gis_export.select.shapes import Bools, Ints, objects

BATCH = 10_000


@dataclass(frozen=True)
class Fit:
    """Shapes that can be exported.

    `wkb` is the whole column with repaired shapes in their places; `rows` are the requested rows
    that are fit; `left_out` counts the others by reason; `repaired` counts repairs.
    """

    wkb: pa.Array
    rows: Ints
    left_out: dict[str, int]
    repaired: int


def fit(
    wkb: pa.Array,
    rows: Ints,
    policy: GeometryConfig,
    *,
    suspects: Bools | None = None,
    threads: int = 1,
) -> Fit:
    """The shapes of some rows; invalid ones are repaired or left out as in the published layer.

    Only shapes that are invalid, empty or cannot be read go through the repair
    (`geo.repair.fit_shapes`): those in `suspects`, a mask over the column, or else every shape is
    checked.
    """
    missing = np.asarray(wkb.is_null())[rows]
    left_out = {"linked shapes without geometry": int(missing.sum())}
    present = rows[~missing]
    odd = _suspects(wkb, present, threads) if suspects is None else suspects[present]
    to_mend = present[odd]
    if not to_mend.size:
        return Fit(wkb, present, left_out, 0)
    names = pa.array([str(row) for row in to_mend])
    table = pa.table({"row": names, "geometry": wkb.take(pa.array(to_mend))})
    fitted = fit_shapes(table, policy, key="row")
    for reason in fitted.quarantined[REASON].to_pylist():
        what = f"parcel shapes ({reason})"
        left_out[what] = left_out.get(what, 0) + 1
    gone = np.array([int(row) for row in fitted.quarantined["row"].to_pylist()], dtype=np.int64)
    kept = present[~np.isin(present, gone)]
    return Fit(_replaced(wkb, fitted.rows), kept, left_out, len(fitted.repaired))


def _suspects(wkb: pa.Array, rows: Ints, threads: int) -> Bools:
    """Which shapes may be unfit: unreadable, or empty or invalid polygons."""
    import shapely

    def look(part: Ints) -> Bools:
        shapes = shapely.from_wkb(objects(wkb.take(pa.array(part))), on_invalid="ignore")
        polygons = np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))
        odd = shapely.is_empty(shapes) | ~shapely.is_valid(shapes)
        found: Bools = shapely.is_missing(shapes) | (polygons & odd)
        return found

    if rows.size <= BATCH or threads == 1:
        return np.concatenate([np.zeros(0, dtype=bool), *map(look, _parts(rows))])
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(look, _parts(rows))))


def _parts(rows: Ints) -> Iterator[Ints]:
    for start in range(0, rows.size, BATCH):
        yield rows[start : start + BATCH]


def _replaced(wkb: pa.Array, repaired: pa.Table) -> pa.Array:
    """The column with the repaired shapes in their rows."""
    if not repaired.num_rows:
        return wkb
    rows = [int(row) for row in repaired["row"].to_pylist()]
    order = np.argsort(rows, kind="stable")
    shapes = repaired["geometry"].combine_chunks().take(pa.array(order))
    pieces, start = [], 0
    for row, place in zip(np.sort(rows).tolist(), range(len(rows)), strict=True):
        pieces += [wkb.slice(start, row - start), shapes.slice(place, 1)]
        start = row + 1
    return pa.concat_arrays([*pieces, wkb.slice(start)])
