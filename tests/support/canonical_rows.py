"""Rows of the canonical tables: a good one of each, and files made of them."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.schema import TABLES

Row = dict[str, Any]
COUNTY = "demo_wa"
YEAR = 2026

GOOD: dict[str, Row] = {
    "properties_operational": {
        "county_id": COUNTY,
        "property_id": "1000",
        "parcel_number": "112882020000008",
        "situs_address": "12 Señor Peña Ln, Kennewick, WA 99336",
        "situs_state": "WA",
        "situs_zip": "99336",
        "property_type": "residential",
        "property_class": "11",
        "neighborhood_code": "122224",
        "inspection_cycle": 3,
        "tax_area": "K1",
        "zoning": "RL",
        "land_area_sqft": 8_000.0,
        "building_area_sqft": 1_820.0,
        "basement_area_sqft": 0.0,
        "garage_area_sqft": 480.0,
        "year_built": 1994,
        "effective_year_built": 2001,
        "stories": 1.0,
        "bedrooms": 3.0,
        "bathrooms": 2.0,
        "quality": 35.0,
        "condition": 3.0,
        "view_rating": 1,
        "is_waterfront": False,
        "land_value": 80_000.0,
        "improvement_value": 300_000.0,
        "current_market_value": 380_000.0,
        "assessed_value": 380_000.0,
        "taxable_value": 350_000.0,
        "new_construction_value": 0.0,
        "current_use_value": 60_000.0,
        "senior_frozen_value": 250_000.0,
        "prior_market_value": 360_000.0,
        "assessment_year": YEAR,
        "tax_year": YEAR + 1,
        "last_sale_id": "9000",
        "last_sale_date": date(2024, 5, 6),
        "last_sale_price": 365_000.0,
        "is_exempt": False,
        "owner_name": "LÓPEZ, ANA",
        "owner_is_confidential": False,
        "latitude": 46.2,
        "longitude": -119.2,
        "source_year": YEAR,
        "source_sup_num": 0,
        "extended_attributes": json.dumps({"fireplaces": 1}),
    },
    "sales": {
        "county_id": COUNTY,
        "sale_id": "9000",
        "property_id": "1000",
        "sale_date": date(2024, 5, 6),
        "recorded_date": date(2024, 5, 8),
        "sale_price": 365_000.0,
        "adjusted_sale_price": 360_000.0,
        "dor_ratio_code": "00",
        "dor_valid": True,
        "county_ratio_code": "100",
        "county_valid": True,
        "parcel_count": 1,
        "is_primary_parcel": True,
        "is_land_only": False,
        "personal_property_value": 5_000.0,
        "parcel_market_value": 350_000.0,
        "total_market_value": 350_000.0,
        "property_type": "residential",
        "property_class": "11",
        "building_area_sqft": 1_820.0,
        "land_area_sqft": 8_000.0,
        "year_built": 1994,
        "effective_year_built": 2001,
        "stories": 1.0,
        "bedrooms": 3.0,
        "bathrooms": 2.0,
        "condition": 3.0,
        "view_rating": 0,
        "extended_attributes": "{}",
    },
    "improvements": {
        "county_id": COUNTY,
        "property_id": "1000",
        "improvement_id": "1",
        "building_area_sqft": 1_820.0,
        "basement_area_sqft": 0.0,
        "garage_area_sqft": 480.0,
        "year_built": 1994,
        "effective_year_built": 2001,
        "stories": 1.0,
        "bedrooms": 3.0,
        "bathrooms": 2.0,
        "condition": 3.0,
        "percent_complete": 100.0,
        "improvement_value": 300_000.0,
    },
    "land_segments": {
        "county_id": COUNTY,
        "property_id": "1000",
        "segment_id": "1",
        "area_sqft": 43_560.0,
        "area_acres": 1.0,
        "unit_price": 2.0,
        "market_value": 80_000.0,
        "is_current_use": True,
        "current_use_code": "AG",
        "use_value": 4_000.0,
    },
    "exemptions": {
        "county_id": COUNTY,
        "property_id": "1000",
        "owner_id": "7",
        "exemption_type": "SNR/DSBL",
        "exempt_value": 30_000.0,
        "qualify_year": 2020,
        "effective_date": date(2020, 1, 1),
    },
    "permits": {
        "county_id": COUNTY,
        "property_id": "1000",
        "permit_id": "1",
        "issue_date": date(2023, 3, 1),
        "completion_date": date(2023, 9, 1),
        "permit_value": 12_000.0,
        "area_sqft": 200.0,
        "percent_complete": 100.0,
    },
    "values_history": {
        "county_id": COUNTY,
        "property_id": "1000",
        "assessment_year": 2025,
        "land_value": 75_000.0,
        "improvement_value": 285_000.0,
        "market_value": 360_000.0,
        "assessed_value": 360_000.0,
        "taxable_value": 330_000.0,
        "new_construction_value": 0.0,
    },
    "parcels_geometry": {
        "county_id": COUNTY,
        "geometry_id": "1",
        "property_id": "1000",
        "link_method": "property_id",
        "area_sqft": 8_000.0,
        "latitude": 46.2,
        "longitude": -119.2,
        "part_count": 1,
        "geometry": b"\x01\x01\x00\x00\x00" + bytes(16),
    },
}


def good(table: str, **changes: Any) -> Row:
    """A row that meets every rule of its suite, with `changes`."""
    return GOOD[table] | changes


def write_rows(folder: Path, table: str, rows: Iterable[Row]) -> Path:
    """Rows as a Parquet file with the canonical schema; columns left out are null."""
    path = folder / f"{table}.parquet"
    schema = TABLES[table].arrow_schema()
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


def write_failures(folder: Path, *rows: tuple[str, str, str, str, str]) -> Path:
    """A mapping's failed conversions: table, column, source key, raw value, reason."""
    names = ("table_name", "column_name", "source_key", "raw_value", "reason")
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    path = folder / "failures.parquet"
    arrays = [pa.array(column, pa.string()) for column in values]
    pq.write_table(pa.table(arrays, names=list(names)), path)
    return path
