"""dbo.owner and Washington's value tables: who owns what share, and what it is taxed on."""

from collections.abc import Iterator

import numpy as np

from terrafusion_lib.demo.columns import (
    Children,
    Ints,
    Table,
    day,
    flag,
    moment,
    pick,
    rounded,
    row_versions,
    where,
)  # fmt: skip
from terrafusion_lib.demo.county import County, personal_values
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.values import EXEMPTIONS, Layer, layer_values

SENIOR = EXEMPTIONS.index("SNR/DSBL")
_SHARED = {
    "land_hstd_val": "land_hs", "land_non_hstd_val": "land_nhs", "imprv_hstd_val": "imprv_hs",
    "imprv_non_hstd_val": "imprv_nhs", "ag_use_val": "ag_use", "ag_market": "ag_market",
    "new_val_hs": "new_hs", "new_val_nhs": "new_nhs", "new_val_p": "zero",
    "appraised": "appraised", "market": "market", "snr_frz_imprv_hs": "frozen_imprv",
    "snr_frz_land_hs": "frozen_land", "appraised_classified": "ag_use",
    "taxable_classified": "taxable_classified", "taxable_non_classified": "taxable_non_classified",
}  # fmt: skip
"""Columns of wash_prop_owner_val that are shared among owners, and the roll value of each."""


def owner_index(county: County) -> Children:
    """Shares of each property as rows of `People`."""
    return Children.of(county.people.owned, len(county.properties["prop_id"]))


def owner_tables(county: County) -> Iterator[Table]:
    """dbo.owner for every layer, in key order."""
    people, index = county.people, owner_index(county)
    ids = county.properties["prop_id"]
    twin = county.properties["kind"] == Kind.UDI_CHILD
    for layer in county.roll.layers:
        share, position = index.rows(layer.rows)
        row = layer.rows[position]
        percent = people.percent[share].astype(float)
        yield {
            "owner_id": people.account_id(people.owner[share]), "owner_tax_yr": layer.year,
            "prop_id": ids[row], "updt_dt": f"{layer.year or county.year}-02-01 00:00:00",
            "pct_ownership": percent, "sup_num": layer.sup,
            "hs_prop": flag(county.values.homestead[row]),
            "pct_imprv_hs": percent, "pct_land_hs": percent,
            "percent_type": pick(("O", "UDI"), twin[row].astype(np.int64)),
        }  # fmt: skip


def roll_tables(county: County) -> Iterator[tuple[str, Table]]:
    """Washington values and exemptions of every layer, as (table name, rows) in key order."""
    index, personal = owner_index(county), personal_values(county)
    version = 9_000_000
    for layer in county.roll.layers:
        roll = layer_values(county.values, layer, personal)
        roll["zero"] = np.zeros(len(layer.rows), dtype=np.int64)
        share, position = index.rows(layer.rows)
        values = _owner_values(county, layer, roll, share, position)
        yield "wash_prop_owner_val", values
        yield "wash_property_val", _senior_values(county, layer, roll, version)
        version += len(layer.rows)
        yield from _exemptions(county, layer, roll, share, position)


def _owner_values(
    county: County, layer: Layer, roll: Table, share: Ints, position: Ints
) -> Table:  # fmt: skip
    """Values split by ownership: every owner a rounded part, the last the remainder."""
    people = county.people
    percent = people.percent[share]
    last = np.append(np.diff(position) > 0, True)
    table: Table = {
        "year": layer.year, "sup_num": layer.sup,
        "prop_id": county.properties["prop_id"][layer.rows[position]],
        "owner_id": people.account_id(people.owner[share]),
    }  # fmt: skip
    for column, name in _SHARED.items():
        whole = roll[name][position]
        part = np.floor(whole * percent / 100).astype(np.int64)
        given = np.bincount(position[~last], part[~last], minlength=len(layer.rows))
        table[column] = np.where(last, whole - given[position].astype(np.int64), part)
    table["appraised_non_classified"] = table["appraised"] - table["appraised_classified"]
    table["ag_loss"] = table["ag_market"] - table["ag_use_val"]
    return table


def _senior_values(county: County, layer: Layer, roll: Table, version: int) -> Table:
    """dbo.wash_property_val: one row per property; frozen values where a senior qualifies."""
    frozen = roll["frozen"]
    return {
        "prop_val_yr": layer.year, "sup_num": layer.sup,
        "prop_id": county.properties["prop_id"][layer.rows],
        "appraised_classified": roll["ag_use"],
        "appraised_non_classified": roll["appraised"] - roll["ag_use"],
        "snr_imprv": np.where(frozen, roll["imprv_hs"] + roll["imprv_nhs"], 0),
        "snr_land": np.where(frozen, roll["land_hs"] + roll["land_nhs"], 0),
        "snr_qualify_yr": np.where(frozen, county.values.senior_year[layer.rows], 0),
        "snr_frz_imprv_hs": roll["frozen_imprv"], "snr_frz_land_hs": roll["frozen_land"],
        "snr_taxable_portion": np.where(frozen, roll["taxable_non_classified"], 0),
        "snr_exempt_loss": roll["senior_loss"],
        "tsRowVersion": row_versions(version, len(layer.rows)),
        "snr_imprv_hs": np.where(frozen, roll["imprv_hs"], 0),
        "snr_land_hs": np.where(frozen, roll["land_hs"], 0),
    }  # fmt: skip


def _exemptions(
    county: County, layer: Layer, roll: Table, share: Ints, position: Ints
) -> Iterator[tuple[str, Table]]:
    """dbo.property_exemption (applied for) and wash_prop_owner_exemption (granted)."""
    if layer.year == 0:
        return
    people, values = county.people, county.values
    code = np.where(roll["frozen"], SENIOR, values.exempt[layer.rows])[position]
    some = np.flatnonzero(code > 0)
    row, code = layer.rows[position[some]], code[some]
    lost = np.where(roll["frozen"], roll["appraised"] - roll["taxable_non_classified"],
                    roll["appraised"])[position[some]]  # fmt: skip
    lost = rounded(lost * people.percent[share[some]] / 100, 1)
    ids = county.properties["prop_id"][row]
    owner = people.account_id(people.owner[share[some]])
    senior = code == SENIOR
    qualified = np.where(senior, values.senior_year[row], county.year - 12)
    name = pick(EXEMPTIONS, code)
    sub = pick((None, "SNR", "DSBL"), np.where(senior, 1 + (ids % 9 == 0), 0))
    yield "wash_prop_owner_exemption", {
        "year": layer.year, "sup_num": layer.sup, "prop_id": ids, "owner_id": owner,
        "exmpt_type_cd": name, "exempt_value": lost, "exempt_sub_type_cd": sub,
        "exempt_qualify_cd": pick((None, "1", "2", "3"), np.where(senior, 1 + ids % 3, 0)),
    }  # fmt: skip
    kind = county.properties["kind"][row]
    yield "property_exemption", {
        "prop_id": ids, "owner_id": owner, "exmpt_tax_yr": layer.year, "owner_tax_yr": layer.year,
        "prop_type_cd": pick(("R    ", "MH   ", "P    "), np.select(
            [kind == Kind.LEASED_MH, kind == Kind.PERSONAL], [1, 2], 0)),
        "exmpt_type_cd": name, "effective_dt": moment(day(qualified)), "sup_num": layer.sup,
        "effective_tax_yr": qualified, "qualify_yr": qualified, "exmpt_subtype_cd": sub,
        "exempt_qualify_cd": pick((None, "1", "2", "3"), np.where(senior, 1 + ids % 3, 0)),
        "review_last_year": where(senior, qualified + 3),
    }  # fmt: skip
