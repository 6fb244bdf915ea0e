"""The records of each layer: their source rows and their shapes."""

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.geo.crs import WGS84, Floats
from terrafusion_lib.plugins.gis_export.errors import NO_GEOMETRY, ExportError
from terrafusion_lib.plugins.gis_export.select.area_of_interest import Selection
from terrafusion_lib.plugins.gis_export.select.county_tables import (
    ROLL,
    SALES,
    SHAPES,
    CountyTables,
    follow,
    numbers,
    positions,
)
from terrafusion_lib.plugins.gis_export.select.dissolve import dissolve
from terrafusion_lib.plugins.gis_export.select.shapes import (
    POLYGON,
    Bools,
    Ints,
    Shapes,
    as_wkb,
    points,
)

VALUATIONS, COMPARABLES, RATIOS = "valuations", "valuation_comparables", "sale_ratios"
UNLINKED = "parcel shapes that belong to no property"
STATISTICS, APPRAISED, BY_NEIGHBORHOOD = "ratio_statistics", "appraised", "neighborhood_code"


@dataclass(frozen=True)
class Records:
    """A layer's records: shapes, the source row in each table (−1: none), figures.

    `key` names the attributes that together are unique. `left_out` counts what has no record, by
    reason; `repaired` counts the parcel shapes that were repaired; `unlinked` are the keys of the
    features in the area that belong to no property.
    """

    shapes: Shapes
    key: tuple[str, ...]
    rows: dict[str, Ints] = field(default_factory=dict)
    computed: dict[str, pa.Array] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    unlinked: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))


def parcels(tables: CountyTables, selection: Selection) -> Records:
    """One record per shape linked to a property; without a layer, per property at its point."""
    build = _by_shape if len(selection.shapes) else _by_point
    base = _with_unlinked(build(tables, selection), tables, selection)
    if not tables.has(VALUATIONS):
        return base
    valued = positions(tables.column(ROLL, "property_id"), tables.column(VALUATIONS, "property_id"))
    return replace(base, rows=base.rows | {VALUATIONS: follow(base.rows[ROLL], valued)})


def value_change(tables: CountyTables, selection: Selection) -> Records:
    """Parcels with value change; null if either value is missing or zero."""
    base = parcels(tables, selection)
    prior, current = (
        _at(numbers(tables.column(ROLL, name)), base.rows[ROLL])
        for name in ("prior_market_value", "current_market_value")
    )
    model = np.full(current.size, np.nan)
    if VALUATIONS in base.rows:
        estimated = numbers(tables.column(VALUATIONS, "estimated_value"))
        model = _at(estimated, base.rows[VALUATIONS])
    computed = {
        "value_change": _or_null(current - prior),
        "value_change_pct": _or_null(_percent_over(current, prior)),
        "model_change_pct": _or_null(_percent_over(model, current)),
    }
    return replace(base, computed=computed)


def sales(tables: CountyTables, selection: Selection) -> Records:
    """One record per sale and parcel, at the parcel."""
    return _placed(tables, selection, SALES, ("sale_id", "property_id"))


def comparables(tables: CountyTables, selection: Selection) -> Records:
    """One record per subject in the area and comparable, at the comparable."""
    return _placed(
        tables, selection, COMPARABLES, ("property_id", "rank"), place="comparable_property_id"
    )


def ratio_deviations(tables: CountyTables, selection: Selection) -> Records:
    """One record per study and sale, with the deviation from the study's median ratio."""
    base = _placed(tables, selection, RATIOS, ("study", "sale_id", "property_id"))
    ratio = numbers(tables.column(RATIOS, "ratio"))
    study = tables.column(RATIOS, "study").to_numpy(zero_copy_only=False)
    median = np.full(ratio.size, np.nan)
    for name in sorted(set(study)):
        median[study == name] = np.nanmedian(ratio[study == name])
    computed = {"residual_pct": _or_null(_at(_percent_over(ratio, median), base.rows[RATIOS]))}
    return replace(base, computed=computed)


def neighborhoods(tables: CountyTables, selection: Selection) -> Records:
    """One record per neighborhood that the area touches: all of its parcels, dissolved."""
    if not len(selection.shapes):
        raise ExportError(
            "Neighborhood outlines need parcel shapes, but the county has none",
            reason_code=NO_GEOMETRY,
            county=tables.context.county_id,
            table=SHAPES,
            hint="add the parcel layer to sources in county.yaml",
        )
    codes = tables.column(ROLL, "neighborhood_code")
    names = pc.unique(codes.filter(pa.array(selection.properties))).drop_null().sort()
    group = positions(codes, names)
    linked = follow(selection.roll_of_shape, group)
    fit = tables.fit_shapes(np.flatnonzero(linked >= 0))
    shape_group = np.full_like(linked, -1)
    shape_group[fit.rows] = linked[fit.rows]
    outlines = dissolve(fit.wkb, shape_group, len(names), tables.context.progress)
    drawn = np.flatnonzero(np.bincount(shape_group[shape_group >= 0], minlength=len(names)))
    counted = group >= 0

    def total(name: str) -> pa.Array:
        values = np.nan_to_num(numbers(tables.column(ROLL, name)))[counted]
        return pa.array(np.bincount(group[counted], values, minlength=len(names))[drawn])

    computed = {
        "neighborhood_code": names.take(pa.array(drawn)),
        "property_count": pa.array(np.bincount(group[counted], minlength=len(names))[drawn]),
        "market_value": total("current_market_value"),
        "assessed_value": total("assessed_value"),
    }
    shapes = Shapes(as_wkb(outlines[drawn]), pa.array(np.arange(drawn.size)), WGS84, POLYGON)
    left_out = {"neighborhoods without a parcel shape": len(names) - drawn.size} | fit.left_out
    key = ("neighborhood_code",)
    base = Records(shapes, key, computed=computed, left_out=left_out, repaired=fit.repaired)
    return _with_unlinked(base, tables, selection)


def neighborhood_ratios(tables: CountyTables, selection: Selection) -> Records:
    """Neighborhoods with ratio statistics of the assessor's values; null if not studied."""
    base = neighborhoods(tables, selection)
    names = base.computed["neighborhood_code"]
    studied = tables[STATISTICS].filter(
        (pc.field("study") == APPRAISED) & (pc.field("grouping") == BY_NEIGHBORHOOD)
    )

    def figure(statistic: str, column: str = "estimate") -> pa.Array:
        rows = studied.filter(pc.field("statistic") == statistic).combine_chunks()
        at = positions(names, rows["stratum"].combine_chunks())
        return rows[column].combine_chunks().take(pa.array(at, mask=at < 0))

    computed = {
        "neighborhood_code": names,
        "sales_count": figure("median_ratio", "n"),
        "median_ratio": figure("median_ratio"),
        "median_ratio_low": figure("median_ratio", "ci_low"),
        "median_ratio_high": figure("median_ratio", "ci_high"),
        "cod": figure("cod"),
        "prd": figure("prd"),
        "prb": figure("prb"),
        "median_verdict": figure("median_ratio", "verdict"),
    }
    return replace(base, computed=computed)


def _by_shape(tables: CountyTables, selection: Selection) -> Records:
    fit = tables.fit_shapes(np.flatnonzero(selection.shapes))
    linked = selection.roll_of_shape[selection.roll_of_shape >= 0]
    without = selection.properties.copy()
    without[linked] = False
    left_out = {"properties without a parcel shape": int(without.sum())} | fit.left_out
    rows = {SHAPES: fit.rows, ROLL: selection.roll_of_shape[fit.rows]}
    shapes = Shapes(fit.wkb, pa.array(fit.rows), WGS84, POLYGON)
    return Records(shapes, ("geometry_id",), rows, left_out=left_out, repaired=fit.repaired)


def _with_unlinked(base: Records, tables: CountyTables, selection: Selection) -> Records:
    """The records, the features that belong to no property counted and listed."""
    keys = tables.column(SHAPES, "geometry_id").filter(pa.array(selection.unlinked))
    return replace(base, left_out=base.left_out | {UNLINKED: len(keys)}, unlinked=keys)


def _by_point(tables: CountyTables, selection: Selection) -> Records:
    longitude, latitude = _location(tables)
    placed = selection.properties & np.isfinite(longitude) & np.isfinite(latitude)
    rows = np.flatnonzero(placed)
    left_out = {"properties without a location": int(selection.properties.sum()) - rows.size}
    shapes = points(longitude[rows], latitude[rows])
    return Records(shapes, ("property_id",), {ROLL: rows}, left_out=left_out)


def _placed(
    tables: CountyTables,
    selection: Selection,
    name: str,
    key: tuple[str, ...],
    *,
    place: str = "property_id",
) -> Records:
    """Rows of a table whose property is in the area, at the point of the property in `place`."""
    on_roll = tables.column(ROLL, "property_id")
    longitude, latitude = _location(tables)
    subject = positions(tables.column(name, "property_id"), on_roll)
    located = subject
    if place != "property_id":
        located = positions(tables.column(name, place), on_roll)
    inside = _at_mask(selection.properties, subject)
    placed = inside & _at_mask(np.isfinite(longitude) & np.isfinite(latitude), located)
    rows = np.flatnonzero(placed)
    at = located[rows]
    return Records(
        points(longitude[at], latitude[at]),
        key,
        {name: rows, ROLL: at},
        left_out={"without a location": int(inside.sum()) - rows.size},
    )


def _location(tables: CountyTables) -> tuple[Floats, Floats]:
    longitude, latitude = (numbers(tables.column(ROLL, n)) for n in ("longitude", "latitude"))
    return longitude, latitude


def _at(values: Floats, rows: Ints) -> Floats:
    """``values[rows]``, NaN without a row."""
    return np.append(values, np.nan)[rows]


def _at_mask(values: Bools, rows: Ints) -> Bools:
    return np.append(values, False)[rows]


def _percent_over(value: Floats, base: Floats) -> Floats:
    """Percent by which `value` exceeds `base`; NaN unless `base` is above zero."""
    usable = base > 0
    return np.where(usable, (value / np.where(usable, base, 1.0) - 1.0) * 100.0, np.nan)


def _or_null(values: Floats) -> pa.Array:
    return pa.array(values, from_pandas=True)
