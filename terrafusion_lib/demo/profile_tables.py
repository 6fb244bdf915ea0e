"""dbo.property_profile: PACS's own one-row summary of a property's current supplement."""

from collections.abc import Iterator

import numpy as np

from terrafusion_lib.demo.building_tables import CONDITIONS, HVAC, living_area, shown_built
from terrafusion_lib.demo.buildings import CLASSES
from terrafusion_lib.demo.columns import Table, pick, where
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.land_tables import LAND_TYPES, land_types
from terrafusion_lib.demo.property_tables import ZONES, zoning
from terrafusion_lib.demo.snapshots import WHOLE_YEARS
from terrafusion_lib.demo.uses import CODES

VIEWS = (None, "FAIR", "AVERAGE", "GOOD", "EXCELLENT")


def profile_tables(county: County) -> Iterator[Table]:
    """Profiles of the years whose characteristics are kept whole, in key order."""
    p, b = county.properties, county.buildings
    built, area, kinds = shown_built(county), living_area(county), land_types(county)
    view = np.where(p["plat"] >= 0, county.land.plats["view"][p["plat"]], 0)
    for year in county.values.years[-WHOLE_YEARS:]:
        row, sup = county.roll.current[year]
        column = county.values.years.index(year)
        stands = (county.values.improvement[row, column] > 0) & (b["structure"][row] > 0)
        market = county.values.land[row, column] + county.values.improvement[row, column]
        yield {
            "prop_id": p["prop_id"][row], "prop_val_yr": year, "sup_num": sup,
            "update_dt": f"{year}-05-21 00:00:00", "state_cd": "WA   ",
            "class_cd": where(stands, pick([str(code) for code in CLASSES],
                                           np.searchsorted(CLASSES, b["quality"][row].clip(10)))),
            "land_type_cd": where(p["acres"][row] > 0, pick(tuple(LAND_TYPES), kinds[row])),
            "yr_blt": where(stands, built[row]), "actual_year_built": where(stands, built[row]),
            "eff_yr_blt": where(stands, b["effective"][row]),
            "living_area": where(stands, area[row]),
            "land_sqft": p["sqft"][row], "land_acres": p["acres"][row],
            "land_total_sqft": p["sqft"][row], "land_total_acres": p["acres"][row],
            "abs_subdv": where(p["plat"][row] >= 0, pick(county.land.plats["code"].tolist(),
                                                         p["plat"][row].clip(0))),
            "neighborhood": pick(county.land.hoods["code"].tolist(), p["hood"][row]),
            "appraised_val": market,
            "condition_cd": where(stands, pick([code.ljust(5) for code in CONDITIONS],
                                               b["condition"][row])),
            "percent_complete": where(stands, 100.0),
            "heat_ac_code": where(stands, pick(HVAC, b["hvac"][row])),
            "zoning": pick(ZONES, zoning(p)[row]),
            "property_use_cd": pick([code or None for code in CODES], p["use"][row]),
            "num_imprv": stands + (stands & (b["shed"][row] > 0)).astype(np.int64),
            "imprv_type_cd": where(stands, pick(("R    ", "MHOME", "C    "),
                                                np.maximum(b["structure"][row] - 1, 0))),
            "characteristic_zoning1": pick(ZONES, zoning(p)[row]),
            "characteristic_view": pick(VIEWS, view[row]),
        }  # fmt: skip
