"""An independent check: plain Python over the source's rows, property by property."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.clock import utc_now
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.run import map_tables
from tests.support.require import ROOT

YEAR = 2026
SAMPLE = 60
MARKET = (
    "land_hstd_val",
    "land_non_hstd_val",
    "ag_market",
    "ag_hs_market",
    "timber_market",
    "timber_hs_market",
)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, Path]]:
    folder = tmp_path_factory.mktemp("by_hand")
    settings = Settings(root=ROOT, data_dir=folder)
    generate(folder / "demo_wa", parcels=400, seed=7)
    config = load_county("demo_wa", settings)
    mapping = load_mapping(config.mapping)
    years = list(range(YEAR - 4, YEAR + 1))
    raw, _ = extract(config, mapping.source_tables(), years, settings=settings, clock=utc_now)
    map_tables(
        mapping,
        raw,
        folder / "out",
        county_id="demo_wa",
        assessment_year=YEAR,
        crs=config.crs,
        settings=settings,
    )
    source = sqlite3.connect(folder / "demo_wa" / "source" / "pacs_oltp.sqlite")
    source.row_factory = sqlite3.Row
    yield source, folder / "out"
    source.close()


def layer(source: sqlite3.Connection, table: str, year: str, prop_id: str) -> list[Row]:
    """Live rows of a property on the current supplement of the year."""
    (sup,) = source.execute(
        "SELECT sup_num FROM prop_supp_assoc WHERE owner_tax_yr = ? AND prop_id = ?",
        (YEAR, prop_id),
    ).fetchone()
    found = source.execute(
        f"SELECT * FROM {table} WHERE {year} = ? AND sup_num = ? AND prop_id = ?",
        (YEAR, sup, prop_id),
    )
    return [dict(row) for row in found if dict(row).get("sale_id", 0) == 0]


def sample(out: Path) -> list[Row]:
    roll = pq.read_table(out / "properties_operational.parquet").to_pylist()
    return roll[:: max(1, len(roll) // SAMPLE)]


def test_living_area_and_garage(county: tuple[sqlite3.Connection, Path]) -> None:
    source, out = county
    types = {
        row["imprv_det_type_cd"]: row for row in source.execute("SELECT * FROM imprv_det_type")
    }
    improved = 0
    for row in sample(out):
        details = layer(source, "imprv_detail", "prop_val_yr", row["property_id"])
        main = [d for d in details if types[d["imprv_det_type_cd"]]["main_area"] == "T"]
        garage = [d for d in details if d["imprv_det_type_cd"].strip() in ("ATTGAR", "DETGAR")]
        if main:
            improved += 1
            assert row["building_area_sqft"] == pytest.approx(
                sum(d["imprv_det_area"] for d in main)
            )
            assert row["garage_area_sqft"] == pytest.approx(
                sum(d["imprv_det_area"] for d in garage)
            )
    assert improved > SAMPLE / 2


def test_land_area(county: tuple[sqlite3.Connection, Path]) -> None:
    source, out = county
    for row in sample(out):
        segments = layer(source, "land_detail", "prop_val_yr", row["property_id"])
        area = sum(segment["size_square_feet"] for segment in segments)
        assert row["land_area_sqft"] == (pytest.approx(area) if area else None)


def test_market_assessed_and_taxable_value(county: tuple[sqlite3.Connection, Path]) -> None:
    source, out = county
    for row in sample(out):
        owners = layer(source, "wash_prop_owner_val", "year", row["property_id"])
        land = sum(owner[name] for owner in owners for name in MARKET)
        building = sum(o["imprv_hstd_val"] + o["imprv_non_hstd_val"] for o in owners)
        assert (row["land_value"], row["improvement_value"]) == (land, building)
        assert row["current_market_value"] == land + building
        for name, column in (("appraised", "assessed_value"), ("taxable", "taxable_value")):
            parts = [o[f"{name}_classified"] + o[f"{name}_non_classified"] for o in owners]
            assert row[column] == sum(parts)


def test_history_ends_in_the_roll(county: tuple[sqlite3.Connection, Path]) -> None:
    _, out = county
    history = pq.read_table(out / "values_history.parquet").to_pylist()
    value = {(row["property_id"], row["assessment_year"]): row["market_value"] for row in history}
    for row in sample(out):
        assert value[row["property_id"], YEAR] == row["current_market_value"]
        assert value.get((row["property_id"], YEAR - 1)) == row["prior_market_value"]


def test_the_sum_of_a_multi_parcel_sale(county: tuple[sqlite3.Connection, Path]) -> None:
    _, out = county
    sales: dict[str, list[Row]] = {}
    for row in pq.read_table(out / "sales.parquet").to_pylist():
        sales.setdefault(row["sale_id"], []).append(row)
    several = [rows for rows in sales.values() if rows[0]["parcel_count"] == len(rows) > 1]
    assert several
    for rows in several:
        assert sum(row["is_primary_parcel"] for row in rows) == 1
        assert {row["total_market_value"] for row in rows} == {
            sum(row["parcel_market_value"] for row in rows)
        }
