"""Permits, supplements, system and year tables: the office at work."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.building_tables import BATHROOMS, BEDROOMS, HEATING
from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import Table, day, digits, join, moment, pick, where, year_of
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.parcels import Kind

PERMIT_TYPES = ("SFR", "REMODEL", "ROOF", "MECH", "POOL", "DEMO", "COMM")
FIRST_PERMIT = 70_000


def permit_tables(county: County) -> Iterator[tuple[str, Table]]:
    """dbo.building_permit and its link to property: new homes, and two percent a year of others."""
    p, b, rng = county.properties, county.buildings, county.rng("permits")
    standing = np.flatnonzero((b["structure"] != Structure.NONE) & (p["kind"] <= Kind.UDI_PARENT))
    new = standing[b["built"][standing] >= county.year - 5]
    other = rng.choice(standing, max(8, round(county.parcels * 0.02 * 5)))
    row = np.concatenate([new, other])
    is_new = np.arange(len(row)) < len(new)
    count = len(row)
    month = rng.integers(1, 13, count)
    issued = day(np.where(is_new, b["built"][row], county.year - 5 + rng.integers(0, 5, count)),
                 month, rng.integers(1, 28, count))  # fmt: skip
    order = np.lexsort((row, issued))
    row, is_new, issued = row[order], is_new[order], issued[order]
    done = issued + rng.integers(40, 300, count)
    open_still = done > day(county.year, 4, 1)
    done = np.where(open_still, np.datetime64("NaT"), done)
    kind = np.where(is_new, 0, rng.integers(1, len(PERMIT_TYPES), count))
    value = np.where(is_new, np.round(b["area"][row] * 120, -3), np.round(
        rng.lognormal(9.3, 0.8, count), -2)).astype(np.int64)  # fmt: skip
    permit = FIRST_PERMIT + np.arange(count)
    yield "building_permit", {
        "bldg_permit_id": permit, "bldg_permit_status": pick(("FINAL", "OPEN"),
                                                             open_still.astype(np.int64)),
        "bldg_permit_type_cd": pick(PERMIT_TYPES, kind),
        "bldg_permit_num": join("B", pa.array(year_of(issued) % 100).cast(pa.string()), "-",
                                digits(permit, 6)),
        "bldg_permit_issuer": pick(("KENN", "RICH", "WRICH", "PROS", "BC", "CNTY"),
                                   county.land.hoods["city"][p["hood"][row]]),
        "bldg_permit_issue_dt": moment(issued), "bldg_permit_dt_complete": moment(done),
        "bldg_permit_val": value,
        "bldg_permit_area": where(is_new, b["area"][row].astype(np.int64)),
        "bldg_permit_pct_complete": np.where(open_still, 40.0, 100.0),
        "bldg_permit_active": pick(("F", "T"), open_still.astype(np.int64)),
        "bldg_permit_res_com": pick(("R", "C"), (b["structure"][row] == Structure.COMMERCIAL)
                                    .astype(np.int64)),
        "bldg_permit_desc": pick(("NEW RESIDENCE", "REMODEL", "RE-ROOF", "MECHANICAL", "POOL",
                                  "DEMOLITION", "TENANT IMPROVEMENT"), kind),
        "active_bit": open_still,
    }  # fmt: skip
    by_property = np.lexsort((permit, p["prop_id"][row]))
    yield "prop_building_permit_assoc", {
        "bldg_permit_id": permit[by_property], "prop_id": p["prop_id"][row][by_property],
        "primary_property": 1,
    }  # fmt: skip


def system_tables(county: County) -> Iterator[tuple[str, Table]]:
    """dbo.pacs_system, pacs_year, supplement and sup_group."""
    year = county.year
    yield "pacs_system", {
        "id": np.array([1]), "tax_yr": year - 1, "appr_yr": year, "future_yr": year + 1,
        "system_type": "B", "client_name": "DEMO COUNTY", "version": "9.0",
        "first_yr_to_supp": year - 5, "num_bedrooms_code_attribute_id": BEDROOMS,
        "num_bathrooms_code_attribute_id": BATHROOMS, "heat_ac_code_attribute_id": HEATING,
        "sl_ratio_type": "00   ", "sl_type": "I    ",
    }  # fmt: skip
    years = np.array(county.values.years)
    words = [f"{y}-12-15 00:00:00" for y in years[:-1]] + [None]
    yield "pacs_year", {
        "tax_yr": years, "certification_dt": pa.array(words),
        "notice_dt": pa.array([f"{y}-05-25 00:00:00" for y in years]),
        "prev_reappraised_yr": years - 1, "assessment_certification_date": pa.array(words),
    }  # fmt: skip
    sups = [(layer.year, layer.sup) for layer in county.roll.layers if layer.sup]
    numbers = np.arange(1, len(sups) + 1)
    yield "supplement", {
        "sup_tax_yr": np.array([pair[0] for pair in sups]),
        "sup_num": np.array([pair[1] for pair in sups]), "sup_group_id": numbers,
    }  # fmt: skip
    accepted = [None if pair == (year, 3) else f"{pair[0]}-10-01 00:00:00" for pair in sups]
    yield "sup_group", {
        "sup_group_id": numbers,
        "sup_group_desc": pa.array([f"SUPPLEMENT {pair[1]} OF {pair[0]}" for pair in sups]),
        "sup_create_dt": pa.array([f"{pair[0]}-09-15 00:00:00" for pair in sups]),
        "sup_accept_dt": pa.array(accepted, pa.string()),
        "status_cd": pa.array(["P    " if when is None else "A    " for when in accepted]),
    }  # fmt: skip
