"""A Texas-style county: an appraisal district's PACS export, its sales file, its parcel layer."""

from datetime import date
from pathlib import Path

from terrafusion_lib.demo.files.place import HOUSE, SHOP, VACANT, Place, invent, transfers
from terrafusion_lib.demo.files.shapes import Grid
from terrafusion_lib.demo.files.write import (
    write_delimited,
    write_fixed_width,
    write_layer,
)

COUNTY = "prairie_tx"
SEED = 48_999
YEAR = 2026
CRS = "EPSG:2276"
"""Texas North Central, US survey feet."""
GRID = Grid(west=2_300_000.0, south=7_000_000.0, width=75.0, depth=120.0)
STATE_CODES = {HOUSE: "A1", SHOP: "F1", VACANT: "C1"}
DEEDS = ("WD", "SWD", "WD", "GWD")


def write_texas(folder: Path) -> None:
    """Write ``APPRAISAL_*.TXT`` (fixed width, with layouts), ``SALES.TXT`` and ``parcels.gpkg``."""
    place = invent(SEED)
    _appraisal(place, folder)
    _land(place, folder)
    _structures(place, folder)
    _sales(place, folder)
    shapes = [GRID.lot(lot) for lot in range(place.lot.size)]
    columns = {"PROP_ID": [_prop_id(row) for row in range(place.lot.size)]}
    write_layer(folder / "parcels.gpkg", shapes, columns, CRS)


def _prop_id(row: int) -> int:
    return 10_001 + row


def _appraisal(place: Place, folder: Path) -> None:
    rows = []
    for row in range(place.lot.size):
        land, building = int(place.assessed_land[row]), int(place.assessed_building[row])
        homestead = place.kind[row] == HOUSE and row % 3 > 0
        capped = round((land + building) * (0.95 if homestead and row % 5 == 0 else 1.0))
        exempt = 40_000 if homestead else 0
        rows.append(
            (
                _prop_id(row), "R", YEAR, f"R{row // 100:03d}-{row % 100:02d}-0000",
                place.number[row], place.street[row], "PRAIRIE CITY", "TX", f"7500{row % 7 + 1}",
                f"PC{place.hood[row] + 1}", STATE_CODES[str(place.kind[row])],
                f"LOT {row % 30 + 1} BLK {row // 30 + 1} PRAIRIE ADDN", land, building,
                land + building, capped, max(capped - exempt, 0), "HS" if homestead else "",
            )
        )  # fmt: skip
    write_fixed_width(
        folder / "APPRAISAL_INFO.TXT",
        "prop_id prop_type_cd prop_val_yr geo_id situs_num situs_street situs_city situs_state "
        "situs_zip hood_cd state_cd legal_desc land_val imprv_val market_value assessed_val "
        "taxable_val exemptions",
        rows,
    )


def _land(place: Place, folder: Path) -> None:
    rows = [
        (_prop_id(row), 1, "LOT", f"{place.land_sqft[row] / 43_560:.4f}", place.land_sqft[row],
         place.assessed_land[row])
        for row in range(place.lot.size)
    ]  # fmt: skip
    names = "prop_id land_seg_id land_type_cd size_acres size_square_feet land_seg_mkt_val"
    write_fixed_width(folder / "APPRAISAL_LAND_DETAIL.TXT", names, rows)


def _structures(place: Place, folder: Path) -> None:
    """Structures, and their parts: main area (MA) and attached garage (AG)."""
    structures, parts = [], []
    for row in range(place.lot.size):
        if not place.living_sqft[row]:
            continue
        key = (_prop_id(row), 1)
        kind = "R" if place.kind[row] == HOUSE else "C"
        structures.append(
            (*key, kind, place.assessed_building[row], place.stories[row], place.bedrooms[row],
             place.bathrooms[row])
        )  # fmt: skip
        built = (place.year_built[row], f"R{place.quality[row]}", place.condition[row])
        parts.append((*key, 1, "MA", place.living_sqft[row], *built))
        if place.garage_sqft[row]:
            parts.append((*key, 2, "AG", place.garage_sqft[row], *built))
    write_fixed_width(
        folder / "APPRAISAL_IMPROVEMENT_INFO.TXT",
        "prop_id imprv_id imprv_type_cd imprv_val stories bedrooms bathrooms",
        structures,
    )
    write_fixed_width(
        folder / "APPRAISAL_IMPROVEMENT_DETAIL.TXT",
        "prop_id imprv_id imprv_det_id imprv_det_type_cd imprv_det_area yr_built class_cd cond_cd",
        parts,
    )


def _sales(place: Place, folder: Path) -> None:
    rows = []
    for number, sale in enumerate(transfers(place, SEED, valuation_date=date(YEAR, 1, 1))):
        deed = DEEDS[number % len(DEEDS)] if sale.valid or number % 2 else "QCD"
        code = "VQ" if sale.valid else "UQ"
        day = f"{sale.day:%m/%d/%Y}"
        rows.append((70_001 + number, _prop_id(sale.row), day, sale.price, deed, code))
    names = "chg_of_owner_id prop_id sl_dt sl_price deed_type_cd sl_ratio_cd"
    write_delimited(folder / "SALES.TXT", names, rows, "|")
