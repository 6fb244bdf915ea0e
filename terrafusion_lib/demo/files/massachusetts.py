"""A Massachusetts-style town: parcel layer with roads and curves, condominiums."""

from datetime import date
from pathlib import Path

from terrafusion_lib.demo.files.place import (
    COLUMNS,
    CONDOMINIUM,
    HOUSE,
    SHOP,
    VACANT,
    Place,
    invent,
    transfers,
)
from terrafusion_lib.demo.files.shapes import Grid
from terrafusion_lib.demo.files.write import write_delimited, write_layer

COUNTY = "harbor_ma"
SEED = 25_999
YEAR = 2026
UNITS = 6
LOTS = 540
CRS = "EPSG:26986"
"""Massachusetts Mainland, meters."""
GRID = Grid(west=236_000.0, south=901_000.0, width=24.0, depth=36.0, bulge=2.0)
CURVED = range(3, LOTS, 9)
"""Lots whose street side is an arc."""
USE_CODES = {HOUSE: "101", CONDOMINIUM: "102", SHOP: "325", VACANT: "130"}
NOT_AT_ARMS_LENGTH = "F"


def write_massachusetts(folder: Path) -> None:
    """Write ``parcels.gpkg``, ``assess.csv`` and ``sales.csv``."""
    place = invent(SEED, units=UNITS, lots=LOTS)
    _layer(folder)
    _assess(place, folder)
    rows = [
        (f"{30_001 + number}", _prop_id(place, sale.row), f"{sale.day:%Y%m%d}", sale.price,
         "00" if sale.valid else NOT_AT_ARMS_LENGTH)
        for number, sale in enumerate(transfers(place, SEED, valuation_date=date(YEAR, 1, 1)))
    ]  # fmt: skip
    write_delimited(folder / "sales.csv", "SALE_ID PROP_ID LS_DATE LS_PRICE NAL_CODE", rows)


def _layer(folder: Path) -> None:
    """Lots (FEE) and the streets between them (ROW)."""
    lots = [GRID.lot(lot, curved=lot in CURVED) for lot in range(LOTS)]
    streets = [GRID.street(row) for row in range(LOTS // COLUMNS)]
    ids = [_loc_id(lot) for lot in range(LOTS)] + [f"ROW_{row}" for row in range(len(streets))]
    kinds = ["FEE"] * len(lots) + ["ROW"] * len(streets)
    write_layer(
        folder / "parcels.gpkg", [*lots, *streets], {"LOC_ID": ids, "POLY_TYPE": kinds}, CRS
    )


def _loc_id(lot: int) -> str:
    return f"F_{236_000 + lot}_901000"


def _prop_id(place: Place, row: int) -> str:
    """Map, block and lot, and the unit where there is one: ``12-3-20-4``."""
    lot = int(place.lot[row])
    unit = f"-{place.unit[row]}" if place.unit[row] else ""
    return f"{lot // 100 + 1}-{lot // 10 % 10}-{lot}{unit}"


def _assess(place: Place, folder: Path) -> None:
    rows = []
    for row in range(place.lot.size):
        land, building = int(place.assessed_land[row]), int(place.assessed_building[row])
        unit = f" UNIT {place.unit[row]}" if place.unit[row] else ""
        rows.append(
            (
                _prop_id(place, row), _loc_id(int(place.lot[row])), YEAR + 1, building, land,
                land + building, f"{place.land_sqft[row] / 43_560:.3f}",
                USE_CODES[str(place.kind[row])], place.number[row],
                f"{place.number[row]} {place.street[row]}{unit}", "HARBOR", f"0190{row % 6 + 1}",
                f"N{place.hood[row] + 1}", place.year_built[row], place.living_sqft[row],
                place.stories[row], place.bedrooms[row], place.bathrooms[row],
                place.quality[row], place.condition[row],
            )
        )  # fmt: skip
    write_delimited(
        folder / "assess.csv",
        "PROP_ID LOC_ID FY BLDG_VAL LAND_VAL TOTAL_VAL LOT_SIZE USE_CODE ADDR_NUM SITE_ADDR CITY "
        "ZIP NBHD YEAR_BUILT RES_AREA STORIES BEDROOMS BATHS GRADE CONDITION",
        rows,
    )
