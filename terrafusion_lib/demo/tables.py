"""All tables of the demo's PACS database, each in the order of its key."""

from collections.abc import Iterator

import numpy as np

from terrafusion_lib.demo.building_tables import building_tables
from terrafusion_lib.demo.code_tables import code_tables
from terrafusion_lib.demo.columns import Table
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.land_tables import land_detail_tables
from terrafusion_lib.demo.owner_tables import owner_tables, roll_tables
from terrafusion_lib.demo.people import account_table, address_table
from terrafusion_lib.demo.profile_tables import profile_tables
from terrafusion_lib.demo.property_tables import (
    prop_supp_tables,
    property_table,
    property_val_tables,
    situs_table,
    tax_area_tables,
)
from terrafusion_lib.demo.sale_tables import (
    chg_of_owner_prop_assoc_table,
    chg_of_owner_table,
    sale_table,
)
from terrafusion_lib.demo.work_tables import permit_tables, system_tables

MOJIBAKE = "PEÃ‘A, JOSÃ‰"
"""PEÑA, JOSÉ in UTF-8, read as Windows-1252."""


def all_tables(county: County) -> Iterator[tuple[str, Table]]:
    """(table name, rows); a table may come in several parts."""
    yield from code_tables(county)
    yield from system_tables(county)
    yield "property", property_table(county)
    for table in property_val_tables(county):
        yield "property_val", table
    for table in prop_supp_tables(county):
        yield "prop_supp_assoc", table
    yield "situs", situs_table(county)
    for table in tax_area_tables(county):
        yield "property_tax_area", table
    for table in profile_tables(county):
        yield "property_profile", table
    for table in land_detail_tables(county):
        yield "land_detail", table
    yield from building_tables(county)
    yield "account", account_table(county.people, _bad_names(county))
    yield "address", address_table(county.people, county.land, county.rng("address"))
    for table in owner_tables(county):
        yield "owner", table
    yield from roll_tables(county)
    yield "chg_of_owner", chg_of_owner_table(county)
    yield "sale", sale_table(county)
    yield "chg_of_owner_prop_assoc", chg_of_owner_prop_assoc_table(county)
    yield from permit_tables(county)


def _bad_names(county: County) -> dict[int, str]:
    """Account rows whose name was read in the wrong encoding once."""
    main = county.people.main_owner(len(county.properties["prop_id"]))
    rows = np.unique(main[county.odd["bad_mojibake_name"]])
    return {int(row): MOJIBAKE for row in rows}
