"""From canonical tables to the sales that a market can be read from, and why others cannot."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from terrafusion_lib.plugins.valuation.params import MultiParcel, Validity, ValuationParams
from terrafusion_lib.plugins.valuation.sales.evidence import Evidence, collect_evidence
from terrafusion_lib.plugins.valuation.subjects import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    TRAITS,
    Sales,
    Subjects,
    TextArray,
    absent,
    numbers,
    texts,
    traits_of,
)
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

SALES_COLUMNS = (
    "sale_id",
    "property_id",
    "sale_date",
    "sale_price",
    "adjusted_sale_price",
    "dor_valid",
    "county_valid",
    "dor_ratio_code",
    "deed_type",
    "wac_code",
    "party_relation",
    "parcel_count",
    "is_land_only",
    "parcel_market_value",
    "total_market_value",
    "property_type",
    "property_class",
    "neighborhood_code",
    *TRAITS,
)
PROPERTY_COLUMNS = (
    "property_id",
    "property_type",
    "property_class",
    "neighborhood_code",
    "latitude",
    "longitude",
    "current_market_value",
    "land_value",
    "improvement_value",
    "prior_market_value",
    "new_construction_value",
    *TRAITS,
)
IMPROVEMENT_COLUMNS = ("property_id", "improvement_id", "improvement_value")
_DOUBT = ("not_valid", "invalid_deed_or_decision")
_BUILDING = [
    TRAITS.index(name)
    for name in TRAITS
    if name not in ("land_area_sqft", "view_rating", "is_waterfront")
]


@dataclass(frozen=True)
class PreparedSales:
    """Sales by use, each row of the sales table in exactly one place.

    `units`: the properties, with the identities that sales give them. `market`: valid sales before
    the valuation date and young enough. `later`: valid sales on or after it, which may test a
    model but never make a value. `left_out`: rows by reason. `codes_used` says which rule decided
    on validity. `doubted`: priced sales of one parcel that codes, deeds or people keep out, for a
    model to look at; `evidence` by row of the sales table.
    """

    units: Subjects
    market: Sales
    later: Sales
    doubted: Sales
    evidence: Evidence
    left_out: dict[str, int]
    codes_used: str


def prepare_sales(
    table: pa.Table,
    properties: pa.Table,
    units: Subjects,
    valuation_date: date,
    params: ValuationParams,
) -> PreparedSales:
    """Select and complete the sales.

    A trait that the sale does not carry is taken from the property; a sale of land alone is a
    sale of vacant land, whatever stands there now. Properties that a sale used here sold together
    get one identity, so that no part of its price values another.
    """
    parcel = _parcels(table, properties)
    price = _prices(table, params)
    day = _days(table, valuation_date)
    valid, codes_used = _valid(table, params.validity)
    evidence = collect_evidence(table, valid, price, day, params)
    usable = evidence.usable()
    parcels_sold = numbers(table, "parcel_count")
    multi = (parcels_sold > 1) if params.multi_parcel is MultiParcel.EXCLUDE else np.isnan(price)
    reasons: list[tuple[str, BoolArray]] = [
        ("no_price", ~(numbers(table, "sale_price") >= params.min_sale_price)),
        ("no_date", np.isnan(day)),
        ("not_valid", ~usable & ~valid),
        ("invalid_deed_or_decision", ~usable),
        ("entered_twice", evidence.twice),
        ("several_parcels", multi),
        ("property_not_on_roll", parcel < 0),
        ("too_old", day < -params.max_sale_age_months * DAYS_PER_MONTH),
    ]
    keep, left_out = _sift(reasons, table.num_rows)
    if params.multi_parcel is MultiParcel.ALLOCATE:
        together = keep & (parcels_sold > 1)
        units = replace(units, identity=_identities(len(units), table, parcel, together))
    other, _ = _sift([reason for reason in reasons if reason[0] not in _DOUBT], table.num_rows)

    def chosen(rows: BoolArray) -> Sales:
        at = np.flatnonzero(rows)
        sales = _sales(table.take(pa.array(at)), units, parcel[at], price[at], day[at])
        keys = (sales.property_id.astype(str), sales.sale_id.astype(str), sales.unit.day)
        return sales.take(np.lexsort(keys))

    sales = chosen(keep)
    return PreparedSales(
        units=units,
        market=sales.take(sales.unit.day < 0),
        later=sales.take(sales.unit.day >= 0),
        doubted=chosen(other & ~keep),
        evidence=evidence,
        left_out=left_out,
        codes_used=codes_used,
    )


def _identities(size: int, table: pa.Table, parcel: IntArray, together: BoolArray) -> IntArray:
    """A number for each property, the same for those that a chain of joint sales connects."""
    _, sale = np.unique(texts(table, "sale_id")[together].astype(str), return_inverse=True)
    nodes = size + int(sale.max(initial=-1)) + 1
    link = coo_array((np.ones(sale.size), (parcel[together], size + sale)), shape=(nodes, nodes))
    return np.asarray(connected_components(link, directed=False)[1][:size], dtype=np.int64)


def _sift(reasons: list[tuple[str, BoolArray]], size: int) -> tuple[BoolArray, dict[str, int]]:
    """The rows without a reason, and how many each reason (the first that holds) left out."""
    keep = np.ones(size, dtype=np.bool_)
    left_out = {}
    for name, mask in reasons:
        left_out[name] = int(np.count_nonzero(keep & mask))
        keep &= ~mask
    return keep, {name: count for name, count in left_out.items() if count}


def _parcels(table: pa.Table, properties: pa.Table) -> IntArray:
    """Row of each sale's property on the roll; -1 when it is not on it."""
    rows = pc.index_in(
        table["property_id"].combine_chunks(), value_set=properties["property_id"].combine_chunks()
    )
    return np.asarray(rows.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _prices(table: pa.Table, params: ValuationParams) -> FloatArray:
    """Adjusted price, else price; a parcel's share of it when sales are allocated."""
    adjusted, paid = numbers(table, "adjusted_sale_price"), numbers(table, "sale_price")
    price = np.where(adjusted > 0, adjusted, paid)
    if params.multi_parcel is MultiParcel.EXCLUDE:
        return price
    with np.errstate(divide="ignore", invalid="ignore"):
        share = numbers(table, "parcel_market_value") / numbers(table, "total_market_value")
    several = numbers(table, "parcel_count") > 1
    return np.where(several, np.where(share > 0, price * share, np.nan), price)


def _days(table: pa.Table, valuation_date: date) -> FloatArray:
    """Days from the valuation date to each sale; NaN without a date."""
    epoch = (valuation_date - date(1970, 1, 1)).days
    days = table["sale_date"].cast(pa.int32()).cast(pa.float64())
    return np.asarray(days.to_numpy(zero_copy_only=False), dtype=np.float64) - epoch


def _valid(table: pa.Table, rule: Validity) -> tuple[BoolArray, str]:
    dor, county = numbers(table, "dor_valid"), numbers(table, "county_valid")
    if rule is Validity.NONE:
        return np.ones(dor.size, dtype=np.bool_), "codes not looked at"
    if np.isnan(dor).all() and np.isnan(county).all():
        return np.ones(dor.size, dtype=np.bool_), "no sale has a code: all priced sales used"
    if rule is Validity.DOR:
        return dor == 1, "DOR code"
    if rule is Validity.COUNTY:
        return county == 1, "county code"
    either = (dor == 1) | (county == 1)
    if rule is Validity.EITHER:
        return either, "either code"
    return either & (dor != 0) & (county != 0), "both codes"


def _sales(
    table: pa.Table, units: Subjects, parcel: IntArray, price: FloatArray, day: FloatArray
) -> Sales:
    on_roll = units.take(parcel)
    then, now = traits_of(table), on_roll.traits
    land_only = numbers(table, "is_land_only") == 1
    traits = np.where(np.isnan(then), now, then)
    traits[np.ix_(land_only, _BUILDING)] = np.nan
    kind = _coalesce(texts(table, "property_type"), on_roll.property_type)
    kind[land_only] = "vacant_land"
    unit = Subjects(
        parcel=parcel,
        identity=on_roll.identity,
        property_type=kind,
        use=_coalesce(texts(table, "property_class"), on_roll.use),
        neighborhood=_coalesce(texts(table, "neighborhood_code"), on_roll.neighborhood),
        traits=traits,
        x_feet=on_roll.x_feet,
        y_feet=on_roll.y_feet,
        located=on_roll.located,
        day=day,
        year=on_roll.year + day / DAYS_PER_YEAR,
        trend=on_roll.trend,
        premium=on_roll.premium,
        surroundings=on_roll.surroundings,
    )
    return Sales(
        unit=unit,
        sale_id=texts(table, "sale_id"),
        property_id=texts(table, "property_id"),
        sale_date=np.asarray(
            table["sale_date"].to_numpy(zero_copy_only=False), dtype="datetime64[D]"
        ),
        price=price,
    )


def _coalesce(first: TextArray, second: TextArray) -> TextArray:
    merged: TextArray = np.where(absent(first), second, first)
    return merged
