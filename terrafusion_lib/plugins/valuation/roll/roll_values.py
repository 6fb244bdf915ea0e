"""From a model's value to the value on the roll: caps, minimum, rounding, land and improvement.

Every step that changed a value is named in its trail, so that a value can be traced back to the
model. Applying it twice changes nothing more. A value close to the assessor's is replaced by the
assessor's. All others are rounded, and the cap and the minimum are rounded inward, so that
rounding violates neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.valuation.params import ValuationParams, ValueOverride
from terrafusion_lib.plugins.valuation.roll.appraise import Appraisal, large_change
from terrafusion_lib.plugins.valuation.roll.land import LandValues, land_of
from terrafusion_lib.plugins.valuation.subjects import TextArray, numbers, texts
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

CAPPED, MINIMUM, KEPT, OVERRIDE, ROUNDED = (
    "capped",
    "minimum",
    "kept_current",
    "override",
    "rounded",
)


@dataclass(frozen=True)
class RollValues:
    """Values for the roll, US dollars; NaN if none.

    `land` + `improvement` = `value`; both NaN if it cannot be divided. `trail` names the
    steps that changed the value, comma separated, in their order; None if no steps. `override`
    says why a person set the value, who and when; None without an override.
    """

    value: FloatArray
    land: FloatArray
    improvement: FloatArray
    trail: TextArray
    override: TextArray


def roll_values(
    made: Appraisal, land: LandValues, properties: pa.Table, params: ValuationParams
) -> RollValues:
    """Values for the roll of the appraised subjects.

    Parameters
    ----------
    properties : pa.Table
        Their rows of the properties table, in their order.
    """
    value, trail, override = post_process(
        made.value, made.market_value, texts(properties, "property_id"), params
    )
    of_land, of_rest = numbers(properties, "land_value"), numbers(properties, "improvement_value")
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(of_land / (of_land + of_rest), 0.0, 1.0)
    by_table = land_of(land.curve, made.units)
    made.flag("land_exceeds_value", by_table > value)
    built = np.isfinite(made.units.trait("building_area_sqft")) | (of_rest > 0)
    part, rest = split_land(value, by_table, share, built, params.round_to)
    with np.errstate(invalid="ignore"):
        made.flag("value_outside_interval", (value < made.low) | (value > made.high))
    made.flag("large_change", large_change(value, made.market_value, params))
    return RollValues(value, part, rest, trail, override)


def post_process(
    value: FloatArray,
    current: FloatArray,
    property_id: TextArray,
    params: ValuationParams,
) -> tuple[FloatArray, TextArray, TextArray]:
    """Apply tolerance, cap, minimum, rounding, tolerance again and overrides, in this order.

    Cap and rounding can bring a value within the tolerance.

    Parameters
    ----------
    value, current : array
        The model's value and the assessor's current value, US dollars; NaN if none.

    Returns
    -------
    tuple
        Values, their trails, and override reasons (None without an override).
    """
    values = value.copy()
    trail: TextArray = np.full(values.size, "", dtype=object)

    def step(name: str, target: FloatArray, rows: BoolArray) -> None:
        changed = rows & (target != values)
        values[changed] = target[changed]
        trail[changed] = trail[changed] + np.where(trail[changed] == "", "", ",") + name

    to = params.round_to
    kept = _kept(values, current, params)
    step(KEPT, current, kept)
    others, exact = np.isfinite(values) & ~kept, np.zeros(values.size, dtype=np.bool_)
    if params.max_change is not None:
        low, high = _bounds(current, params.max_change, to)
        step(CAPPED, np.clip(values, low, high), others & (current > 0))
        exact = (values == low) | (values == high)
    least = rounded_up(np.full(values.size, params.min_value), to)
    step(MINIMUM, np.maximum(values, least), others)
    step(ROUNDED, rounded(values, to), others & ~exact)
    step(KEPT, current, others & _kept(values, current, params))
    override = _overridden(values, trail, property_id, params.overrides)
    trail[trail == ""] = None
    return values, trail, override


def _kept(value: FloatArray, current: FloatArray, params: ValuationParams) -> BoolArray:
    """Where the assessor's value stays: the rounded value is within tolerance of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.abs(rounded(value, params.round_to) / current - 1) <= params.unchanged_tolerance
    allowed = (current > 0) & (current >= params.min_value)
    return allowed & near & (params.unchanged_tolerance > 0)


def _bounds(current: FloatArray, change: float, to: float) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest value that a cap allows, multiples of `to`; the current value if none."""
    low, high = rounded_up(current * (1 - change), to), rounded_down(current * (1 + change), to)
    none = low > high
    return np.where(none, current, low), np.where(none, current, high)


def rounded(value: FloatArray, to: float) -> FloatArray:
    """Nearest multiple of `to`, halves up; a positive value never becomes zero. Idempotent."""
    if to <= 0:
        return value.copy()
    nearest = np.floor(value / to + 0.5) * to
    return np.where((value > 0) & (nearest == 0), to, nearest)


def rounded_up(value: FloatArray, to: float) -> FloatArray:
    """Smallest multiple of `to` that is not below, ignoring rounding in the last bit."""
    return np.ceil(value / to * (1 - 1e-12)) * to if to > 0 else value


def rounded_down(value: FloatArray, to: float) -> FloatArray:
    """Largest multiple of `to` that is not above, ignoring rounding in the last bit."""
    return np.floor(value / to * (1 + 1e-12)) * to if to > 0 else value


def _overridden(
    made: FloatArray, trail: TextArray, property_id: TextArray, overrides: Sequence[ValueOverride]
) -> TextArray:
    """Replace the model's values with overrides; the latest for a property counts."""
    rows = {name: row for row, name in enumerate(property_id.tolist())}
    reasons: TextArray = np.full(made.size, None, dtype=object)
    for override in sorted(overrides, key=lambda override: override.when):
        row = rows.get(override.property_id)
        if row is not None:
            made[row], trail[row] = override.value, OVERRIDE
            reasons[row] = f"{override.reason} ({override.who}, {override.when.isoformat()})"
    return reasons


def split_land(
    value: FloatArray,
    land: FloatArray,
    appraised_share: FloatArray,
    built: BoolArray,
    round_to: float,
) -> tuple[FloatArray, FloatArray]:
    """Divide values into land and improvement values, which sum to the total. Land without a
    building carries the whole value. Otherwise the land value comes from the land table, or is the
    total times the assessor's land share. It never exceeds the total, and a parcel without
    assessor's land value (a condominium unit, a manufactured home on someone else's land) has
    none.

    Parameters
    ----------
    land : array
        Land value from the land table, US dollars; NaN if unknown.
    appraised_share : array
        The assessor's land value divided by the total, 0 to 1; NaN if unknown.
    built : array of bool
        Whether it has a building.
    """
    by_share = value * appraised_share
    land_value = np.where(np.isfinite(land), land, by_share)
    land_value = np.where(appraised_share == 0, 0.0, land_value)
    land_value = np.where(built, np.minimum(rounded(land_value, round_to), value), value)
    return land_value, value - land_value


def allocate(total: FloatArray, share: FloatArray, group: IntArray, unit: float) -> FloatArray:
    """Divide each group's total among its members by share, in whole units that sum to it.
    Largest-remainder method: each member gets the whole units of its share, and remaining units go
    to the largest fractions, ties to the first member.

    Parameters
    ----------
    total : array
        Total of each group, US dollars; any remainder beyond whole units goes to its largest
        member.
    share : array
        Weight of each member, zero or more; a group with all weights zero is divided evenly.
    group : array of int
        Group of each member, from 0.
    unit : float
        Smallest unit, US dollars; 0 for no rounding.
    """
    count = total.size
    weight = np.bincount(group, share, count)
    members = np.bincount(group, minlength=count)
    fraction = np.where(
        weight[group] > 0, share / np.where(weight > 0, weight, 1.0)[group], 1 / members[group]
    )
    exact = total[group] * fraction
    if unit <= 0:
        return exact
    units = np.floor(exact / unit + 1e-9)
    left = np.floor(total / unit + 1e-9) - np.bincount(group, units, count)
    order = np.lexsort((np.arange(group.size), -(exact / unit - units), group))
    first = np.cumsum(members) - members
    rank = np.empty(group.size, dtype=np.int64)
    rank[order] = np.arange(group.size) - first[group[order]]
    part = (units + (rank < left[group])) * unit
    rest = total - np.bincount(group, part, count)
    largest = np.lexsort((np.arange(group.size), -fraction, group))
    firsts = largest[np.unique(group[largest], return_index=True)[1]]
    part[firsts] += rest[group[firsts]]
    return part


def structure_values(
    improvements: pa.Table, property_id: TextArray, roll: RollValues, round_to: float
) -> pa.Table:
    """Improvement values of properties with several structures, divided by the assessor's values.

    Parameters
    ----------
    improvements : pa.Table
        Canonical improvements: property_id, improvement_id, improvement_value.

    Returns
    -------
    pa.Table
        property_id, improvement_id, share (0 to 1) and improvement_value (US dollars).
    """
    table = improvements.sort_by(
        [("property_id", "ascending"), ("improvement_id", "ascending")]
    ).combine_chunks()
    rows = pc.index_in(table["property_id"], pa.array(property_id, pa.string())).fill_null(-1)
    row = rows.to_numpy(zero_copy_only=False)
    several = np.bincount(row[row >= 0], minlength=property_id.size) > 1
    wanted = (row >= 0) & several[row] & np.isfinite(roll.improvement)[row]
    table = table.filter(pa.array(wanted))
    found, group = np.unique(row[wanted], return_inverse=True)
    weight = np.nan_to_num(numbers(table, "improvement_value"), nan=0.0)
    total = roll.improvement[found]
    part = allocate(total, np.maximum(weight, 0.0), group, round_to)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total[group] > 0, part / total[group], 0.0)
    return pa.table(
        {
            "property_id": table["property_id"],
            "improvement_id": table["improvement_id"],
            "share": share,
            "improvement_value": part,
        }
    )
