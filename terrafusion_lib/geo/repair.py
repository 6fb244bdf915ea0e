"""Prepares shapes for a geometry store: valid multipolygons, or set aside with a reason."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.geo.rings import regrouped

GEOMETRY, CENTROID = "geometry", "centroid"
POLYGON, MULTIPOLYGON = 3, 6
REASON = "reason"

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class FitShapes:
    """Rows that can be published, rows that cannot (with ``reason``), and how many were repaired.

    `reasons` counts the rows set aside by reason; `repaired` names the keys.
    """

    rows: pa.Table
    quarantined: pa.Table
    repaired: list[str]
    reasons: dict[str, int]


def made_valid(shapes: Any) -> Any:
    """Valid shapes that cover the area enclosed by their rings; valid input is unchanged.

    Rings beside the outer one become parts (`rings.regrouped`), then GEOS ``make_valid``,
    structure method: parts that collapse to lines are dropped.
    """
    import shapely

    shapes = np.array(shapes, dtype=object)
    polygonal = np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))
    invalid = polygonal & ~shapely.is_valid(shapes)
    shapes[invalid] = regrouped(shapes[invalid])
    return _made_valid(shapes)


def _made_valid(shapes: Any) -> Any:
    import shapely

    return shapely.make_valid(shapes, method="structure", keep_collapsed=False)


def fit_shapes(table: pa.Table, policy: GeometryConfig, *, key: str) -> FitShapes:
    """Separate publishable rows, which get multipolygons and a centroid, from the others.

    A row is set aside when it has no shape, when the shape cannot be read or covers no area, and
    when it is invalid (OGC Simple Features: a ring crosses itself, say) and the policy is to
    quarantine, or its repair changes the area by more than the policy allows: the area of all its
    rings, parts added and holes taken away.

    Parameters
    ----------
    table : pa.Table
        Columns `key` and ``geometry`` (WKB), and others that are kept.
    """
    import shapely

    wkb = table[GEOMETRY].to_numpy()
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    reasons = np.full(len(shapes), "", dtype=object)
    present = ~np.array([item is None for item in wkb], dtype=bool)
    reasons[~present] = "no shape"
    unreadable = present & shapely.is_missing(shapes)
    reasons[unreadable] = "the shape cannot be read"
    kinds = shapely.get_type_id(shapes)
    usable = present & ~unreadable
    no_area = usable & (~np.isin(kinds, (POLYGON, MULTIPOLYGON)) | shapely.is_empty(shapes))
    reasons[no_area] = "the shape covers no area"
    invalid = usable & ~no_area & ~shapely.is_valid(shapes)
    shapes = shapes.copy()
    repaired = _repair(shapes, invalid, reasons, policy)
    fit = reasons == ""
    quarantined = table.filter(pa.array(~fit))
    quarantined = quarantined.append_column(REASON, pa.array(reasons[~fit], pa.string()))
    names, counts = np.unique(reasons[~fit].astype(str), return_counts=True)
    return FitShapes(
        _with_shapes(table.filter(pa.array(fit)), shapes[fit]),
        quarantined,
        table[key].filter(pa.array(repaired)).to_pylist(),
        dict(zip(names.tolist(), counts.tolist(), strict=True)),
    )


def _repair(shapes: Any, invalid: Bools, reasons: Any, policy: GeometryConfig) -> Bools:
    """Repair invalid shapes in place, or record why not; returns the mask of repaired shapes."""
    import shapely

    if policy.invalid == "quarantine":
        reasons[invalid] = shapely.is_valid_reason(shapes[invalid])
        reasons[invalid] = [f"invalid: {_kind(text)}" for text in reasons[invalid]]
        return np.zeros(len(shapes), dtype=bool)
    grouped = regrouped(shapes[invalid])
    valid = _made_valid(grouped)
    before, after = np.abs(shapely.area(grouped)), shapely.area(valid)
    polygonal = np.isin(shapely.get_type_id(valid), (POLYGON, MULTIPOLYGON)) & (after > 0)
    change = np.abs(after - before) / np.where(before > 0, before, np.inf)
    kept = polygonal & (before > 0) & (change <= policy.max_repair_area_change)
    places = np.flatnonzero(invalid)
    shapes[places[kept]] = valid[kept]
    reasons[places[~kept]] = "invalid, and a repair would change its area"
    repaired = np.zeros(len(shapes), dtype=bool)
    repaired[places[kept]] = True
    return repaired


def _kind(text: str) -> str:
    """GEOS's reason without coordinates, so that reasons can be counted."""
    return text.partition("[")[0].strip()


def _with_shapes(table: pa.Table, shapes: Any) -> pa.Table:
    import shapely

    single = shapely.get_type_id(shapes) == POLYGON
    shapes = shapes.copy()
    if single.any():
        singles = np.flatnonzero(single)
        shapes[singles] = shapely.multipolygons(shapes[singles], indices=np.arange(len(singles)))
    flat = shapely.force_2d(shapes)
    place = table.column_names.index(GEOMETRY)
    table = table.set_column(place, GEOMETRY, pa.array(shapely.to_wkb(flat), pa.binary()))
    centroids = pa.array(shapely.to_wkb(shapely.centroid(flat)), pa.binary())
    return table.append_column(CENTROID, centroids)
