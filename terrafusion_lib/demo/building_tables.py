"""dbo.imprv, imprv_detail, imprv_attr: structures, their segments and attributes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.buildings import CLASSES, Structure
from terrafusion_lib.demo.columns import (
    Bools,
    Children,
    Floats,
    Ints,
    Table,
    flag,
    pick,
    rounded,
    row_versions,
    where,
)  # fmt: skip
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.snapshots import Snapshot, snapshots
from terrafusion_lib.demo.uses import CODES, index_of

DETAIL_TYPES = {
    "MA": "Main area", "MA-2": "Main area, two stories", "MA-Split": "Main area, split level",
    "1.5": "Half story", "2.0": "Second story", "MHOME": "Manufactured home",
    "MHomeAdd": "Manufactured home addition", "BSMT": "Basement, finished",
    "U-BSMT": "Basement, unfinished", "ATTGAR": "Attached garage", "DETGAR": "Detached garage",
    "Carport": "Carport", "CovPatio": "Covered patio", "Deck": "Deck",
    "PoleBldg": "Pole building",
}  # fmt: skip
MAIN_AREAS = ("MA", "MA-2", "MA-Split", "1.5", "2.0", "MHOME", "MHomeAdd")
_TYPE = {code: at for at, code in enumerate(DETAIL_TYPES)}
CONDITIONS = ("", "Poor", "Fair", "Avg", "Good", "Excl")
UNKNOWN_CONDITION = "Zz"
HVAC = ("NONE", "CENTRAL AC", "HEAT PUMP", "FORCED AIR", "BASEBOARD")
FOUNDATIONS = ("CONCRETE", "STONE")
EXTERIORS = ("VINYL", "STUCCO", "BRICK", "HARDBOARD", "CEDAR", "BLOCK")
ROOFS = ("COMP SHINGLE", "METAL", "TILE", "BUILT-UP")
BEDROOMS, BATHROOMS, HALF_BATHS, FIREPLACES, HEATING = 15, 45, 46, 10, 9
_TYPE_CODES = ("R    ", "MHOME", "C    ")


@dataclass(frozen=True)
class Parts:
    """Segments of all structures, sorted by property, structure and number."""

    owner: Ints
    structure: Ints
    """0 the principal structure, 1 a second one."""
    kind: Ints
    area: Floats
    weight: Floats
    """Relative value."""
    main: Bools


@dataclass(frozen=True)
class Cut:
    """Segments of one snapshot: row of `Parts`, its position in the snapshot, its value."""

    found: Ints
    position: Ints
    value: Ints
    version: int


def build_parts(county: County) -> Parts:
    """Cut every property's improvements into segments."""
    b = county.buildings
    rows = np.arange(len(b["area"]))
    home, shop = b["structure"] == Structure.HOUSE, b["structure"] == Structure.COMMERCIAL
    mobile = b["structure"] == Structure.MANUFACTURED
    style, area = b["style"], b["area"]
    stacked = home & (style == 2) & (rows % 5 < 3)
    low = np.select([home & (style == 1), stacked], [np.round(area * 0.65), np.round(area * 0.54)],
                    area)  # fmt: skip
    added = mobile & (rows % 8 == 0)
    low = np.where(added, np.round(area * 0.86), low)
    ground = np.select(
        [home & (style == 2) & ~stacked, home & (style == 3), mobile],
        [_TYPE["MA-2"], _TYPE["MA-Split"], _TYPE["MHOME"]], _TYPE["MA"],
    )  # fmt: skip
    standing = home | shop | mobile
    finished = b["basement_finished"].astype(bool)
    pieces: list[tuple[Bools, int, Any, Floats, float]] = [
        (standing, 0, ground, low, 1.0),
        (home & (style == 1), 0, _TYPE["1.5"], area - low, 0.8),
        (stacked, 0, _TYPE["2.0"], area - low, 0.95),
        (added, 0, _TYPE["MHomeAdd"], area - low, 0.8),
        ((b["basement"] > 0), 0, np.where(finished, _TYPE["BSMT"], _TYPE["U-BSMT"]),
         b["basement"], 0.3),
        (b["attached"] > 0, 0, _TYPE["ATTGAR"], b["attached"], 0.36),
        (b["detached"] > 0, 0, _TYPE["DETGAR"], b["detached"], 0.29),
        (b["carport"] > 0, 0, _TYPE["Carport"], b["carport"], 0.12),
        (b["patio"] > 0, 0, _TYPE["CovPatio"], b["patio"], 0.12),
        (b["deck"] > 0, 0, _TYPE["Deck"], b["deck"], 0.12),
        ((b["shed"] > 0) & standing, 1, _TYPE["PoleBldg"], b["shed"], 0.11),
    ]  # fmt: skip
    owner = np.concatenate([np.flatnonzero(mask) for mask, *_ in pieces])
    structure = np.concatenate([np.full(mask.sum(), which) for mask, which, *_ in pieces])
    kind = np.concatenate([(rows * 0 + kind)[mask] for mask, _, kind, *_ in pieces])
    size = np.concatenate([sized[mask] for mask, _, _, sized, _ in pieces])
    rate = np.concatenate([np.full(mask.sum(), rate) for mask, _, _, _, rate in pieces])
    order = np.lexsort((np.arange(len(owner)), structure, owner))
    main = np.isin(kind, [_TYPE[code] for code in MAIN_AREAS])[order]
    return Parts(owner[order], structure[order], kind[order], size[order],
                 (size * rate)[order], main)  # fmt: skip


def shown_built(county: County) -> Ints:
    """Year built as the county has it: a few lie in the future by a typing error."""
    built = county.buildings["built"].copy()
    built[county.odd["bad_year_built_future"]] = county.year + 60
    return np.asarray(built)


def _built(county: County, row: Ints, structure: Ints) -> Ints:
    """Year built of structures: a second one came a little later."""
    later = np.minimum(county.buildings["built"][row] + 3, county.year - 1)
    return np.where(structure == 1, later, shown_built(county)[row])


def building_tables(county: County) -> Iterator[tuple[str, Table]]:
    """(table name, rows) of every layer with characteristics, in key order within each table."""
    parts = build_parts(county)
    count = len(county.properties["prop_id"])
    index = Children.of(parts.owner, count)
    version = 5_000_000
    for snapshot in snapshots(county):
        total = snapshot.improvement(county)
        stands = np.flatnonzero((total > 0) & (county.buildings["structure"][snapshot.rows] > 0))
        built = snapshot.of(stands)
        found, position = index.rows(built.rows)
        value = _part_values(parts, found, position, total[stands])
        cut = Cut(found, position, value, version)
        yield "imprv", _imprv(county, built, parts, cut)
        yield "imprv_detail", _details(county, built, parts, cut)
        yield "imprv_attr", _attributes(county, built)
        version += len(found)


def _part_values(parts: Parts, found: Ints, position: Ints, total: Ints) -> Ints:
    """Share each structure's value among its segments by weight; the first takes the rest."""
    weight = parts.weight[found]
    whole = np.bincount(position, weight, minlength=len(total))
    value = rounded(weight / whole[position] * total[position], 10)
    rest = total - np.bincount(position, value, minlength=len(total)).astype(np.int64)
    first = np.unique(position, return_index=True)[1]
    value[first] += rest
    return value


def imprv_ids(county: County, row: Ints, structure: Ints) -> Ints:
    """imprv_id: unique in the county."""
    return np.asarray(county.properties["prop_id"][row] * 10 + 1 + structure)


def _imprv(county: County, s: Snapshot, parts: Parts, cut: Cut) -> Table:
    """One row per structure: sums of its segments."""
    found, position = cut.found, cut.position
    key = position * 2 + parts.structure[found]
    keys, first, group = np.unique(key, return_index=True, return_inverse=True)
    total = np.bincount(group, cut.value, minlength=len(keys)).astype(np.int64)
    at, structure = position[first], parts.structure[found][first]
    row = s.rows[at]
    b, second = county.buildings, structure == 1
    kind = np.where(second, 0, b["structure"][row] - 1)
    built = _built(county, row, structure)
    return {
        "prop_id": county.properties["prop_id"][row], "prop_val_yr": s.year,
        "imprv_id": imprv_ids(county, row, structure), "sup_num": s.sup,
        "sale_id": s.sale_id[at], "imprv_type_cd": pick(_TYPE_CODES, kind),
        "imprv_sl_locked": "F", "primary_imprv": pick(("Y", "N"), structure),
        "imprv_state_cd": "WA   ", "imprv_homesite": flag(county.values.homestead[row] & ~second),
        "imprv_desc": pick(("RESIDENCE", "MANUFACTURED HOME", "COMMERCIAL BUILDING", "SHOP"),
                           np.where(second, 3, b["structure"][row] - 1)),
        "imprv_val": total, "calc_val": total, "adjusted_val": total, "imprv_val_source": "A",
        "physical_pct": 100.0, "functional_pct": 100.0, "economic_pct": 100.0,
        "mbl_hm_make": where((kind == 1) & ~second, "FLEETWOOD"),
        "effective_yr_blt": np.where(second, built, b["effective"][row]),
        "percent_complete": 100.0, "num_imprv": 1,
        "stories": pick(("1", "1.5", "2"), np.where(second, 0, np.minimum(b["style"][row], 3) % 3)),
        "tsRowVersion": row_versions(cut.version, len(keys)),
        "primary_use_cd": pick([code or None for code in CODES], county.properties["use"][row]),
        "actual_year_built": built,
    }  # fmt: skip


def _details(county: County, s: Snapshot, parts: Parts, cut: Cut) -> Table:
    """One row per segment."""
    found, position, value = cut.found, cut.position, cut.value
    row, structure = s.rows[position], parts.structure[found]
    main = parts.main[found]
    scale = np.where(main, s.factor[position], 1.0)
    scale = np.where(np.isin(row, county.odd["bad_living_area_zero"]) & main, 0.0, scale)
    area = np.round(parts.area[found] * scale, 1)
    first = np.flatnonzero(np.diff(position, prepend=-1))
    number = np.arange(len(found)) - np.repeat(first, np.diff(np.append(first, len(found)))) + 1
    b = county.buildings
    quality = np.searchsorted(CLASSES, b["quality"][row])
    unknown = np.isin(row, county.odd["bad_unknown_condition_code"])
    condition = np.where(unknown, len(CONDITIONS), b["condition"][row])
    imprv_id = imprv_ids(county, row, structure)
    return {
        "prop_id": county.properties["prop_id"][row], "prop_val_yr": s.year,
        "imprv_id": imprv_id, "imprv_det_id": imprv_id * 20 + number, "sup_num": s.sup,
        "sale_id": s.sale_id[position],
        "imprv_det_class_cd": pick([str(code).ljust(10) for code in CLASSES], quality),
        "imprv_det_meth_cd": pick(("R    ", "C    "),
                                  (b["structure"][row] == Structure.COMMERCIAL).astype(np.int64)),
        "imprv_det_type_cd": pick([code.ljust(10) for code in DETAIL_TYPES], parts.kind[found]),
        "seq_num": number, "imprv_det_val": value, "imprv_det_val_source": "A",
        "imprv_det_area": area, "imprv_det_area_type": "C", "calc_area": area, "sketch_area": area,
        "condition_cd": pick([code.ljust(5) for code in (*CONDITIONS, UNKNOWN_CONDITION)],
                             condition),
        "unit_price": np.round(value / np.maximum(area, 1), 2),
        "yr_built": _built(county, row, structure), "depreciation_yr": b["effective"][row],
        "percent_complete": 100.0, "physical_pct": 100.0,
        "imprv_det_sub_class_cd": pick(("*", "+"), (row % 6 == 0).astype(np.int64)),
        "num_units": where(b["structure"][row] == Structure.COMMERCIAL, _units(county, row)),
        "num_stories": np.ceil(b["stories"][row]).astype(np.int64),
        "tsRowVersion": row_versions(cut.version, len(found)),
    }  # fmt: skip


def _units(county: County, row: Ints) -> Ints:
    """Dwelling units of apartments, else 1."""
    flats = np.isin(county.properties["use"][row], index_of("13"))
    return np.where(flats, np.maximum(county.buildings["area"][row] // 900, 5), 1).astype(np.int64)


def _attributes(county: County, s: Snapshot) -> Table:
    """Attributes on the first segment of each principal structure."""
    b, rows = county.buildings, s.rows
    dwelling = b["structure"][rows] != Structure.COMMERCIAL
    words = [str(number) for number in range(10)]
    always = np.ones(len(rows), dtype=np.bool_)
    columns: list[tuple[int, Bools, pa.Array, Ints]] = [
        (2, always, pick(FOUNDATIONS, b["foundation"][rows]), np.ones_like(rows)),
        (3, always, pick(EXTERIORS, b["exterior"][rows]), np.ones_like(rows)),
        (6, always, pick(ROOFS, b["roof"][rows]), np.ones_like(rows)),
        (HEATING, always, pick(HVAC, b["hvac"][rows]), np.ones_like(rows)),
        (FIREPLACES, b["fireplaces"][rows] > 0, pick(("WOOD",), rows * 0), b["fireplaces"][rows]),
        (BEDROOMS, dwelling, pick(words, b["bedrooms"][rows]), np.ones_like(rows)),
        (BATHROOMS, dwelling, pick(("FULL",), rows * 0), b["baths"][rows]),
        (HALF_BATHS, b["half_baths"][rows] > 0, pick(("HALF",), rows * 0), b["half_baths"][rows]),
        (58, county.properties["use"][rows] == index_of("13")[0], pick(("UNITS",), rows * 0),
         _units(county, rows)),
    ]  # fmt: skip
    at = np.concatenate([np.flatnonzero(mask) for _, mask, _, _ in columns])
    ids = np.concatenate([np.full(mask.sum(), key) for key, mask, _, _ in columns])
    text = pa.concat_arrays([codes.filter(pa.array(mask)) for _, mask, codes, _ in columns])
    units = np.concatenate([units[mask] for _, mask, _, units in columns])
    order = np.lexsort((ids, at))
    at, ids = at[order], ids[order]
    imprv_id = imprv_ids(county, rows[at], np.zeros_like(at))
    return {
        "imprv_id": imprv_id, "prop_id": county.properties["prop_id"][rows[at]],
        "imprv_det_id": imprv_id * 20 + 1, "imprv_attr_id": imprv_id * 100 + ids,
        "prop_val_yr": s.year, "sup_num": s.sup, "sale_id": s.sale_id[at],
        "i_attr_val_id": ids, "i_attr_val_cd": text.take(pa.array(order)),
        "imprv_attr_val": 0, "i_attr_unit": units[order].astype(float), "i_attr_up": 0.0,
    }  # fmt: skip


def living_area(county: County) -> Floats:
    """Main area of the principal improvement as the segments of the current layer have it."""
    area = county.buildings["area"].astype(float)
    area[county.odd["bad_living_area_zero"]] = 0
    return np.asarray(area)
