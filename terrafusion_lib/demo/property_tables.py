"""dbo.property, property_val, prop_supp_assoc, situs, property_tax_area: identity and location."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.columns import (
    Bools,
    Days,
    Ints,
    Table,
    as_array,
    day,
    digits,
    join,
    moment,
    pick,
    row_versions,
    take,
    where,
)
from terrafusion_lib.demo.county import County, personal_values
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.places import CITIES, PREFIXES, STREETS, SUFFIXES, TAX_AREAS
from terrafusion_lib.demo.uses import CODES, Pool
from terrafusion_lib.demo.values import Layer, layer_values

SENTINEL_1980 = np.datetime64("1980-01-01")
UNKNOWN_USE = "X9"
TAX_AREA_ID = 500
ZONES = ("RL", "RM", "RH", "C-1", "RR-5", "GMA AG", "MHP")
_SUB_TYPES = ("R", "C", "MH", "F", "I")


def property_table(county: County) -> Table:
    """dbo.property: the permanent identity; parcel numbers are space-padded in places."""
    p = county.properties
    personal, leased = p["kind"] == Kind.PERSONAL, p["kind"] == Kind.LEASED_MH
    number = parcel_numbers(county)
    padded = where(padded_rows(p), join(number, "   "), number)
    shop = p["pool"] == Pool.COMMERCIAL
    rng = county.rng("property")
    return {
        "prop_id": p["prop_id"],
        "prop_type_cd": pick(("R    ", "MH   ", "P    "), np.select([leased, personal], [1, 2], 0)),
        "prop_create_dt": moment(day(p["created"], 3, 1 + p["prop_id"] % 28)),
        "ref_id1": where(p["plat"] >= 0, join("R", pa.array(p["prop_id"]).cast(pa.string()))),
        "geo_id": padded, "simple_geo_id": number,
        "dba_name": where(personal, pick(STREETS, p["prop_id"] % len(STREETS))),
        "utilities": pick(("CITY", "CITY", "WELL, SEPTIC"), np.select([p["plat"] >= 0], [0], 2)),
        "topography": pick(("LEVEL", "ROLLING", "STEEP", None), rng.choice(
            4, len(shop), p=[0.6, 0.2, 0.05, 0.15])),
        "road_access": pick(("PAVED", "GRAVEL"), ((p["plat"] < 0) & (rng.random(len(shop)) < 0.4))
                            .astype(np.int64)),
        "zoning": pick(ZONES, zoning(p)),
        "state_cd": "WA   ", "reference_flag": where(p["prop_id"] % 900 == 1, "T"),
    }  # fmt: skip


def zoning(p: Table) -> Ints:
    """Zoning district of each property, as an index."""
    by_pool = np.array([0, 1, 3, 4, 5, 6])
    small = (p["pool"] == Pool.LOT) & (p["sqft"] < 7_000)
    return np.where(small, 2, by_pool[p["pool"]])


def padded_rows(p: Table) -> Bools:
    """Properties whose geo_id carries trailing spaces."""
    return np.asarray(p["prop_id"] % 29 == 3)


def parcel_numbers(county: County) -> pa.Array:
    """Parcel numbers: 15 digits of section, township, range, plat, block and lot."""
    p = county.properties
    rows = np.arange(len(p["prop_id"]))
    plat = np.where(p["plat"] >= 0, 1 + p["plat"] % 9000, 0)
    serial = np.where(p["polygon"] >= 0, p["polygon"], 600_000 + rows) + 1
    place = p["section"] * 100 + p["township"] % 10 * 10 + p["range"] % 10
    return join("1", digits(place, 4), digits(plat, 4), digits(serial, 6))


def situs_table(county: County) -> Table:
    """dbo.situs: the primary situs, for some properties a second one; CR LF in the display."""
    p = county.properties
    rng = county.rng("situs")
    count = len(p["prop_id"])
    addressed = (p["pool"] != Pool.FARM) | (county.buildings["structure"] > 0)
    second = np.flatnonzero(addressed & (rng.random(count) < 0.015))
    rows = np.concatenate([np.flatnonzero(addressed), second])
    extra = np.arange(len(rows)) >= addressed.sum()
    order = np.lexsort((extra, rows))
    rows, extra = rows[order], extra[order]
    city = county.land.hoods["city"][p["hood"]][rows]
    number, prefix, street, suffix = street_address(county, rows, 2 * extra)
    odd = np.isin(rows, county.odd["non_ascii_situs"])
    street = where(odd, "CAÑADA VIEJA", street)
    name = pick([place.name.upper() for place in CITIES], city)
    zips = pa.array(np.array([place.zips[0] for place in CITIES])[city])
    leased = p["pool"][rows] == Pool.LEASED
    unit = where(leased, join("SP", digits(1 + p["prop_id"][rows] % 120, 1)))
    return {
        "prop_id": p["prop_id"][rows], "situs_id": 1 + extra.astype(np.int64),
        "primary_situs": pick(("Y", "N"), extra.astype(np.int64)),
        "situs_num": number, "situs_street_prefx": prefix, "situs_street": street,
        "situs_street_sufix": suffix, "situs_unit": unit, "situs_city": name,
        "situs_state": where(rng.random(len(rows)) < 0.93, "WA"), "situs_zip": zips,
        "situs_display": join(join(number, prefix, street, suffix, unit, separator=" "), "\r\n",
                              name, ", WA ", zips),
    }  # fmt: skip


def street_address(
    county: County, rows: Ints, shift: Ints
) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """House number (plus `shift`), prefix, street and suffix of properties."""
    p = county.properties
    plat, section = p["plat"][rows], p["section"][rows] + 36 * p["township"][rows]
    street = np.where(plat >= 0, plat * 5 + p["street"][rows] * 3, section * 7) % len(STREETS)
    country = 10_000 + (p["x"][rows] / 11 + p["y"][rows] / 7).astype(np.int64) % 89_000
    number = np.where(plat >= 0, p["number"][rows], country) + shift
    return (
        pa.array(number).cast(pa.string()),
        pick(PREFIXES, np.where(plat >= 0, plat, section) % len(PREFIXES)),
        pick(STREETS, street),
        pick(SUFFIXES, np.where(plat >= 0, street % len(SUFFIXES), len(SUFFIXES) - 1)),
    )


def prop_supp_tables(county: County) -> Iterator[Table]:
    """dbo.prop_supp_assoc: the supplement that counts, one row per year and property."""
    for year, (rows, sup) in sorted(county.roll.current.items()):
        ids = county.properties["prop_id"][rows]
        order = np.lexsort((ids, sup))
        yield {"owner_tax_yr": year, "sup_num": sup[order], "prop_id": ids[order]}


def tax_area_tables(county: County) -> Iterator[Table]:
    """dbo.property_tax_area for every layer."""
    p = county.properties
    for layer in county.roll.layers:
        area = p["tax_area"][layer.rows]
        yield {"year": layer.year, "sup_num": layer.sup, "prop_id": p["prop_id"][layer.rows],
               "tax_area_id": TAX_AREA_ID + area, "is_annex_value": 0}  # fmt: skip


def tax_area_ids() -> dict[str, int]:
    """tax_area_id by number."""
    return {number: TAX_AREA_ID + at for at, number in enumerate(TAX_AREAS)}


def inactive_dates(county: County) -> Days:
    """When each property left the roll; NaT while it is on it."""
    p = county.properties
    date = np.full(len(p["prop_id"]), np.datetime64("NaT"), dtype="datetime64[D]")
    retired = p["kind"] == Kind.INACTIVE
    when = day(county.year - 9 + p["prop_id"] % 9, 1 + p["prop_id"] % 12, 15)
    date[retired] = when[retired]
    date[p["kind"] == Kind.INACTIVE_1980] = SENTINEL_1980
    date[np.flatnonzero(p["kind"] == Kind.UDI_PARENT)[::2]] = day(county.year - 3, 6, 1)
    return date


def property_val_tables(county: County) -> Iterator[Table]:
    """dbo.property_val for every layer, in key order."""
    fixed = _fixed(county)
    personal = personal_values(county)
    version = 1_000_000
    for layer in county.roll.layers:
        table = take(fixed, layer.rows) | _money(layer_values(county.values, layer, personal))
        table |= _year_facts(county, layer, table)
        table["tsRowVersion"] = row_versions(version, len(layer.rows))
        version += len(layer.rows)
        yield table


def _fixed(county: County) -> Table:
    """Columns that are the same in every layer."""
    p, odd = county.properties, county.odd
    rows = np.arange(len(p["prop_id"]))
    twin = np.maximum(p["twin"], 0)
    child = p["kind"] == Kind.UDI_CHILD
    hood = pick([*county.land.hoods["code"].tolist()], p["hood"])
    unknown = np.isin(rows, odd["bad_unknown_use_code"])
    use = pick([*(code or None for code in CODES), UNKNOWN_USE],
               np.where(unknown, len(CODES), p["use"]))  # fmt: skip
    sub = np.select([p["pool"] == Pool.COMMERCIAL, p["kind"] == Kind.LEASED_MH,
                     p["pool"] == Pool.FARM], [1, 2, 3], 0)  # fmt: skip
    plats = county.land.plats
    return {
        "prop_id": p["prop_id"],
        "legal_desc": _legal(county), "legal_acreage": p["acres"], "eff_size_acres": p["acres"],
        "abs_subdv_cd": where(p["plat"] >= 0, pick(plats["code"].tolist(), p["plat"].clip(0))),
        "block": where(p["plat"] >= 0, pa.array(p["block"]).cast(pa.string())),
        "tract_or_lot": pa.array(p["lot"]).cast(pa.string()),
        "hood_cd": where(~np.isin(rows, odd["bad_missing_hood"]), hood),
        "rgn_cd": pick([f"R{city + 1}" for city in range(len(CITIES))],
                       county.land.hoods["city"][p["hood"]]),
        "map_id": join(digits(p["section"], 2), "-", digits(p["township"], 2)),
        "township_code": digits(p["township"], 2), "township_section": digits(p["section"], 2),
        "range_code": digits(p["range"], 2),
        "mbl_hm_park": where(p["kind"] == Kind.LEASED_MH,
                             join("PARK ", pa.array(p["base"]).cast(pa.string()))),
        "gis_real_coord_x": where(p["polygon"] >= 0, np.round(p["x"], 3)),
        "gis_real_coord_y": where(p["polygon"] >= 0, np.round(p["y"], 3)),
        "property_use_cd": use, "sub_type": pick(_SUB_TYPES, sub), "appr_method": "C    ",
        "cycle": county.land.hoods["cycle"][p["hood"]],
        "last_appraiser_id": 1 + p["hood"] % 9, "recalc_flag": "C", "last_pacs_user_id": 12,
        "udi_parent": where(p["kind"] == Kind.UDI_PARENT, "T"),
        "udi_parent_prop_id": where(child, p["prop_id"][twin]),
    }  # fmt: skip


def _legal(county: County) -> pa.Array:
    p = county.properties
    plats = county.land.plats
    platted = join("LOT ", digits(p["lot"], 1), " BLOCK ", digits(p["block"], 1), ", ",
                   pick(plats["name"].tolist(), p["plat"].clip(0)))  # fmt: skip
    country = join("SECTION ", digits(p["section"], 1), " TOWNSHIP ", digits(p["township"], 1),
                   " NORTH RANGE ", digits(p["range"], 1), " EAST, W.M., TRACT ",
                   digits(p["lot"], 1))  # fmt: skip
    return where(p["plat"] >= 0, platted, country)


def _money(roll: Table) -> Table:
    """Value columns of property_val."""
    building = roll["imprv_hs"] + roll["imprv_nhs"]
    new = roll["new_hs"] + roll["new_nhs"]
    return {
        "land_hstd_val": roll["land_hs"], "land_non_hstd_val": roll["land_nhs"],
        "imprv_hstd_val": roll["imprv_hs"], "imprv_non_hstd_val": roll["imprv_nhs"],
        "imprv_val": building, "ag_use_val": roll["ag_use"], "ag_market": roll["ag_market"],
        "ag_loss": roll["ag_market"] - roll["ag_use"], "ag_hs_use_val": 0, "ag_hs_mkt_val": 0,
        "timber_market": 0, "timber_use": 0, "timber_hs_mkt_val": 0, "timber_hs_use_val": 0,
        "market": roll["market"], "appraised_val": roll["appraised"],
        "assessed_val": roll["appraised"], "new_val": new, "new_val_hs": roll["new_hs"],
        "new_val_nhs": roll["new_nhs"], "new_val_p": 0, "cost_value": roll["market"],
    }  # fmt: skip


def _year_facts(county: County, layer: Layer, table: Table) -> Table:
    """Supplement, dates and appraiser's work of one layer."""
    year = layer.year or county.year + 1
    count = len(layer.rows)
    inactive = inactive_dates(county)[layer.rows]
    inactive = np.where(inactive < day(year, 12, 31), inactive, np.datetime64("NaT"))
    cycle = np.asarray(table["cycle"])
    seen = year - 1 - (year - cycle) % 6
    last = moment(day(seen, 4 + cycle % 6, 1 + table["prop_id"] % 28))
    zero = np.isin(layer.rows, county.odd["bad_date_zero"])
    last = where(zero, "0000-00-00 00:00:00", last)
    for start, date in enumerate(("1753-01-01 00:00:00", "1900-01-01 00:00:00")):
        some = np.isin(layer.rows, county.odd["bad_date_sentinel"][start::2])
        last = where(some, date, last)
    return {
        "prop_val_yr": layer.year, "sup_num": layer.sup,
        "prev_sup_num": as_array(0, count) if layer.sup else pa.nulls(count, pa.int64()),
        "sup_cd": "CORR" if layer.action == "M" else "DEL" if layer.action else None,
        "sup_desc": "Correction of the roll" if layer.action == "M" else None,
        "sup_dt": f"{year}-09-15 00:00:00" if layer.sup else None,
        "sup_action": layer.action or None,
        "prop_inactive_dt": moment(inactive),
        "last_appraisal_dt": last, "last_appraisal_yr": seen,
        "next_appraisal_dt": moment(day(seen + 6, 4 + cycle % 6, 1)),
        "recalc_dt": f"{year}-05-20 00:00:00", "chg_dt": f"{year}-05-21 00:00:00",
    }  # fmt: skip
