"""dbo.land_detail: land segments, live and frozen at sales."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import (
    Bools,
    Children,
    Ints,
    Table,
    flag,
    pick,
    rounded,
    row_versions,
)
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.places import ACRE
from terrafusion_lib.demo.snapshots import Snapshot, snapshots
from terrafusion_lib.demo.uses import CODES, Pool
from terrafusion_lib.demo.values import USE_VALUE_SHARE

LAND_TYPES = {
    "9": "Residential site", "11": "Commercial and industrial site", "4": "Irrigated farm land",
    "51": "Rural residential acreage", "5": "Dry farm land and range", "91": "Undeveloped land",
    "52": "Rural recreational land", "12": "Multi-family site", "41": "Orchard and vineyard",
    "C": "Common area",
}  # fmt: skip
HOMESITE_ACRES = 1.0


def land_types(county: County) -> Ints:
    """Land type of each property's main segment, as an index into LAND_TYPES."""
    p = county.properties
    at = {code: index for index, code in enumerate(LAND_TYPES)}
    use = np.array(CODES)[p["use"]]
    luck = county.rng("land types").random(len(use))
    farm = np.select(
        [(p["acres"] > 120) | (luck > 0.62), luck < 0.06], [at["5"], at["41"]], at["4"]
    )
    country = p["pool"] == Pool.ACREAGE
    return np.select(
        [p["pool"] == Pool.COMMERCIAL, p["pool"] == Pool.FARM, use == "91",
         np.isin(use, ("12", "13")), country & (luck < 0.17), country & (luck < 0.23),
         luck > 0.9993],
        [at["11"], farm, at["91"], at["12"], at["51"], at["52"], at["C"]], at["9"],
    ).astype(np.int64)  # fmt: skip


@dataclass(frozen=True)
class Segments:
    """Segments of all land, sorted by property: one each, two where a farm has a homesite."""

    index: Children
    homesite: Bools
    """By segment: the second one, with the house."""
    split: Bools
    """By property: it has a homesite segment."""
    kind: Ints
    """By property: land type of the main segment."""


def build_segments(county: County) -> Segments:
    """Segments of every property that has land."""
    p = county.properties
    count = len(p["prop_id"])
    split = (p["acres"] > 4 * HOMESITE_ACRES) & (county.buildings["structure"] == Structure.HOUSE)
    owner = np.concatenate([np.flatnonzero(p["acres"] > 0), np.flatnonzero(split)])
    homesite = np.arange(len(owner)) >= (p["acres"] > 0).sum()
    order = np.lexsort((homesite, owner))
    index = Children.of(owner[order], count)
    return Segments(index, homesite[order], split, land_types(county))


def land_detail_tables(county: County) -> Iterator[Table]:
    """Rows of every layer with characteristics, in key order."""
    segments = build_segments(county)
    version = 1
    for snapshot in snapshots(county):
        table = _rows(county, snapshot, segments, version)
        version += len(table["prop_id"])
        yield table


def _rows(county: County, snapshot: Snapshot, segments: Segments, version: int) -> Table:
    p = county.properties
    found, position = segments.index.rows(snapshot.rows)
    row, homesite = snapshot.rows[position], segments.homesite[found]
    total, split = snapshot.land(county)[position], segments.split
    site = np.where(split[row], rounded(np.minimum(total * 0.4, 60_000.0), 10), 0)
    value = np.where(homesite, site, total - site)
    acres = np.where(homesite, HOMESITE_ACRES,
                     p["acres"][row] - HOMESITE_ACRES * split[row])  # fmt: skip
    wrong = np.isin(row, county.odd["bad_negative_area"])
    acres = np.round(np.where(wrong, -acres, acres), 4)
    square_feet = np.round(acres * ACRE, 2)
    in_use = county.values.current_use[row] & ~homesite
    farm = county.values.current_use[row]
    use_total = rounded(total * USE_VALUE_SHARE, 10)
    return {
        "prop_id": p["prop_id"][row], "prop_val_yr": snapshot.year,
        "land_seg_id": 1 + homesite.astype(np.int64), "sup_num": snapshot.sup,
        "sale_id": snapshot.sale_id[position],
        "land_type_cd": pick([code.ljust(10) for code in LAND_TYPES],
                             np.where(homesite, 0, segments.kind[row])),
        "land_seg_sl_lock": "F", "state_cd": "WA   ", "land_seg_homesite": flag(homesite),
        "size_acres": acres, "size_square_feet": square_feet,
        "mkt_unit_price": np.round(value / np.maximum(np.abs(square_feet), 1), 2),
        "land_seg_mkt_val": value, "mkt_calc_val": value, "mkt_val_source": "A",
        "ag_use_cd": pick((None, "AG   ", "OSP  "), farm * (1 + (p["prop_id"][row] % 1500 == 7))),
        "ag_apply": flag(farm),
        "ag_val": np.where(in_use, np.where(split[row], use_total - rounded(use_total * 0.1, 10),
                                            use_total),
                           np.where(farm, rounded(use_total * 0.1, 10), 0)),
        "primary_use_cd": pick([code or None for code in CODES], p["use"][row]),
        "land_influence_code": pick((None, "VIEW"), (_view(county, row) > 0).astype(np.int64)),
        "tsRowVersion": row_versions(version, len(row)),
        "assessment_yr_qualified": 1990 + p["prop_id"][row] % 25,
    }  # fmt: skip


def _view(county: County, row: Ints) -> Ints:
    plat = county.properties["plat"][row]
    return np.where(plat >= 0, county.land.plats["view"][plat], 0)
